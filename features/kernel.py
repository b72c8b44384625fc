"""The one sweep that computes every windowed feature of a table.

For each lead the sweep walks its rows and its snapshots together, once for all signals:

    signal     the rows that meet some conditions; a row carries its signals as bits
    seen       the lead's rows that can be seen, one list in the order in which they occurred
    totals     running totals beside that list: a count per signal, a sum per signal and column
    left edge  where a window begins, as a place in the list
    recorded   what is read off the edges at one snapshot; `features.kernel_outputs` makes features of it

At each snapshot new rows are appended and the edges move on. The count of a window is the running total at the list's
end less the one at the window's edge; its first and last rows stand at its ends. A row known later than it occurred
waits aside and is put in its place once known; a row that is replaced is taken out when that becomes known. What comes
late or goes is put right in one pass per snapshot.

Cost: O(rows x signals + rows x windows + snapshots x outputs); no join, no row x snapshot expansion. All arithmetic is
on int64 (money in 1/10,000, durations in ms, time in us) and is divided once, in float64, at the end: order, batch and
engine change no bit.
"""

# Numba infers types from the arrays it is given, and its arguments are what they are called.
# mypy: disable-error-code="no-untyped-def,no-untyped-call,untyped-decorator"
# ruff: noqa: ANN001, ANN202

from __future__ import annotations

import numpy as np

from features import compiled, kernel_distinct, kernel_inputs, kernel_outputs, kernel_windows, moments
from features.compiled import inlined
from features.kernel_distinct import enter, leave, leave_window
from features.kernel_inputs import (
    EARLIEST_START,
    HAS_CHANGED,
    N_LEAVING,
    N_SEEN,
    N_WAITING,
    NEXT_ROW,
    OF_COLUMN,
    OF_SIGNAL,
    WINDOW,
    Asked,
    Program,
    Rows,
    new_walk,
)
from features.kernel_outputs import write_block
from features.kernel_windows import record, repeat
from features.moments import NEVER

_is_visible = inlined(moments.is_visible)
_is_past = inlined(moments.is_past)
_window_start = inlined(moments.window_start)
_is_before_window = inlined(moments.is_before_window)


def sweep(
    rows: Rows,
    asked: Asked,
    program: Program,
    *,
    n_signals: int,
    n_levels: int,
    numbers_out: np.ndarray,
    codes_out: np.ndarray,
) -> None:
    """Compute one table's features for all leads of a bucket, writing into the output blocks.

    Args:
        rows: The table's `Rows`.
        asked: The snapshots, `Asked`.
        program: What to compute, `Program`.
        n_signals: Signals in ``rows.signals``, at most `kernel_inputs.MOST_SIGNALS`.
        n_levels: Levels of all that is counted.
        numbers_out: float64 ``(n_outputs, n_snapshots)``, written in place.
        codes_out: int32 ``(n_outputs, n_snapshots)``, written in place; -1 = missing.
    """
    walk = new_walk(asked, program, n_signals=n_signals, n_levels=n_levels)
    compiled.run(_sweep, rows, asked, program, walk, numbers_out, codes_out)


@compiled.kernel(compiled, moments, kernel_inputs, kernel_distinct, kernel_windows, kernel_outputs)
def _sweep(rows, asked, program, walk, numbers_out, codes_out):
    as_ofs = asked.as_of
    block = len(walk.recorded)
    begin = 0
    for lead in range(len(asked.row_begin)):
        walk.state[:] = 0
        walk.lefts[:] = 0
        walk.distinct[:] = 0
        walk.state[NEXT_ROW] = asked.row_begin[lead]
        for s in range(asked.snap_begin[lead], asked.snap_end[lead]):
            walk.state[HAS_CHANGED] = s == asked.snap_begin[lead]
            if walk.state[N_LEAVING] > 0:
                _take_out_superseded(rows, program, walk, as_ofs[s])
            if walk.state[N_WAITING] > 0:
                _put_in_waiting(rows, program, walk, as_ofs[s])
            _move_left_edges(rows, program, walk, as_ofs[s])
            _append_new(rows, program, walk, asked.row_end[lead], as_ofs[s])
            if walk.state[HAS_CHANGED] or s == begin or len(asked.since) > 0 or len(program.decayed) > 0:
                record(walk.recorded[s - begin], rows, program, walk, asked.since, s, as_ofs[s])
            else:
                repeat(walk.recorded[s - begin], walk.recorded[s - begin - 1])
            if s + 1 - begin == block:
                write_block(begin, s + 1, rows, as_ofs, program, walk.recorded, numbers_out, codes_out)
                begin = s + 1
    write_block(begin, len(as_ofs), rows, as_ofs, program, walk.recorded, numbers_out, codes_out)


@inlined
def _move_left_edges(rows, program, walk, as_of):
    """Let rows fall out of the windows."""
    n = walk.state[N_SEEN]
    walk.state[EARLIEST_START] = as_of
    for e in range(len(program.edges)):
        start = _window_start(as_of, program.edges[e, WINDOW])
        walk.state[EARLIEST_START] = min(walk.state[EARLIEST_START], start)
        p = walk.lefts[e]
        while p < n and _is_before_window(rows.occurred[walk.seen[p]], start):
            leave_window(rows, program, walk, walk.seen[p], e)
            p += 1
        walk.state[HAS_CHANGED] |= p != walk.lefts[e]
        walk.lefts[e] = p
        walk.starts[e] = start


