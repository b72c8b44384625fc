"""The leads of a table read again: one row each and nothing behind it, so only the facts can have moved a score."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from features.errors import wrong_input
from features.lead_rows import LeadRows, attributes_of
from features.matrix import FeatureTable
from features.two_moments import TwoMoments
from pipeline.lead_table.kept import KeptLeads
from pipeline.settings import Settings
from pipeline.workspace import Workspace

if TYPE_CHECKING:
    from features.catalog import Feature
    from features.errors import LeadlightError
    from pipeline.replay import ReadAgain

_ROWS_PER_PART = 65_536


class ReplayedRows:
    """The leads of a table; see `pipeline.replay.Replay`."""

    def __init__(self, settings: Settings) -> None:
        self._kept = KeptLeads(*Workspace(settings.shop.workspace).lead_table())

    @property
    def parts(self) -> int:
        """As many as keep a part small; the table itself is read whole."""
        return max(1, math.ceil(len(self._rows) / _ROWS_PER_PART))

    def read(
        self,
        part: int,  # noqa: ARG002 - the rows are at hand
        keys: pa.Table,
        *,
        features: Sequence[Feature],
        newer: Sequence[Feature],
    ) -> ReadAgain:
        """Return the leads that *keys* name."""
        return self._read(self._rows, keys, features, newer)

    def read_lead(self, keys: pa.Table, *, features: Sequence[Feature], newer: Sequence[Feature]) -> ReadAgain | None:
        """Return one lead."""
        rows = self._kept.rows(of=keys["lead_id"][0].as_py())
        return self._read(rows, keys, features, newer) if len(rows) else None

    @cached_property
    def _rows(self) -> LeadRows:
        return self._kept.rows()

    def _read(self, rows: LeadRows, keys: pa.Table, features: Sequence[Feature], newer: Sequence[Feature]) -> ReadAgain:
        if gone := sorted({one.name for one in (*features, *newer) if not self._serves(one)}):
            raise _columns_gone(gone)
        at = pc.index_in(keys["lead_id"].cast(pa.string()), value_set=rows.lead_id)
        places = np.flatnonzero(np.asarray(pc.is_valid(at), dtype=np.bool_))
        found = rows.take(np.asarray(at.drop_null().to_numpy(), dtype=np.int64))
        informed, now = (_table(found, keys.take(pa.array(places)), wanted) for wanted in (features, newer))
        return TwoMoments(then=None, aged=None, acted=None, informed=informed, now=now), places

    def _serves(self, feature: Feature) -> bool:
        kind = self._kept.attributes.get(feature.measure.column if feature.measure else feature.name)
        return kind is not None and (kind == "number" or feature.kind == "category")


def _table(rows: LeadRows, keys: pa.Table, features: Sequence[Feature]) -> FeatureTable:
    named = pa.table({"lead_id": keys["lead_id"], "as_of": keys["new_as_of"], "trigger_id": keys["trigger_id"]})
    return FeatureTable(named, attributes_of(rows, features), tuple(features))


def _columns_gone(names: list[str]) -> LeadlightError:
    hint = "ingest a table that has them, or train a model without them."
    return wrong_input("The scores were made of attributes that the lead table no longer has:", names, hint=hint)
