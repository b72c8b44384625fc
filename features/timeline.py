"""Lead-sorted columnar timelines: what the sweep reads.

A *timeline row* is one version of one fact under one owner. It can be seen at ``as_of``
exactly when ``known_at < as_of <= superseded_at``; an order cancelled later is therefore two
rows, the sale until its cancellation was known and the cancelled order from then on.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from features.moments import NEVER

Int64Array: TypeAlias = npt.NDArray[np.int64]

LINK_MADE_KNOWN = 1
"""Bit 0 of ``link_bits``: an identity link made the row known (``known_at`` is 1 us early)."""
LINK_TOOK_AWAY = 2
"""Bit 1 of ``link_bits``: a better link took the row away (``superseded_at`` is 1 us early)."""


@dataclass(frozen=True)
class Coverage:
    """The span of time in which a table's rows were collected.

    Attributes:
        data_from: First moment covered, microseconds since the epoch (UTC).
        data_until: Last moment covered, microseconds since the epoch (UTC).
    """

    data_from: int
    data_until: int


@dataclass(frozen=True)
class Timelines:
    """The timelines of some leads: one bucket, or a whole small shop.

    Attributes:
        leads: One row per lead, ascending ``lead_no``: ``lead_no`` (int64, contiguous),
            ``lead_id`` (string), ``exists_from`` (timestamp).
        tables: Timeline rows per table, sorted by (lead_no, occurred_at, known_at, row_id).
        coverage: Span of collected data per table.
    """

    leads: pa.Table
    tables: Mapping[str, pa.Table]
    coverage: Mapping[str, Coverage]

    @property
    def first_lead_no(self) -> int:
        """The smallest lead number; numbers are contiguous from here."""
        return int(self.leads["lead_no"][0].as_py()) if len(self.leads) else 0


def microseconds(column: pa.ChunkedArray | pa.Array, *, missing: int = NEVER) -> Int64Array:
    """Return a timestamp column as int64 microseconds since the epoch, nulls as *missing*."""
    numbers = column.cast(pa.timestamp("us", tz="UTC")).cast(pa.int64())
    if numbers.null_count:
        numbers = numbers.fill_null(missing)
    return np.ascontiguousarray(numbers.to_numpy())


def timestamps(values: Int64Array) -> pa.Array:
    """Return int64 microseconds as a UTC timestamp column; `NEVER` becomes null."""
    mask = values == NEVER
    numbers = pa.array(values, mask=mask if mask.any() else None)
    return numbers.cast(pa.timestamp("us", tz="UTC"))
