"""The one sweep that computes every windowed feature of a table.

For each lead the sweep walks its rows and its snapshots together, once for all signals. The rows
that can be seen form one list in the order in which they occurred, with running totals beside it:
a count per signal, a sum per signal and column. A window is a left edge in that list: at each
snapshot new rows are appended, the edges move on, and counts, sums, first and last are read off
the edges. A row known later than it occurred waits aside
and is put in its place once known; a row that is replaced is taken out when that becomes known.
Cost: O(rows x signals + rows x windows + snapshots x outputs); no join, no row x snapshot
expansion. What comes late or goes is put right in one pass per snapshot.

All arithmetic is on int64 (money in 1/10,000, durations in ms, time in us) and is divided once,
in float64, at the end: order, batch and engine change no bit.
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
    AHEAD,
    CHANGED,
    EARLIEST,
    LEAVING,
    N_SEEN,
    WAITING,
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
        walk.at[:] = 0
        walk.lows[:] = 0
        walk.distinct[:] = 0
        walk.at[AHEAD] = asked.row_begin[lead]
        for s in range(asked.snap_begin[lead], asked.snap_end[lead]):
            walk.at[CHANGED] = s == asked.snap_begin[lead]
            if walk.at[LEAVING] > 0:
                _take_out_superseded(rows, program, walk, as_ofs[s])
            if walk.at[WAITING] > 0:
                _put_in_waiting(rows, program, walk, as_ofs[s])
            _move_left_edges(rows, program, walk, as_ofs[s])
            _append_new(rows, program, walk, asked.row_end[lead], as_ofs[s])
            if walk.at[CHANGED] or s == begin or len(asked.since) > 0:
                record(walk.recorded[s - begin], rows, program, walk, asked.since, s)
            else:
                repeat(walk.recorded[s - begin], walk.recorded[s - begin - 1])
            if s + 1 - begin == block:
                write_block(begin, s + 1, rows, as_ofs, program, walk.recorded, numbers_out, codes_out)
                begin = s + 1
    write_block(begin, len(as_ofs), rows, as_ofs, program, walk.recorded, numbers_out, codes_out)


@inlined
def _move_left_edges(rows, program, walk, as_of):
    """Let rows fall out of the windows."""
    n = walk.at[N_SEEN]
    walk.at[EARLIEST] = as_of
    for e in range(len(program.edges)):
        start = _window_start(as_of, program.edges[e, WINDOW])
        walk.at[EARLIEST] = min(walk.at[EARLIEST], start)
        p = walk.lows[e]
        while p < n and _is_before_window(rows.occurred[walk.seen[p]], start):
            leave_window(rows, program, walk, walk.seen[p], e)
            p += 1
        walk.at[CHANGED] |= p != walk.lows[e]
        walk.lows[e] = p
        walk.starts[e] = start


@inlined
def _append_new(rows, program, walk, row_end, as_of):
    """Pass the rows that have happened by now: known ones are appended, others wait."""
    row = walk.at[AHEAD]
    n = walk.at[N_SEEN]
    while row < row_end and _is_past(rows.occurred[row], as_of):
        # What no window reaches back to now, none will reach later.
        if rows.signals[row] != 0 and not _is_before_window(rows.occurred[row], walk.at[EARLIEST]):
            if not _is_past(rows.known[row], as_of):
                walk.queues[0, walk.at[WAITING]] = row
                walk.at[WAITING] += 1
            elif _is_visible(rows.known[row], rows.superseded[row], as_of):
                _set_seen(rows, program, walk, n, row)
                n += 1
                walk.at[CHANGED] = 1
                for e in range(len(program.edges)):
                    if _is_before_window(rows.occurred[row], walk.starts[e]):
                        walk.lows[e] = n  # the window begins after its newest row
                enter(rows, program, walk, row, n - 1)
                _watch(rows, walk, row)
        row += 1
    walk.at[AHEAD] = row
    walk.at[N_SEEN] = n


@inlined
def _take_out_superseded(rows, program, walk, as_of):
    """Take out the rows that something known by now has replaced, all in one pass."""
    n = lowest = walk.at[N_SEEN]
    kept = 0
    for place in range(walk.at[LEAVING]):
        row = walk.queues[1, place]
        if _is_visible(rows.known[row], rows.superseded[row], as_of):
            walk.queues[1, kept] = row
            kept += 1
        else:
            p = _place_of(walk.seen, n, row)
            walk.seen[p] = ~row  # negative: it is about to go
            walk.at[CHANGED] = 1
            lowest = min(lowest, p)
    walk.at[LEAVING] = kept
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
    walk.at[N_SEEN] = left


@inlined
def _put_in_waiting(rows, program, walk, as_of):
    """Put the rows that have become known in their places, all in one pass."""
    kept = fresh = 0
    for place in range(walk.at[WAITING]):
        row = walk.queues[0, place]
        if not _is_past(rows.known[row], as_of):
            walk.queues[0, kept] = row
            kept += 1
        elif _is_visible(rows.known[row], rows.superseded[row], as_of):
            walk.queues[2, fresh] = row
            walk.at[CHANGED] = 1
            fresh += 1
    walk.at[WAITING] = kept
    p = walk.at[N_SEEN] - 1
    walk.at[N_SEEN] += fresh
    # From the right, as both lists ascend: what stands behind a row moves just once.
    for f in range(fresh - 1, -1, -1):
        row = walk.queues[2, f]
        while p >= 0 and walk.seen[p] > row:
            walk.seen[p + f + 1] = walk.seen[p]
            p -= 1
        walk.seen[p + f + 1] = row
        enter(rows, program, walk, row, p + 1)
        _shift_edges(walk, p + 1, 1)
        _watch(rows, walk, row)
    if fresh > 0:
        for place in range(p + 1, walk.at[N_SEEN]):
            _set_seen(rows, program, walk, place, walk.seen[place])


@inlined
def _shift_edges(walk, place, step):
    """Let the edges behind *place* move on by a row that comes (+1) or goes (-1)."""
    for e in range(len(walk.lows)):
        if place < walk.lows[e]:
            walk.lows[e] += step


@inlined
def _set_seen(rows, program, walk, place, row):
    """Let *row* be at *place* of the list, and carry the running totals on."""
    walk.seen[place] = row
    bits = rows.signals[row]
    before, after = walk.totals[place], walk.totals[place + 1]
    n_signals = len(before) - len(program.summed)
    for h in range(len(program.listed)):
        signal = program.listed[h, 0]
        if (bits >> signal) & 1:
            walk.lists[h, before[signal]] = row
    for g in range(n_signals):
        after[g] = before[g] + ((bits >> g) & 1)
    for v in range(len(program.summed)):
        in_signal = (bits >> program.summed[v, 0]) & 1
        after[n_signals + v] = before[n_signals + v] + in_signal * rows.sums[program.summed[v, 1], row]


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
        walk.queues[1, walk.at[LEAVING]] = row
        walk.at[LEAVING] += 1
