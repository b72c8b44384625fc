"""Recency, frequency and monetary value: the columns of the plain models that a better one must beat.

They are computed by the same sweep as the model's features, and the model never reads them.
"""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from typing import Final

from features.catalog import Feature, Measure, Phrase
from features.cohorts import SALES
from features.conditions import Conditions

FREQUENCY: Final = "rfm_frequency"
"""How often so far; missing before any data."""
RECENCY: Final = "rfm_recency"
"""Days since the last time; missing where there was none."""
AGE: Final = "rfm_age"
"""Days since the first time; missing where there was none."""
MONETARY: Final = "rfm_monetary"
"""Amount so far, in the shop's currency; only where orders are counted."""

_COUNTED: Final = ("orders", "events", "sessions", "outcomes")
"""What is counted: the first of these that the shop has."""


def rfm_features(available: Mapping[str, AbstractSet[str]]) -> tuple[Feature, ...]:
    """Return the columns that count orders, or else the shop's busiest trace of its leads.

    Args:
        available: Columns per timeline table.

    Returns:
        `FREQUENCY`, `RECENCY` and `AGE`, and `MONETARY` where orders are counted; none without any table.
    """
    table = next((name for name in _COUNTED if name in available), "")
    if not table:
        return ()
    where: Conditions = SALES if table == "orders" else ()
    found = [
        _feature(FREQUENCY, "count", Measure("count", table, where)),
        _feature(RECENCY, "days", Measure("days_since_last", table, where)),
        _feature(AGE, "days", Measure("days_since_first", table, where)),
    ]
    if table == "orders":
        found.append(_feature(MONETARY, "money", Measure("sum", table, where, "amount")))
    return tuple(found)


def _feature(name: str, unit: str, measure: Measure) -> Feature:
    words = name.replace("_", " ")
    return Feature(
        name=name,
        family="purchase",
        kind="number",
        unit=unit,
        concept=name,
        phrase=Phrase(f"{words}: {{n}}"),
        description=f"For baselines: {words}.",
        measure=measure,
    )
