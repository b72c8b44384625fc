"""The one sweep that computes every windowed feature.

For each lead the sweep walks its rows and its snapshots together. The rows that can be seen form
one list in the order in which they occurred, and every window is a left edge in it: at each
snapshot new rows are appended, the left edges move on, and counts, sums (of running totals),
first and last are read off the edges; distinct values are counted in and out. A row known later
than it occurred waits aside and is put in its place once known; a row that is replaced is taken
out when that becomes known. Cost: O(rows x windows + snapshots x outputs); no join, no
row x snapshot expansion. What comes late or goes is put right in one pass per snapshot.

All arithmetic is on int64 (money in 1/10,000, durations in ms, time in us) and is divided once,
in float64, at the end: order, batch and engine change no bit.
"""

# Numba infers types from the arrays it is given, and its arguments are what they are called.
# mypy: disable-error-code="no-untyped-def,no-untyped-call,untyped-decorator"
# ruff: noqa: ANN001, ANN202

from __future__ import annotations

import numpy as np

from features import compiled, kernel_inputs, kernel_outputs, kernel_windows, moments
from features.compiled import inlined
from features.kernel_inputs import (
    AHEAD,
    GONE,
    KNOWN,
    LEAVING,
    N_FACTS,
    N_SEEN,
    OCCURRED,
    ROW,
    SUPERSEDED,
    WAITING,
    Asked,
    Rows,
)
from features.kernel_outputs import BLOCK, N_RAW, write_block
from features.kernel_windows import record, record_open
from features.moments import NEVER

_is_visible = inlined(moments.is_visible)
_is_past = inlined(moments.is_past)
_window_start = inlined(moments.window_start)
_is_before_window = inlined(moments.is_before_window)


def sweep(
    rows: Rows,
    asked: Asked,
    windows: np.ndarray,
    data_from: int,
    ops: np.ndarray,
    *,
    numbers_out: np.ndarray,
    codes_out: np.ndarray,
) -> None:
    """Compute one signal's features for all leads of a bucket, writing into the output blocks.

    Args:
        rows: The table's `Rows`.
        asked: The snapshots, `Asked`.
        windows: Window lengths in microseconds, int64 ``(n_windows,)``; 0 = ever.
        data_from: First moment that the table covers, microseconds.
        ops: Outputs, int64 ``(n_ops, 6)``: see `features.kernel_outputs`.
        numbers_out: float64 ``(n_outputs, n_snapshots)``, written in place.
        codes_out: int32 ``(n_outputs, n_snapshots)``, written in place; -1 = missing.
    """
    most = int((asked.row_end - asked.row_begin).max(initial=0))
    longest = int((asked.snap_end - asked.snap_begin).max(initial=0))
    n_sums, n_counted, n_windows = len(rows.sums), len(rows.counted), len(windows)
    n_levels = int(rows.n_levels.max(initial=1))
    compiled.run(
        _sweep, rows, asked, windows, data_from, ops,
        np.empty((most, N_FACTS + n_sums + n_counted), dtype=np.int64),
        np.empty((most, 2), dtype=np.int64),
        np.zeros((most + 1, n_sums), dtype=np.int64),
        np.empty((3, most), dtype=np.int64),
        np.zeros(4, dtype=np.int64),
        np.zeros(n_windows, dtype=np.int64),
        np.zeros((n_windows, n_counted), dtype=np.int64),
        np.zeros((n_windows, n_counted, n_levels), dtype=np.int32),
        np.empty((BLOCK + longest, n_windows, N_RAW + 2 * n_sums + n_counted), dtype=np.int64),
        numbers_out, codes_out,
    )  # fmt: skip


