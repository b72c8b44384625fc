"""What the sweep reads, as plain arrays, and what it holds of one lead while it walks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np


class Rows(NamedTuple):
    """The timeline rows of one table and bucket; rows of a lead ascend by occurred.

    Attributes:
        occurred: Microseconds, int64 ``(n_rows,)``.
        known: Microseconds, int64 ``(n_rows,)``.
        superseded: Microseconds, int64 ``(n_rows,)``; `moments.NEVER` where current.
        signals: The signals that a row belongs to, bit by bit, int64 ``(n_rows,)``.
        sums: Summed columns in stored integer units, `OCCURRED` in ms, int64 ``(n_sums, n_rows)``.
        codes: Categories as codes >= 0, -1 = missing, int32 ``(n_codes, n_rows)``.
        numbers: Numbers read by first and last, float64 ``(n_numbers, n_rows)``.
    """

    occurred: np.ndarray
    known: np.ndarray
    superseded: np.ndarray
    signals: np.ndarray
    sums: np.ndarray
    codes: np.ndarray
    numbers: np.ndarray


class Asked(NamedTuple):
    """The snapshots, sorted by (lead, as_of), and where each lead's rows and snapshots lie.

    Attributes:
        row_begin: First row per lead, int64 ``(n_leads,)``.
        row_end: End of its rows, exclusive.
        snap_begin: First snapshot per lead, int64 ``(n_leads,)``.
        snap_end: End of its snapshots, exclusive.
        as_of: Microseconds, int64 ``(n_snapshots,)``.
        since: Moments after which a row is still open, microseconds, int64 ``(n_since, n_snapshots)``.
    """

    row_begin: np.ndarray
    row_end: np.ndarray
    snap_begin: np.ndarray
    snap_end: np.ndarray
    as_of: np.ndarray
    since: np.ndarray


class Program(NamedTuple):
    """What a walk carries along, records at each snapshot and writes; each row of an array is one, in int64.

    Example: see `features.program`.

    Attributes:
        summed: Running sums beside the running count of each signal: `OF_SIGNAL`, `OF_COLUMN` of ``Rows.sums``.
        listed: Signals whose rows are kept in a list of their own, as first and last rows ask for: `OF_SIGNAL`.
        edges: Left edges: `WINDOW` and `DATA_FROM` in microseconds, `SINCE` (row of ``Asked.since``, -1 = none).
        counted: Distinct values to count: `OF_SIGNAL`, `OF_COLUMN` of ``Rows.codes``, `FIRST_LEVEL` in ``Walk.latest``.
        firsts: First rows to record: `OF_EDGE`, `OF_LIST`.
        decayed: Rows to count by their age: `OF_EDGE`, `OF_LIST`, `HALF_LIFE` in microseconds.
        ops: What is written: see `features.kernel_outputs`.
    """

    summed: np.ndarray
    listed: np.ndarray
    edges: np.ndarray
    counted: np.ndarray
    firsts: np.ndarray
    decayed: np.ndarray
    ops: np.ndarray


OF_SIGNAL, OF_COLUMN, FIRST_LEVEL = range(3)
"""Columns of ``summed``, ``listed`` and ``counted``."""

WINDOW, DATA_FROM, SINCE = range(3)
"""Columns of ``edges``."""

OF_EDGE, OF_LIST, HALF_LIFE = range(3)
"""Columns of ``firsts`` and ``decayed``."""

OCCURRED = "occurred_at"
"""The column of times, which is summed in whole milliseconds: microseconds would leave a lead too few rows."""
WHOLE_WEIGHT = 1 << 40
"""What a row that is no age at all weighs: weights are whole numbers, so that no sum depends on its order."""

MOST_SIGNALS = 62
"""Signals of one walk: as many as an int64 has bits to spare."""


class Walk(NamedTuple):
    """What is held of the lead that is walked; rows are numbered as in `Rows`, all arrays are int64.

    Attributes:
        state: Single numbers, see `NEXT_ROW`, ``(6,)``.
        seen: The rows that can be seen, ascending, ``(most,)``.
        totals: Running totals before each place of `seen`: counts by signal, then sums, ``(most + 1, n_totals)``.
        listed_rows: Rows of each listed signal, ascending, ``(n_listed, most + 1)``.
        waiting: Rows that have occurred and are not known yet, ascending, ``(most,)``.
        leaving: Rows of `seen` that will be replaced, ``(most,)``.
        arriving: Rows that were waiting and are known now, ascending, ``(most,)``.
        starts: When the windows begin, microseconds, ``(n_edges,)``.
        lefts: Their left edges as places in `seen`, ``(n_edges,)``.
        open_lefts: The same, moved on to what is still open, ``(n_edges,)``.
        latest: Latest row of each level of what is counted, -1 = none, ``(n_levels,)``.
        distinct: Levels within each window, ``(n_edges, n_counted)``.
        recorded: What was recorded at each snapshot of a block, ``(block, n_recorded)``: see `RecordLayout`.
    """

    state: np.ndarray
    seen: np.ndarray
    totals: np.ndarray
    listed_rows: np.ndarray
    waiting: np.ndarray
    leaving: np.ndarray
    arriving: np.ndarray
    starts: np.ndarray
    lefts: np.ndarray
    open_lefts: np.ndarray
    latest: np.ndarray
    distinct: np.ndarray
    recorded: np.ndarray


NEXT_ROW, N_SEEN, N_WAITING, N_LEAVING, HAS_CHANGED, EARLIEST_START = range(6)
"""Places in ``Walk.state``: the next row to happen; how many rows are in `seen`, `waiting` and `leaving`; whether
anything differs from the snapshot before; when the longest window begins (microseconds)."""


@dataclass(frozen=True)
class RecordLayout:
    """Where the numbers recorded at one snapshot lie: by edge all totals and distinct counts, then the rest.

    Attributes:
        n_edges: Left edges.
        n_totals: Running totals: a count per signal, then the sums.
        n_counted: Distinct values counted.
        n_firsts: First rows recorded.
        n_listed: Listed signals; the last row of each is recorded.
        n_decayed: Sums of weights by age.
    """

    n_edges: int
    n_totals: int
    n_counted: int
    n_firsts: int
    n_listed: int
    n_decayed: int = 0

    def total(self, edge: int, total: int) -> int:
        """Return the place of a total since an edge."""
        return edge * (self.n_totals + self.n_counted) + total

    def distinct(self, edge: int, counted: int) -> int:
        """Return the place of how many distinct values there are since an edge."""
        return self.total(edge, self.n_totals + counted)

    def first(self, first: int) -> int:
        """Return the place of a first row."""
        return self.total(self.n_edges, first)

    def last(self, listed: int) -> int:
        """Return the place of a listed signal's last row."""
        return self.first(self.n_firsts + listed)

    def decayed(self, decayed: int) -> int:
        """Return the place of a sum of weights by age."""
        return self.last(self.n_listed + decayed)

    @property
    def n_recorded(self) -> int:
        """How many numbers are recorded at one snapshot."""
        return self.decayed(self.n_decayed)


