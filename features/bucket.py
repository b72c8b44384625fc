"""One table of a bucket as the arrays that the kernel reads; each column is converted once."""

from __future__ import annotations

from functools import cached_property

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from features import columns, conditions, moments
from features.timeline import Int64Array, microseconds
from features.units import scale_of


class BucketTable:
    """A timeline table with its columns as plain arrays, converted on first use and kept.

    Args:
        table: Timeline rows, sorted by (lead_no, occurred_at, ...).
        asked: Lead numbers of the snapshots, ascending, shape ``(n_snapshots,)``.
    """

    def __init__(self, table: pa.Table, asked: Int64Array) -> None:
        self._table = table
        self._asked = asked
        self._integers: dict[str, Int64Array] = {}
        self._encoded: dict[str, pa.DictionaryArray] = {}

    def __len__(self) -> int:
        """Return the number of rows."""
        return int(self._table.num_rows)

    @cached_property
    def times(self) -> tuple[Int64Array, Int64Array, Int64Array]:
        """Occurred, known and superseded in microseconds, each of shape ``(n_rows,)``."""
        occurred, known, superseded = (
            columns.frozen(microseconds(self._table[name])) for name in ("occurred_at", "known_at", "superseded_at")
        )
        return occurred, known, superseded

    @cached_property
    def spans(self) -> tuple[Int64Array, Int64Array, Int64Array, Int64Array]:
        """Begin and end of rows, begin and end of snapshots, each ``(n_leads_asked,)``."""
        row_leads = np.asarray(self._table["lead_no"].to_numpy(), dtype=np.int64)
        starts = np.flatnonzero(np.diff(self._asked, prepend=self._asked[:1] - 1))
        leads = self._asked[starts]
        begins, ends = np.searchsorted(row_leads, leads), np.searchsorted(row_leads, leads, side="right")
        stops = np.append(starts[1:], len(self._asked))[: len(starts)]
        row_begin, row_end, snap_begin, snap_end = (
            columns.frozen(span.astype(np.int64)) for span in (begins, ends, starts, stops)
        )
        return row_begin, row_end, snap_begin, snap_end

    @cached_property
    def milliseconds(self) -> Int64Array:
        """Occurred in whole milliseconds, rounded down, shape ``(n_rows,)``."""
        return columns.frozen(self.times[0] // moments.MILLISECOND)

    def mask(self, where: conditions.Conditions) -> npt.NDArray[np.bool_]:
        """Return which rows meet *where*, amounts in the shop's currency."""
        scales = {name: scale_of(name) for name in self._table.column_names}
        return conditions.mask(where, self._table, scales=scales)

    def integers(self, column: str) -> Int64Array:
        """Return a column in stored integer units, 0 where missing."""
        if column not in self._integers:
            self._integers[column] = columns.stored_integers(column, self._table[column])
        return self._integers[column]

    def floats(self, column: str) -> npt.NDArray[np.float64]:
        """Return a column in the user's units, NaN where missing."""
        return columns.floats(column, self._table[column])

    def codes(self, column: str) -> npt.NDArray[np.int32]:
        """Return a text column as codes into `levels`, -1 where missing."""
        return columns.codes(self._dictionary(column))

    def levels(self, column: str) -> pa.Array:
        """Return the distinct values of a text column."""
        return self._dictionary(column).dictionary

    def divisor(self, column: str) -> int:
        """Return by how much a sum of `integers` is divided to give the user's unit."""
        return columns.divisor(column, self._table[column])

    def _dictionary(self, column: str) -> pa.DictionaryArray:
        if column not in self._encoded:
            self._encoded[column] = columns.encoded(self._table[column])
        return self._encoded[column]