@compiled.kernel(compiled, moments, kernel_inputs, kernel_windows, kernel_outputs)
def _sweep(
    rows, asked, windows, data_from, ops, facts, seen, totals, queues, at, lo, distinct, levels, raw,
    numbers_out, codes_out,
):  # fmt: skip
    occurred, known, superseded, is_signal, sums, counted, _, codes, numbers = rows
    row_begin, row_end, snap_begin, snap_end, as_ofs, since = asked
    n_sums = len(sums)
    begin = end = 0
    for lead in range(len(row_begin)):
        m = _gather(facts, row_begin[lead], row_end[lead], occurred, known, superseded, is_signal, sums, counted)
        at[:] = 0
        lo[:] = 0
        for s in range(snap_begin[lead], snap_end[lead]):
            as_of = as_ofs[s]
            _take_out_superseded(facts, seen, totals, queues, at, lo, distinct, levels, as_of)
            _put_in_waiting(facts, seen, totals, queues, at, lo, distinct, levels, as_of)
            _append_new(facts, m, seen, totals, queues, at, lo, distinct, levels, as_of)
            _move_left_edges(facts, seen, at, lo, n_sums, distinct, levels, windows, as_of)
            record(raw[s - begin], facts, seen, totals, at, lo, distinct)
            if len(since) > 0:
                record_open(raw[s - begin], facts, seen, at, lo, n_sums, since[s])
        if len(counted) > 0:
            _forget_levels(facts, seen, at, lo, n_sums, distinct, levels)
        end = snap_end[lead]
        if end - begin >= BLOCK or lead + 1 == len(row_begin):
            write_block(
                begin, end, raw, as_ofs, windows, data_from, ops, n_sums, codes, numbers, numbers_out, codes_out
            )
            begin = end


@inlined
def _gather(facts, begin, end, occurred, known, superseded, is_signal, sums, counted):
    """Copy a lead's signal rows side by side, so that the walk stays in the nearest cache."""
    m = 0
    for row in range(begin, end):
        if not is_signal[row]:
            continue
        facts[m, OCCURRED] = occurred[row]
        facts[m, KNOWN] = known[row]
        facts[m, SUPERSEDED] = superseded[row]
        facts[m, ROW] = row
        for v in range(len(sums)):
            facts[m, N_FACTS + v] = sums[v, row]
        for c in range(len(counted)):
            facts[m, N_FACTS + len(sums) + c] = counted[c, row]
        m += 1
    return m


@inlined
def _take_out_superseded(facts, seen, totals, queues, at, lo, distinct, levels, as_of):
    """Take out the rows that something known by now has replaced, all in one pass."""
    n = lowest = at[N_SEEN]
    kept = 0
    for place in range(at[LEAVING]):
        i = queues[1, place]
        if _is_visible(facts[i, KNOWN], facts[i, SUPERSEDED], as_of):
            queues[1, kept] = i
            kept += 1
        else:
            p = _place_of(seen, n, i)
            seen[p, 1] = GONE
            lowest = min(lowest, p)
    at[LEAVING] = kept
    # From the right: so an edge that has moved is never compared with a place still to come.
    for p in range(n - 1, lowest - 1, -1):
        if seen[p, 1] == GONE:
            _shift_edges(facts, seen[p, 0], p, -1, lo, totals, distinct, levels)
    at[N_SEEN] = lowest
    for p in range(lowest, n):
        if seen[p, 1] != GONE:
            _set_seen(facts, seen, totals, at[N_SEEN], seen[p, 0])
            at[N_SEEN] += 1


