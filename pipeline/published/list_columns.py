"""The list of leads as it is stored beside a run: what a page shows, and what a page is found by.

One row per row of the run, in the same order: by rank, those without a score last. Personal columns are null unless
the config names them. Text from outside is cut to a length that a page can show; a lead's id stays whole, because
marks are kept by it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from types import MappingProxyType
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from features.moment_type import MOMENT
from models.decision_columns import DECISION_COLUMNS
from models.lead_hash import lead_hash
from models.reasons import REASON_TYPE
from pipeline.published.compared import NOTHING_BEFORE, RunBefore, pair_keys
from pipeline.published.folding import folded

PERSONAL: Final = ("display_name", "company", "owner", "email", "phone")
"""Columns about people, in order; the config says which are stored."""
LAST_TOUCH: Final = ("source", "campaign")
"""Facts that are shown with every lead, whether or not a rule asks for them."""
REASONS_LISTED: Final = 3
LONGEST_TEXT: Final = 200
"""Characters of a text from outside that the list keeps."""
SET_MARK: Final = "\n"
"""Stands before and behind every name of a set, so that a part of a name is never taken for it."""
_CUT: Final = frozenset({"display_name", "company", "owner", "email", "phone", "source", "campaign", "trigger_id"})

SHOWN_COLUMNS: Final[Mapping[str, pa.DataType]] = MappingProxyType(
    {
        "position": pa.int64(),
        "rank": pa.int64(),
        "lead_key": pa.uint64(),
        "lead_id": pa.string(),
        "trigger_id": pa.string(),
        "as_of": MOMENT,
        **dict.fromkeys((*PERSONAL, *LAST_TOUCH), pa.string()),
        "score": pa.int64(),
        "probability": pa.float64(),
        "probability_low": pa.float64(),
        "probability_high": pa.float64(),
        "grade": pa.string(),
        "temperature": pa.string(),
        "cell": pa.string(),
        "fit": pa.int64(),
        "engagement": pa.int64(),
        **DECISION_COLUMNS,
        "reason_code": pa.string(),
        "reasons": pa.list_(REASON_TYPE),
        "previous_score": pa.int64(),
        "previous_grade": pa.string(),
        "previous_temperature": pa.string(),
    }
)
"""What a page shows of a lead."""

LIST_COLUMNS: Final[Mapping[str, pa.DataType]] = MappingProxyType(
    {
        **SHOWN_COLUMNS,
        "search": pa.string(),
        "change": pa.int32(),
        "name_order": pa.int32(),
        "company_order": pa.int32(),
        "segment_set": pa.string(),
        "held_set": pa.string(),
        "code_set": pa.string(),
    }
)
"""The same, and what leads are found and sorted by.

