"""Units of stored columns: exact integers inside, the shop's units outside."""

from __future__ import annotations

MONEY_SCALE = 10_000
"""Stored units of one unit of currency: amounts are int64 in 1/10,000."""
DURATION_SCALE = 1_000
"""Stored units of one second: durations are int64 milliseconds."""

_SCALES = {
    "amount": MONEY_SCALE,
    "discount": MONEY_SCALE,
    "value": MONEY_SCALE,
    "duration": DURATION_SCALE,
}


def scale_of(column: str) -> int:
    """Return how many stored units make one of the user's units in *column*."""
    return _SCALES.get(column, 1)
