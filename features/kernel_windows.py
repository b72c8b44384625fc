"""What the sweep reads off the edges of a lead's windows at one snapshot."""

# Numba infers types from the arrays it is given, and its arguments are what they are called.
# mypy: disable-error-code="no-untyped-def,no-untyped-call,untyped-decorator"
# ruff: noqa: ANN001, ANN202

from __future__ import annotations

import numpy as np

from features import moments
from features.compiled import inlined
from features.kernel_inputs import HALF_LIFE, N_SEEN, OF_EDGE, OF_LIST, OF_SIGNAL, SINCE, WHOLE_WEIGHT

_is_unclosed = inlined(moments.is_unclosed)


@inlined
def _differences(out, now, before):
    for t in range(len(out)):
        out[t] = now[t] - before[t]


@inlined
def record(recorded, rows, program, walk, since, snapshot, as_of) -> None:
    """Write down every window's totals and distinct values, first and last rows, weights: as `RecordLayout` has them.

    The first and last rows of an empty window are stale and must not be read.
    """
    n = walk.state[N_SEEN]
    totals = walk.totals
    r = 0
    for e in range(len(program.edges)):
        place = walk.lefts[e]
        if program.edges[e, SINCE] >= 0:
            closed_at = since[program.edges[e, SINCE], snapshot]
            place = max(place, _first_open(rows.occurred, walk.seen, n, closed_at))
        walk.open_lefts[e] = place
        _differences(recorded[r : r + totals.shape[1]], totals[n], totals[place])
        r += totals.shape[1]
        for c in range(len(program.counted)):
            recorded[r + c] = walk.distinct[e, c]
        r += len(program.counted)
    for d in range(len(program.firsts)):
        h = program.firsts[d, OF_LIST]
        recorded[r + d] = walk.listed_rows[
            h, totals[walk.open_lefts[program.firsts[d, OF_EDGE]], program.listed[h, OF_SIGNAL]]
        ]
    r += len(program.firsts)
    for h in range(len(program.listed)):
        recorded[r + h] = walk.listed_rows[h, max(totals[n, program.listed[h, OF_SIGNAL]] - 1, 0)]
    r += len(program.listed)
    for d in range(len(program.decayed)):
        h = program.decayed[d, OF_LIST]
        before = totals[walk.open_lefts[program.decayed[d, OF_EDGE]], program.listed[h, OF_SIGNAL]]
        until = totals[n, program.listed[h, OF_SIGNAL]]
        recorded[r + d] = _weight(
            rows.occurred, walk.listed_rows[h, before:until], as_of, program.decayed[d, HALF_LIFE]
        )


@inlined
def repeat(recorded, before) -> None:
    """Write down what was recorded at the snapshot before: nothing has changed."""
    for r in range(len(recorded)):
        recorded[r] = before[r]


@inlined
def _weight(occurred, listed, as_of, half_life):
    """Return what *listed* rows weigh together: each 2^(-age / half-life), in whole parts of `WHOLE_WEIGHT`."""
    total = 0
    for place in range(len(listed) - 1, -1, -1):
        age = float(as_of - occurred[listed[place]])
        weight = int(np.rint(np.exp2(-age / float(half_life)) * WHOLE_WEIGHT))
        if weight == 0:
            break  # whatever is older weighs no more
        total += weight
    return total


@inlined
def _first_open(occurred, seen, n_seen, closed_at):
    """Return the place of the first row that the latest closing did not close."""
    low, high = 0, n_seen
    while low < high:
        middle = (low + high) // 2
        if _is_unclosed(occurred[seen[middle]], closed_at):
            high = middle
        else:
            low = middle + 1
    return low
