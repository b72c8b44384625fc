"""The walk that finds each snapshot's first conversion."""

# Numba infers types from the arrays it is given, and its arguments are what they are called.
# mypy: disable-error-code="no-untyped-def,no-untyped-call,untyped-decorator"
# ruff: noqa: ANN001, ANN202

from __future__ import annotations

import numpy as np

from features import compiled, moments
from features.columns import frozen
from features.compiled import inlined
from features.timeline import Int64Array

_is_decided = inlined(moments.is_decided)
_is_before = inlined(moments.is_past)
_is_in_label_window = inlined(moments.is_in_label_window)

ANY = -1
"""The key of a snapshot that every row matches, and the fact of one that no row pulled."""


def first_conversions(
    *, begin, end, occurred, known, superseded, fact, key, as_of, ends_at, decided_at, pulled_by, wanted
) -> Int64Array:
    """Return the position of each snapshot's first conversion, -1 where there is none, shape ``(n_snapshots,)``.

    Args:
        begin: First of the lead's rows per snapshot; rows ascend by (lead, occurred).
        end: End of the lead's rows per snapshot, exclusive.
        occurred: Microseconds per row.
        known: Microseconds per row.
        superseded: Microseconds per row.
        fact: Code of the row's fact.
        key: Code of the row's matching key.
        as_of: Microseconds per snapshot.
        ends_at: Exclusive end of the label window per snapshot.
        decided_at: When the label is decided, per snapshot.
        pulled_by: Code of the fact that pulled the trigger, or `ANY`.
        wanted: Code of the key that a conversion must have, or `ANY`.
    """
    found = np.full(len(as_of), -1, dtype=np.int64)
    rows = [frozen(np.asarray(column, dtype=np.int64)) for column in (occurred, known, superseded, fact, key)]
    asked = [
        frozen(np.asarray(column, dtype=np.int64))
        for column in (begin, end, as_of, ends_at, decided_at, pulled_by, wanted)
    ]
    compiled.run(_first_conversions, *rows, *asked, found)
    return found


@compiled.kernel(compiled, moments)
def _first_conversions(
    occurred, known, superseded, fact, key, begin, end, as_of, ends_at, decided_at, pulled_by, wanted, found
):
    for s in range(len(as_of)):
        # Rows of a lead ascend by occurred: halve to the first at or after as_of.
        row, high = begin[s], end[s]
        while row < high:
            middle = (row + high) // 2
            if _is_before(occurred[middle], as_of[s]):
                row = middle + 1
            else:
                high = middle
        while row < end[s] and _is_in_label_window(occurred[row], as_of[s], ends_at[s]):
            counts = _is_decided(known[row], superseded[row], decided_at[s])
            is_match = wanted[s] == ANY or key[row] == wanted[s]
            if counts and is_match and (pulled_by[s] == ANY or fact[row] != pulled_by[s]):
                found[s] = row
                break
            row += 1
