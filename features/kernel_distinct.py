"""How many different values lie in each window, kept while rows come and go.

Of each value only its latest row is kept: a row that comes brings a new value into a window if
that row lies before the window's edge, and a row that falls out at the edge takes its value along
if it is the latest. Rows are numbered through all leads, so nothing is reset between leads.
"""

# Numba infers types from the arrays it is given, and its arguments are what they are called.
# mypy: disable-error-code="no-untyped-def,no-untyped-call,untyped-decorator"
# ruff: noqa: ANN001, ANN202

from __future__ import annotations

from features.compiled import inlined
from features.kernel_inputs import FIRST_LEVEL, OF_COLUMN, OF_SIGNAL

NO_LEVEL = -1


@inlined
def enter(rows, program, walk, row, place) -> None:
    """Count *row*, which is at *place* of the list, into the windows that begin at or before it."""
    for c in range(len(program.counted)):
        level = _level(rows, program, row, c)
        if level == NO_LEVEL:
            continue
        latest = walk.latest[level]
        for e in range(len(walk.lefts)):
            walk.distinct[e, c] += place >= walk.lefts[e] and latest < _edge_row(walk, e, row, place)
        walk.latest[level] = max(latest, row)


@inlined
def leave_window(rows, program, walk, row, e) -> None:
    """Count *row*, the first of window *e*, out of it."""
    for c in range(len(program.counted)):
        level = _level(rows, program, row, c)
        walk.distinct[e, c] -= level != NO_LEVEL and walk.latest[level] == row


@inlined
def leave(rows, program, walk, row, place) -> None:
    """Count *row* at *place*, which has been replaced, out of every window."""
    for c in range(len(program.counted)):
        level = _level(rows, program, row, c)
        if level == NO_LEVEL or walk.latest[level] != row:
            continue
        before = place - 1
        while before >= 0 and (walk.seen[before] < 0 or _level(rows, program, walk.seen[before], c) != level):
            before -= 1
        walk.latest[level] = walk.seen[before] if before >= 0 else -1
        for e in range(len(walk.lefts)):
            walk.distinct[e, c] -= place >= walk.lefts[e] > before


@inlined
def _level(rows, program, row, c):
    """Return where the latest row with *row*'s value is kept."""
    code = rows.codes[program.counted[c, OF_COLUMN], row]
    if code < 0 or not (rows.signals[row] >> program.counted[c, OF_SIGNAL]) & 1:
        return NO_LEVEL
    return program.counted[c, FIRST_LEVEL] + code


@inlined
def _edge_row(walk, e, row, place):
    """Return the first row of window *e*, which *row* at *place* may be."""
    return row if walk.lefts[e] == place else walk.seen[walk.lefts[e]]