_BLOCK_BYTES = 1 << 14  # recorded numbers are read again while they lie in the nearest cache


def new_walk(asked: Asked, program: Program, *, n_signals: int, n_levels: int) -> Walk:
    """Return the scratch arrays of a walk; its longest lead sets their size."""
    most = int((asked.row_end - asked.row_begin).max(initial=0))
    n_edges, n_counted, n_listed = len(program.edges), len(program.counted), len(program.listed)
    n_totals = n_signals + len(program.summed)
    layout = RecordLayout(n_edges, n_totals, n_counted, len(program.firsts), n_listed, len(program.decayed))
    n_recorded = layout.n_recorded
    block = max(16, _BLOCK_BYTES // (8 * n_recorded))
    return Walk(
        state=np.zeros(6, dtype=np.int64),
        seen=np.empty(most, dtype=np.int64),
        totals=np.zeros((most + 1, n_totals), dtype=np.int64),
        listed_rows=np.zeros((n_listed, most + 1), dtype=np.int64),
        waiting=np.empty(most, dtype=np.int64),
        leaving=np.empty(most, dtype=np.int64),
        arriving=np.empty(most, dtype=np.int64),
        starts=np.zeros(n_edges, dtype=np.int64),
        lefts=np.zeros(n_edges, dtype=np.int64),
        open_lefts=np.zeros(n_edges, dtype=np.int64),
        latest=np.full(n_levels, -1, dtype=np.int64),
        distinct=np.zeros((n_edges, n_counted), dtype=np.int64),
        recorded=np.zeros((block, n_recorded), dtype=np.int64),
    )