``search`` is folded text of id, name and company; ``change`` the score less the one before; orders are places among the
folded texts; sets are names joined and surrounded by `SET_MARK`, empty = none of them.
"""
LIST_SCHEMA: Final = pa.schema(dict(LIST_COLUMNS))
SHOWN_SCHEMA: Final = pa.schema(dict(SHOWN_COLUMNS))
SEARCH_SCHEMA: Final = pa.schema({name: LIST_COLUMNS[name] for name in ("position", "search")})


class ListOfRun:
    """The list of one run, made block by block so that it never lies in memory whole.

    Args:
        scores: The run (`models.scoring.score_schema`; what is missing is null).
        order: Rows of *scores* in the order of the list.
        people: ``lead_id`` (each once) and any of `PERSONAL` and `LAST_TOUCH`; None = nothing is known of them.
        personal: Which of `PERSONAL` may be stored.
        before: The run published before.
    """

    def __init__(
        self,
        scores: pa.Table,
        order: pa.Array,
        *,
        people: pa.Table | None = None,
        personal: Collection[str] = (),
        before: RunBefore = NOTHING_BEFORE,
    ) -> None:
        self._scores, self._order, self._before = scores, order, before
        shown = {*LAST_TOUCH, *(name for name in PERSONAL if name in personal)}
        self._known = _known_of_leads(scores, people, shown)
        self._name_order = _places(self._known.get("display_name"), len(scores))
        self._company_order = _places(self._known.get("company"), len(scores))

    def block(self, start: int, rows: pa.Table) -> pa.Table:
        """Return the part of the list (`LIST_COLUMNS`) that begins at *start*.

        Args:
            start: Its first position.
            rows: The rows of the run that lie there.
        """
        at = self._order.slice(start, len(rows))
        columns = {name: rows[name] for name in SHOWN_COLUMNS if name in rows.column_names}
        columns |= {name: values.take(at) for name, values in self._known.items()}
        columns["position"] = pa.array(np.arange(start, start + len(rows)))
        keys = lead_hash(rows["lead_id"])
        columns["lead_key"] = pa.array(keys)
        if "reasons" in columns:
            columns["reasons"] = pc.list_slice(columns["reasons"], 0, REASONS_LISTED)
        columns |= self._compared(rows, keys)
        columns |= {"name_order": self._name_order.take(at), "company_order": self._company_order.take(at)}
        for name, of in (("segment_set", "segments"), ("held_set", "held")):
            columns[name] = _as_set(columns.get(of), len(rows))
        columns["code_set"] = _codes_as_set(columns.get("reason_code"), len(rows))
        columns = {name: _shortened(values) if name in _CUT else values for name, values in columns.items()}
        columns["search"] = _searched(columns)
        return _with_schema(columns, len(rows))

    def _compared(self, rows: pa.Table, keys: np.ndarray) -> dict[str, pa.Array]:
        """Return what the run before said of the same leads and triggers, and how far the score has moved."""
        triggers = rows["trigger_id"] if "trigger_id" in rows.column_names else None
        found = self._before.of(pair_keys(keys, triggers))
        if "score" not in rows.column_names:
            return found
        return {**found, "change": pc.subtract(rows["score"].combine_chunks(), found["previous_score"])}


def _known_of_leads(scores: pa.Table, people: pa.Table | None, names: Collection[str]) -> dict[str, pa.ChunkedArray]:
    """Return columns about people, row by row of *scores*."""
    if people is None:
        return {name: scores[name] for name in LAST_TOUCH if name in scores.column_names}
    at = pc.index_in(scores["lead_id"], value_set=people["lead_id"].combine_chunks().cast(pa.string()))
    return {name: people[name].cast(pa.string()).take(at) for name in people.column_names if name in names}


def _places(texts: pa.ChunkedArray | None, n_rows: int) -> pa.Array:
    """Return each text's place among all of them, equal ones sharing it; null where there is none."""
    if texts is None:
        return pa.nulls(n_rows, pa.int32())
    alike = folded(texts.combine_chunks())
    alike = pc.if_else(pc.equal(alike, ""), None, alike).dictionary_encode()
    ranks = pc.rank(alike.dictionary, sort_keys="ascending", tiebreaker="dense")
    return ranks.cast(pa.int32()).take(alike.indices)


def _as_set(lists: pa.ChunkedArray | None, n_rows: int) -> pa.Array:
    if lists is None:
        return pa.repeat("", n_rows)
    joined = pc.fill_null(pc.binary_join(lists.combine_chunks(), SET_MARK), "")
    return _surrounded(joined)


def _codes_as_set(codes: pa.ChunkedArray | None, n_rows: int) -> pa.Array:
    """Return codes that are joined by commas as a set."""
    if codes is None:
        return pa.repeat("", n_rows)
    return _surrounded(pc.replace_substring(pc.fill_null(codes.combine_chunks(), ""), ",", SET_MARK))


def _surrounded(joined: pa.Array) -> pa.Array:
    return pc.if_else(pc.equal(joined, ""), "", pc.binary_join_element_wise(SET_MARK, joined, SET_MARK, ""))


def _shortened(texts: pa.ChunkedArray | pa.Array) -> pa.ChunkedArray | pa.Array:
    """Return *texts* no longer than a page can show; what was cut ends in an ellipsis."""
    is_long = pc.greater(pc.utf8_length(texts), LONGEST_TEXT)
    if not pc.any(is_long).as_py():
        return texts
    cut = pc.binary_join_element_wise(pc.utf8_slice_codeunits(texts, 0, LONGEST_TEXT - 1), "…", "")
    return pc.if_else(is_long, cut, texts)


def _searched(columns: Mapping[str, pa.ChunkedArray | pa.Array]) -> pa.Array:
    """Return the text that a search looks into; a line break keeps what is typed from reaching over two columns."""
    parts = [folded(columns[name]) for name in ("lead_id", "display_name", "company") if name in columns]
    return pc.binary_join_element_wise(*parts, "\n", null_handling="replace", null_replacement="")


def _with_schema(columns: Mapping[str, pa.ChunkedArray | pa.Array], n_rows: int) -> pa.Table:
    filled = [
        columns[name].cast(kind) if name in columns else pa.nulls(n_rows, kind) for name, kind in LIST_COLUMNS.items()
    ]
    return pa.table(filled, schema=LIST_SCHEMA)