@inlined
def _append_new(rows, program, walk, row_end, as_of):
    """Pass the rows that have happened by now: known ones are appended, others wait."""
    row = walk.state[NEXT_ROW]
    n = walk.state[N_SEEN]
    while row < row_end and _is_past(rows.occurred[row], as_of):
        # What no window reaches back to now, none will reach later.
        if rows.signals[row] != 0 and not _is_before_window(rows.occurred[row], walk.state[EARLIEST_START]):
            if not _is_past(rows.known[row], as_of):
                walk.waiting[walk.state[N_WAITING]] = row
                walk.state[N_WAITING] += 1
            elif _is_visible(rows.known[row], rows.superseded[row], as_of):
                _set_seen(rows, program, walk, n, row)
                n += 1
                walk.state[HAS_CHANGED] = 1
                for e in range(len(program.edges)):
                    if _is_before_window(rows.occurred[row], walk.starts[e]):
                        walk.lefts[e] = n  # the window begins after its newest row
                enter(rows, program, walk, row, n - 1)
                _watch(rows, walk, row)
        row += 1
    walk.state[NEXT_ROW] = row
    walk.state[N_SEEN] = n


@inlined
def _take_out_superseded(rows, program, walk, as_of):
    """Take out the rows that something known by now has replaced, all in one pass."""
    n = lowest = walk.state[N_SEEN]
    kept = 0
    for place in range(walk.state[N_LEAVING]):
        row = walk.leaving[place]
        if _is_visible(rows.known[row], rows.superseded[row], as_of):
            walk.leaving[kept] = row
            kept += 1
        else:
            p = _place_of(walk.seen, n, row)
            walk.seen[p] = ~row  # negative: it is about to go
            walk.state[HAS_CHANGED] = 1
            lowest = min(lowest, p)
    walk.state[N_LEAVING] = kept
    # From the right: so an edge that has moved is never compared with a place still to come.
    for p in range(n - 1, lowest - 1, -1):
        if walk.seen[p] < 0:
            leave(rows, program, walk, ~walk.seen[p], p)
            _shift_edges(walk, p, -1)
    left = lowest
    for p in range(lowest, n):
        if walk.seen[p] >= 0:
            _set_seen(rows, program, walk, left, walk.seen[p])
            left += 1
    walk.state[N_SEEN] = left


@inlined
def _put_in_waiting(rows, program, walk, as_of):
    """Put the rows that have become known in their places, all in one pass."""
    kept = fresh = 0
    for place in range(walk.state[N_WAITING]):
        row = walk.waiting[place]
        if not _is_past(rows.known[row], as_of):
            walk.waiting[kept] = row
            kept += 1
        elif _is_visible(rows.known[row], rows.superseded[row], as_of):
            walk.arriving[fresh] = row
            walk.state[HAS_CHANGED] = 1
            fresh += 1
    walk.state[N_WAITING] = kept
    p = walk.state[N_SEEN] - 1
    walk.state[N_SEEN] += fresh
    # From the right, as both lists ascend: what stands behind a row moves just once.
    for f in range(fresh - 1, -1, -1):
        row = walk.arriving[f]
        while p >= 0 and walk.seen[p] > row:
            walk.seen[p + f + 1] = walk.seen[p]
            p -= 1
        walk.seen[p + f + 1] = row
        enter(rows, program, walk, row, p + 1)
        _shift_edges(walk, p + 1, 1)
        _watch(rows, walk, row)
    if fresh > 0:
        for place in range(p + 1, walk.state[N_SEEN]):
            _set_seen(rows, program, walk, place, walk.seen[place])


@inlined
def _shift_edges(walk, place, step):
    """Let the edges behind *place* move on by a row that comes (+1) or goes (-1)."""
    for e in range(len(walk.lefts)):
        if place < walk.lefts[e]:
            walk.lefts[e] += step


@inlined
def _set_seen(rows, program, walk, place, row):
    """Let *row* be at *place* of the list, and carry the running totals on."""
    walk.seen[place] = row
    bits = rows.signals[row]
    before, after = walk.totals[place], walk.totals[place + 1]
    n_signals = len(before) - len(program.summed)
    for h in range(len(program.listed)):
        signal = program.listed[h, OF_SIGNAL]
        if (bits >> signal) & 1:
            walk.listed_rows[h, before[signal]] = row
    for g in range(n_signals):
        after[g] = before[g] + ((bits >> g) & 1)
    for v in range(len(program.summed)):
        in_signal = (bits >> program.summed[v, OF_SIGNAL]) & 1
        after[n_signals + v] = before[n_signals + v] + in_signal * rows.sums[program.summed[v, OF_COLUMN], row]


@inlined
def _place_of(seen, n_seen, row):
    """Return where *row* is in the list, which ascends but for the rows about to go."""
    low, high = 0, n_seen - 1
    while low < high:
        middle = (low + high) // 2
        if max(seen[middle], ~seen[middle]) < row:
            low = middle + 1
        else:
            high = middle
    return low


@inlined
def _watch(rows, walk, row):
    """Remember a row that will be replaced."""
    if rows.superseded[row] != NEVER:
        walk.leaving[walk.state[N_LEAVING]] = row
        walk.state[N_LEAVING] += 1
