"""What the sweep reads, as plain arrays, and what it holds of one lead while it walks."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np


class Rows(NamedTuple):
    """The timeline rows of one table and bucket; rows of a lead ascend by occurred.

    Attributes:
        occurred: Microseconds, int64 ``(n_rows,)``.
        known: Microseconds, int64 ``(n_rows,)``.
        superseded: Microseconds, int64 ``(n_rows,)``; `moments.NEVER` where current.
        signals: The signals that a row belongs to, bit by bit, int64 ``(n_rows,)``.
        sums: Summed columns in stored integer units, int64 ``(n_sums, n_rows)``.
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
    """What a walk carries along, records at each snapshot and writes; each row of an array is one.

    Attributes:
        summed: Running totals beside the running count of each signal: (signal, column of sums).
        listed: Signals whose rows are kept in a list of their own: (signal,).
        edges: Left edges: (window in microseconds, first moment of the data, place in ``since`` or -1).
        counted: Distinct values to count: (signal, column of codes, begin of its levels).
        firsts: First rows to record: (edge, list).
        ops: What is written: see `features.kernel_outputs`.
    """

    summed: np.ndarray
    listed: np.ndarray
    edges: np.ndarray
    counted: np.ndarray
    firsts: np.ndarray
    ops: np.ndarray


class Walk(NamedTuple):
    """What is held of the lead that is walked.

    Attributes:
        seen: The rows that can be seen, ascending, int64 ``(most,)``.
        totals: Running totals before each place of `seen`, int64 ``(most + 1, n_totals)``.
        lists: Rows of the listed signals, int64 ``(n_listed, most + 1)``.
        queues: Rows that wait to be known, rows that will be replaced, rows just known, int64 ``(3, most)``.
        at: Counters, see `AHEAD`, int64 ``(4,)``.
        starts: When the windows begin, microseconds, int64 ``(n_edges,)``.
        lows: Their left edges as places in `seen`, int64 ``(n_edges,)``.
        places: The same, moved on to what is still open, int64 ``(n_edges,)``.
        latest: Latest row of each level of what is counted, int64 ``(n_levels,)``.
        distinct: Levels within each window, int64 ``(n_edges, n_counted)``.
        recorded: What was recorded at each snapshot of a block, int64 ``(block, n_recorded)``: by
            edge all totals (counts by signal, then sums) and distinct values, then first and last rows.
    """

    seen: np.ndarray
    totals: np.ndarray
    lists: np.ndarray
    queues: np.ndarray
    at: np.ndarray
    starts: np.ndarray
    lows: np.ndarray
    places: np.ndarray
    latest: np.ndarray
    distinct: np.ndarray
    recorded: np.ndarray


AHEAD, N_SEEN, WAITING, LEAVING, CHANGED, EARLIEST = range(6)
"""Counters of a walk: next row to happen, rows in the list, rows waiting, rows that will leave."""

WINDOW, DATA_FROM, SINCE = range(3)
"""Columns of an edge."""

MOST_SIGNALS = 62
"""Signals of one walk: as many as an int64 has bits to spare."""


_BLOCK_BYTES = 1 << 14  # recorded numbers are read again while they lie in the nearest cache


def new_walk(asked: Asked, program: Program, *, n_signals: int, n_levels: int) -> Walk:
    """Return the scratch arrays of a walk; its longest lead sets their size."""
    most = int((asked.row_end - asked.row_begin).max(initial=0))
    n_edges, n_counted, n_listed = len(program.edges), len(program.counted), len(program.listed)
    n_totals = n_signals + len(program.summed)
    n_recorded = n_edges * (n_totals + n_counted) + len(program.firsts) + n_listed
    block = max(16, _BLOCK_BYTES // (8 * n_recorded))
    return Walk(
        seen=np.empty(most, dtype=np.int64),
        totals=np.zeros((most + 1, n_totals), dtype=np.int64),
        lists=np.zeros((n_listed, most + 1), dtype=np.int64),
        queues=np.empty((3, most), dtype=np.int64),
        at=np.zeros(6, dtype=np.int64),
        starts=np.zeros(n_edges, dtype=np.int64),
        lows=np.zeros(n_edges, dtype=np.int64),
        places=np.zeros(n_edges, dtype=np.int64),
        latest=np.full(n_levels, -1, dtype=np.int64),
        distinct=np.zeros((n_edges, n_counted), dtype=np.int64),
        recorded=np.zeros((block, n_recorded), dtype=np.int64),
    )
