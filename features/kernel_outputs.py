"""What the sweep writes down, block of snapshots by block, from what it recorded.

An output is a row of ``ops``: (operation, output row, edge, count, value, other, column or
divisor, other edge). *Count*, *value* and *other* are places in what was recorded. `CODE` writes
to the block of codes, the others to the block of numbers. A window that reaches before the
table's data is missing, not zero.
"""

# Numba infers types from the arrays it is given, and its arguments are what they are called.
# mypy: disable-error-code="no-untyped-def,no-untyped-call,untyped-decorator"
# ruff: noqa: ANN001, ANN202

from __future__ import annotations

import numpy as np

from features import moments
from features.compiled import inlined
from features.kernel_inputs import DATA_FROM, WINDOW

_is_window_covered = inlined(moments.is_window_covered)

AMOUNT, MEAN, TREND, DAYS_SINCE, MOMENT, MEAN_GAP, OVERDUE, NUMBER, CODE, DECAYED = range(10)
"""Operations; of an empty window all but an amount, faded or not, are missing."""

N_FIELDS = 8
OPERATION, OUT, EDGE, COUNT, VALUE, OTHER, COLUMN, OTHER_EDGE = range(N_FIELDS)
"""Columns of ``ops``."""

_DAY = float(moments.DAY)
_MILLISECOND = moments.MILLISECOND


@inlined
def write_block(begin, end, rows, as_ofs, program, recorded, numbers_out, codes_out) -> None:
    """Write every output of the snapshots ``[begin, end)``; see `features.kernel.sweep`."""
    if begin == end:
        return
    earliest = as_ofs[begin]
    for s in range(begin, end):
        earliest = min(earliest, as_ofs[s])
    for o in range(len(program.ops)):
        op = program.ops[o]
        window, data_from = program.edges[op[EDGE], WINDOW], program.edges[op[EDGE], DATA_FROM]
        other_window = program.edges[op[OTHER_EDGE], WINDOW]
        asked = as_ofs[begin:end]
        count, value, other = recorded[:, op[COUNT]], recorded[:, op[VALUE]], recorded[:, op[OTHER]]
        if op[OPERATION] == CODE:
            codes = codes_out[op[OUT], begin:end]
            _codes(codes, count, value, rows.codes[op[COLUMN]])
            if not _is_window_covered(earliest, window, data_from):
                _blank(codes, -1, asked, window, data_from)
            continue
        numbers = numbers_out[op[OUT], begin:end]
        if op[OPERATION] == AMOUNT:
            _amounts(numbers, value, op[COLUMN])
        elif op[OPERATION] == MEAN:
            _means(numbers, count, value, op[COLUMN])
        elif op[OPERATION] == TREND:
            _trends(numbers, count, other, window, other_window)
        elif op[OPERATION] == DAYS_SINCE:
            _days_since(numbers, count, value, rows.occurred, asked)
        elif op[OPERATION] == MOMENT:
            _moments(numbers, count, value, rows.occurred)
        elif op[OPERATION] == MEAN_GAP:
            _mean_gaps(numbers, count, value, other, rows.occurred)
        elif op[OPERATION] == OVERDUE:
            _overdue(numbers, count, value, other, rows.occurred, asked)
        elif op[OPERATION] == DECAYED:
            _decayed(numbers, count, value, asked, window)
        else:
            _numbers(numbers, count, value, rows.numbers[op[COLUMN]])
        if not _is_window_covered(earliest, window, data_from):
            _blank(numbers, np.nan, asked, window, data_from)
        if not _is_window_covered(earliest, other_window, data_from):
            _blank(numbers, np.nan, asked, other_window, data_from)


@inlined
def _blank(out, missing, as_ofs, window, data_from):
    for s in range(len(out)):
        if not _is_window_covered(as_ofs[s], window, data_from):
            out[s] = missing


@inlined
def _amounts(out, value, divisor):
    """Counts and sums, in the user's unit."""
    if divisor == 1:
        for s in range(len(out)):
            out[s] = float(value[s])
    else:
        for s in range(len(out)):
            out[s] = value[s] / float(divisor)


@inlined
def _means(out, count, value, divisor):
    for s in range(len(out)):
        out[s] = value[s] / (count[s] * float(divisor)) if count[s] > 0 else np.nan


@inlined
def _trends(out, short, long, short_window, long_window):
    """Rows a day in the short window over rows a day in the long one."""
    for s in range(len(out)):
        rate = long[s] * float(short_window)
        out[s] = (short[s] * float(long_window)) / rate if long[s] > 0 else np.nan


@inlined
def _days_since(out, count, row, occurred, as_ofs):
    for s in range(len(out)):
        out[s] = (as_ofs[s] - occurred[row[s]]) / _DAY if count[s] > 0 else np.nan


@inlined
def _moments(out, count, row, occurred):
    for s in range(len(out)):
        out[s] = float(occurred[row[s]]) if count[s] > 0 else np.nan


@inlined
def _mean_gaps(out, count, first, last, occurred):
    """Mean days between rows; a gap needs two."""
    for s in range(len(out)):
        n = count[s]
        out[s] = (occurred[last[s]] - occurred[first[s]]) / (float(n - 1) * _DAY) if n > 1 else np.nan


@inlined
def _overdue(out, count, first, last, occurred, as_ofs):
    """Days since the last row over the mean gap, which must not be zero."""
    for s in range(len(out)):
        out[s] = np.nan
        if count[s] > 1:
            since, span = as_ofs[s] - occurred[last[s]], occurred[last[s]] - occurred[first[s]]
            if span > 0:
                out[s] = (since * float(count[s] - 1)) / float(span)


@inlined
def _decayed(out, count, occurred, as_ofs, window):
    """Rows less their age over the window: n - (n as_of - sum of occurred) / window, in whole milliseconds."""
    length = window // _MILLISECOND
    for s in range(len(out)):
        out[s] = float(count[s] * (length - as_ofs[s] // _MILLISECOND) + occurred[s]) / float(length)


@inlined
def _numbers(out, count, row, numbers):
    for s in range(len(out)):
        out[s] = numbers[row[s]] if count[s] > 0 else np.nan


@inlined
def _codes(out, count, row, codes):
    for s in range(len(out)):
        out[s] = codes[row[s]] if count[s] > 0 else -1
