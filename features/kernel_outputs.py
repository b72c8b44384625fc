"""What the sweep writes down, block of snapshots by block, from the recorded windows.

An output is a row of ``ops``: (operation, window, column, output row, divisor, other window).
Operations from `FIRST_CODE` on write to the block of codes, the others to the block of numbers.
A window that reaches before the table's data is missing, not zero.
"""

# Numba infers types from the arrays it is given, and its arguments are what they are called.
# mypy: disable-error-code="no-untyped-def,no-untyped-call,untyped-decorator"
# ruff: noqa: ANN001, ANN202

from __future__ import annotations

import numpy as np

from features import moments
from features.compiled import inlined

_is_window_covered = inlined(moments.is_window_covered)

# The order matters: what is defined without rows first, then what needs one.
COUNT, SUM, DISTINCT, TREND, OPEN_COUNT, OPEN_SUM, OPEN_AGE = range(7)
FIRST_VALUE, LAST_VALUE, MEAN, DAYS_SINCE_FIRST, DAYS_SINCE_LAST, LAST_MOMENT, MEAN_GAP, OVERDUE = range(7, 15)
FIRST_CODE, LAST_CODE = 100, 101

BLOCK = 1024
"""Snapshots recorded before they are written: few enough to stay in the second cache."""

RAW_COUNT, RAW_FIRST, RAW_LAST, RAW_FIRST_ROW, RAW_LAST_ROW, RAW_OPEN_COUNT, RAW_OPEN_FIRST = range(7)
N_RAW = 7
"""Columns of a recorded window; its sums, distinct counts and open sums follow. Without rows the
moments and rows of first and last are stale and must not be read."""

_DAY = float(moments.DAY)


@inlined
def write_block(
    begin, end, raw, as_ofs, windows, data_from, ops, n_sums, codes, numbers, numbers_out, codes_out
) -> None:
    """Write every output of the snapshots ``[begin, end)``; see `features.kernel.sweep`."""
    n_counted = raw.shape[2] - N_RAW - 2 * n_sums
    for o in range(len(ops)):
        op, w, column, out = ops[o, 0], ops[o, 1], ops[o, 2], ops[o, 3]
        for s in range(begin, end):
            as_of = as_ofs[s]
            covered = _is_window_covered(as_of, windows[w], data_from)
            if op >= FIRST_CODE:
                row = raw[s - begin, w, RAW_FIRST_ROW if op == FIRST_CODE else RAW_LAST_ROW]
                is_known = covered and raw[s - begin, w, RAW_COUNT] > 0
                codes_out[out, s] = codes[column, row] if is_known else -1
            elif not covered:
                numbers_out[out, s] = np.nan
            elif op == TREND:
                numbers_out[out, s] = _trend(raw[s - begin], w, ops[o, 5], windows, as_of, data_from)
            elif op < FIRST_VALUE:
                numbers_out[out, s] = _amount(op, raw[s - begin, w], column, n_sums, n_counted, ops[o, 4], as_of)
            elif raw[s - begin, w, RAW_COUNT] == 0:
                numbers_out[out, s] = np.nan
            elif op <= LAST_VALUE:
                row = raw[s - begin, w, RAW_FIRST_ROW if op == FIRST_VALUE else RAW_LAST_ROW]
                numbers_out[out, s] = numbers[column, row]
            else:
                numbers_out[out, s] = _of_rows(op, raw[s - begin, w], column, ops[o, 4], as_of)


@inlined
def _amount(op, window, column, n_sums, n_counted, divisor, as_of):
    """Measure what is zero without rows; the age of nothing open is missing."""
    if op == COUNT:
        return float(window[RAW_COUNT])
    if op == SUM:
        return window[N_RAW + column] / float(divisor)
    if op == DISTINCT:
        return float(window[N_RAW + n_sums + column])
    if op == OPEN_COUNT:
        return float(window[RAW_OPEN_COUNT])
    if op == OPEN_SUM:
        return window[N_RAW + n_sums + n_counted + column] / float(divisor)
    return (as_of - window[RAW_OPEN_FIRST]) / _DAY if window[RAW_OPEN_COUNT] > 0 else np.nan


@inlined
def _of_rows(op, window, column, divisor, as_of):
    """Measure what needs rows; gaps need two."""
    n, first, last = window[RAW_COUNT], window[RAW_FIRST], window[RAW_LAST]
    if op == MEAN:
        return window[N_RAW + column] / (n * float(divisor))
    if op == DAYS_SINCE_FIRST:
        return (as_of - first) / _DAY
    if op == DAYS_SINCE_LAST:
        return (as_of - last) / _DAY
    if op == LAST_MOMENT:
        return float(last)
    if op == MEAN_GAP:
        return (last - first) / (float(n - 1) * _DAY) if n > 1 else np.nan
    # OVERDUE: days since the last row over the mean gap, which must not be zero.
    return ((as_of - last) * float(n - 1)) / float(last - first) if last > first else np.nan


@inlined
def _trend(windows_now, short, long, windows, as_of, data_from):
    """Rows a day in the short window over rows a day in the long one."""
    n_short, n_long = windows_now[short, RAW_COUNT], windows_now[long, RAW_COUNT]
    if n_long == 0 or not _is_window_covered(as_of, windows[long], data_from):
        return np.nan
    return (n_short * float(windows[long])) / (n_long * float(windows[short]))