@inlined
def _put_in_waiting(facts, seen, totals, queues, at, lo, distinct, levels, as_of):
    """Put the rows that have become known in their places, all in one pass."""
    kept = fresh = 0
    for place in range(at[WAITING]):
        i = queues[0, place]
        if not _is_past(facts[i, KNOWN], as_of):
            queues[0, kept] = i
            kept += 1
        elif _is_visible(facts[i, KNOWN], facts[i, SUPERSEDED], as_of):
            queues[2, fresh] = i
            fresh += 1
    at[WAITING] = kept
    p = at[N_SEEN] - 1
    at[N_SEEN] += fresh
    # From the right, as both lists ascend: what stands behind a row moves just once.
    for f in range(fresh - 1, -1, -1):
        i = queues[2, f]
        while p >= 0 and seen[p, 0] > i:
            seen[p + f + 1, 0] = seen[p, 0]
            p -= 1
        seen[p + f + 1, 0] = i
        _shift_edges(facts, i, p + 1, 1, lo, totals, distinct, levels)
        _watch(facts, i, queues, at)
    if fresh > 0:
        for place in range(p + 1, at[N_SEEN]):
            _set_seen(facts, seen, totals, place, seen[place, 0])


@inlined
def _shift_edges(facts, i, place, step, lo, totals, distinct, levels):
    """Let row *i* come (+1) or go (-1) at *place*: it counts in a window, or moves its left edge."""
    for w in range(len(lo)):
        if place >= lo[w]:
            _count(facts, i, w, totals.shape[1], distinct, levels, step)
        else:
            lo[w] += step


@inlined
def _append_new(facts, m, seen, totals, queues, at, lo, distinct, levels, as_of):
    """Pass the rows that have happened by now: known ones are appended, others wait."""
    i = at[AHEAD]
    while i < m and _is_past(facts[i, OCCURRED], as_of):
        if not _is_past(facts[i, KNOWN], as_of):
            queues[0, at[WAITING]] = i
            at[WAITING] += 1
        elif _is_visible(facts[i, KNOWN], facts[i, SUPERSEDED], as_of):
            _set_seen(facts, seen, totals, at[N_SEEN], i)
            at[N_SEEN] += 1
            if levels.shape[1] > 0:
                for w in range(len(lo)):
                    _count(facts, i, w, totals.shape[1], distinct, levels, 1)
            _watch(facts, i, queues, at)
        i += 1
    at[AHEAD] = i


@inlined
def _move_left_edges(facts, seen, at, lo, n_sums, distinct, levels, windows, as_of):
    """Let rows fall out of the windows."""
    for w in range(len(windows)):
        start = _window_start(as_of, windows[w])
        p = lo[w]
        while p < at[N_SEEN] and _is_before_window(seen[p, 1], start):
            _count(facts, seen[p, 0], w, n_sums, distinct, levels, -1)
            p += 1
        lo[w] = p


@inlined
def _set_seen(facts, seen, totals, place, i):
    """Let row *i* be at *place* of the list, and carry the running totals on."""
    seen[place, 0] = i
    seen[place, 1] = facts[i, OCCURRED]
    for v in range(totals.shape[1]):
        totals[place + 1, v] = totals[place, v] + facts[i, N_FACTS + v]


@inlined
def _place_of(seen, n_seen, i):
    """Return where row *i* is in the list, which ascends."""
    low, high = 0, n_seen - 1
    while low < high:
        middle = (low + high) // 2
        if seen[middle, 0] < i:
            low = middle + 1
        else:
            high = middle
    return low


@inlined
def _watch(facts, i, queues, at):
    """Remember a row that will be replaced."""
    if facts[i, SUPERSEDED] != NEVER:
        queues[1, at[LEAVING]] = i
        at[LEAVING] += 1


@inlined
def _count(facts, i, w, n_sums, distinct, levels, step):
    """Count row *i*'s levels into window *w*, or out of it."""
    for c in range(levels.shape[1]):
        code = facts[i, N_FACTS + n_sums + c]
        if code >= 0:
            before = levels[w, c, code]
            levels[w, c, code] = before + step
            distinct[w, c] += (before + step > 0) - (before > 0)


@inlined
def _forget_levels(facts, seen, at, lo, n_sums, distinct, levels):
    """Count everything out before the next lead."""
    for w in range(len(lo)):
        for p in range(lo[w], at[N_SEEN]):
            _count(facts, seen[p, 0], w, n_sums, distinct, levels, -1)
