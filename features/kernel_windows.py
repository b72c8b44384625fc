"""What the sweep reads off the edges of a lead's windows at one snapshot."""

# Numba infers types from the arrays it is given, and its arguments are what they are called.
# mypy: disable-error-code="no-untyped-def,no-untyped-call,untyped-decorator"
# ruff: noqa: ANN001

from __future__ import annotations

from features.compiled import inlined
from features.kernel_inputs import N_FACTS, N_SEEN, ROW
from features.kernel_outputs import (
    N_RAW,
    RAW_COUNT,
    RAW_FIRST,
    RAW_FIRST_ROW,
    RAW_LAST,
    RAW_LAST_ROW,
    RAW_OPEN_COUNT,
    RAW_OPEN_FIRST,
)


@inlined
def record(raw, facts, seen, totals, at, lo, distinct) -> None:
    """Read every window off its edges."""
    n = at[N_SEEN]
    n_sums = totals.shape[1]
    for w in range(len(lo)):
        raw[w, RAW_COUNT] = n - lo[w]
        if n > lo[w]:
            raw[w, RAW_FIRST] = seen[lo[w], 1]
            raw[w, RAW_LAST] = seen[n - 1, 1]
            raw[w, RAW_FIRST_ROW] = facts[seen[lo[w], 0], ROW]
            raw[w, RAW_LAST_ROW] = facts[seen[n - 1, 0], ROW]
        for v in range(n_sums):
            raw[w, N_RAW + v] = totals[n, v] - totals[lo[w], v]
        for c in range(distinct.shape[1]):
            raw[w, N_RAW + n_sums + c] = distinct[w, c]


@inlined
def record_open(raw, facts, seen, at, lo, n_sums, since) -> None:
    """Read, per window, the rows after the moment that closed what was open before."""
    n_counted = raw.shape[1] - N_RAW - 2 * n_sums
    for w in range(len(lo)):
        p = at[N_SEEN]
        for v in range(n_sums):
            raw[w, N_RAW + n_sums + n_counted + v] = 0
        while p > lo[w] and seen[p - 1, 1] > since:
            p -= 1
            for v in range(n_sums):
                raw[w, N_RAW + n_sums + n_counted + v] += facts[seen[p, 0], N_FACTS + v]
        raw[w, RAW_OPEN_COUNT] = at[N_SEEN] - p
        raw[w, RAW_OPEN_FIRST] = seen[p, 1] if p < at[N_SEEN] else 0
