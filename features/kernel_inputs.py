"""What the sweep reads, as plain arrays, and how it lays out what it holds of one lead."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from features.moments import NEVER


class Rows(NamedTuple):
    """The timeline rows of one table and bucket; rows of a lead ascend by occurred.

    Attributes:
        occurred: Microseconds, int64 ``(n_rows,)``.
        known: Microseconds, int64 ``(n_rows,)``.
        superseded: Microseconds, int64 ``(n_rows,)``; `NEVER` where current.
        is_signal: Whether a row belongs to the signal, bool ``(n_rows,)``.
        sums: Summed columns in stored integer units, int64 ``(n_sums, n_rows)``.
        counted: Columns whose distinct values are counted, as codes >= 0, -1 = missing, int32
            ``(n_counted, n_rows)``.
        n_levels: Levels per counted column, int64 ``(n_counted,)``.
        codes: Categories read by first and last, as codes, int32 ``(n_codes, n_rows)``.
        numbers: Numbers read by first and last, float64 ``(n_numbers, n_rows)``.
    """

    occurred: np.ndarray
    known: np.ndarray
    superseded: np.ndarray
    is_signal: np.ndarray
    sums: np.ndarray
    counted: np.ndarray
    n_levels: np.ndarray
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
        since: For open_*: only rows after this count, microseconds, int64 ``(n_snapshots,)``.
    """

    row_begin: np.ndarray
    row_end: np.ndarray
    snap_begin: np.ndarray
    snap_end: np.ndarray
    as_of: np.ndarray
    since: np.ndarray


OCCURRED, KNOWN, SUPERSEDED, ROW = 0, 1, 2, 3
N_FACTS = 4
"""Columns of a gathered row; its sums and then its counted codes follow."""

GONE = NEVER
"""In place of the moment of a row that is about to be taken out of the list."""

AHEAD, N_SEEN, WAITING, LEAVING = 0, 1, 2, 3
"""Counters of a walk: next row to happen, rows in the list, rows waiting, rows that will leave."""
