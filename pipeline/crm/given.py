"""The leads of a stored run, block by block: each lead once, at its best rank, those that were asked for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from features.errors import nearest, wrong_input
from models.decision_columns import with_decision_columns
from models.lead_hash import lead_hash
from pipeline.crm.left_alone import Bools
from pipeline.published.run_files import in_order_of_rank

_ROWS_AT_ONCE: Final = 8_192
_GRADES: Final = ("A", "B", "C", "D")
_COLUMNS: Final = (
    "lead_id", "trigger_id", "as_of", "rank", "score", "probability", "probability_low", "probability_high", "grade",
    "temperature", "cell", "stage", "play", "action", "channel", "segments", "held", "fit", "engagement", "reasons",
    "scored_at", "model_version",
)  # fmt: skip


@dataclass(frozen=True)
class Filters:
    """Which leads are asked for.

    Attributes:
        limit: The best so many; 0 = all.
        segment: Only those of this segment; empty = all.
        only_grades: Only those of these grades; empty = all.
    """

    limit: int = 0
    segment: str = ""
    only_grades: tuple[str, ...] = ()

    @property
    def as_data(self) -> Mapping[str, Any]:
        """The same as plain data."""
        return {**asdict(self), "only_grades": list(self.only_grades)}

    @property
    def are_idle(self) -> bool:
        """Whether they leave every lead."""
        return self == Filters()


def check_filters(filters: Filters, labels: Mapping[str, Any]) -> None:
    """Refuse filters that no lead can pass.

    Args:
        filters: What is asked for.
        labels: What the run kept of its segments.

    Raises:
        LeadlightError: A grade or a segment that does not exist; all faults at once.
    """
    unknown = [grade for grade in filters.only_grades if grade not in _GRADES]
    faults = [f"--only-grade {grade}: grades are {', '.join(_GRADES)}" for grade in unknown]
    if filters.limit < 0:
        faults.append(f"--limit {filters.limit}: a number of leads from 1")
    segments = list(labels.get("segments", {}))
    is_unknown = bool(filters.segment) and filters.segment not in segments
    if is_unknown:
        faults.append(f"--segment {filters.segment}: {_no_such_segment(filters.segment, segments)}")
    if faults:
        hint = "decisions.segments in the config names segments; they count from the next scores on."
        raise wrong_input("These leads cannot be asked for:", faults, hint=hint if is_unknown else "")


def _no_such_segment(asked: str, known: list[str]) -> str:
    if not known:
        return "the scores have no segments"
    close = nearest(asked, known)
    meant = f" (did you mean '{close}'?)" if close else ""
    return f"there is no such segment{meant}; there are {', '.join(known)}"


def given_leads(part: Path, filters: Filters, *, is_in_order: bool) -> Iterator[pa.Table]:
    """Yield the leads of a stored run that are asked for, best rank first, those without a score last.

    Args:
        part: Its ``part.parquet``.
        filters: Which leads.
        is_in_order: Whether its rows lie in order of rank; a run of an older version is put in order in memory.
    """
    first = _first_of_each(part, is_in_order=is_in_order)
    left, passed = filters.limit or None, 0
    for rows in _blocks(part, _COLUMNS, is_in_order=is_in_order):
        each_once = rows.filter(pa.array(first[passed : passed + len(rows)]))
        passed += len(rows)
        chosen = each_once.filter(_asked_for(each_once, filters))
        if left is not None:
            chosen = chosen.slice(0, left)
            left -= len(chosen)
        if len(chosen):
            yield chosen
        if left == 0:
            return


def _first_of_each(part: Path, *, is_in_order: bool) -> Bools:
    """Return which rows are the best of their lead, shape ``(n_rows,)``; its leads are told apart by their hashes."""
    hashes = [lead_hash(rows["lead_id"]) for rows in _blocks(part, ("lead_id",), is_in_order=is_in_order)]
    is_first = np.zeros(sum(map(len, hashes)), bool)
    if hashes:
        is_first[np.unique(np.concatenate(hashes), return_index=True)[1]] = True
    return is_first


def _blocks(part: Path, columns: Sequence[str], *, is_in_order: bool) -> Iterator[pa.Table]:
    """Yield *columns* of the rows, best rank first; a run of before lacks some."""
    if not is_in_order:
        rows = pq.read_table(part, partitioning=None)
        yield _with_columns(rows.take(in_order_of_rank(rows)), columns)
        return
    with pq.ParquetFile(part, pre_buffer=False) as file:
        names = [name for name in columns if name in file.schema_arrow.names]
        for batch in file.iter_batches(batch_size=_ROWS_AT_ONCE, columns=names):
            yield _with_columns(pa.Table.from_batches([batch]), columns)


def _with_columns(rows: pa.Table, columns: Sequence[str]) -> pa.Table:
    whole = with_decision_columns(rows)
    return whole.select([name for name in columns if name in whole.column_names])


def _asked_for(rows: pa.Table, filters: Filters) -> pa.Array:
    wanted = pa.array(np.ones(len(rows), bool))
    if filters.only_grades:
        wanted = pc.is_in(rows["grade"].combine_chunks(), value_set=pa.array(filters.only_grades))
    if filters.segment:
        wanted = pc.and_(wanted, _has(rows["segments"].combine_chunks(), filters.segment))
    return wanted


def _has(lists: pa.ListArray, name: str) -> pa.Array:
    """Return which lists hold *name*."""
    at = pc.list_parent_indices(lists).to_numpy(zero_copy_only=False)
    found = np.zeros(len(lists), bool)
    found[at[pc.fill_null(pc.equal(lists.flatten(), name), False).to_numpy(zero_copy_only=False)]] = True
    return pa.array(found)
