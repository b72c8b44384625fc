"""Leads and expected conversions by what they share, for segments and reports."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from models.decision_facts import LEVELS
from pipeline.labels import Labels
from pipeline.published.editions import Edition
from pipeline.web.filters import Wish, handle
from pipeline.web.harmless import plain

REPORTED: Final = ("grade", "temperature", "stage", "source", "campaign", "action")
"""What leads are counted by, as a report orders it."""
_MOST: Final = 25
"""Rows of one table: the rest is told as one."""


@dataclass(frozen=True)
class Line:
    """One row of a report.

    Attributes:
        value: The code or word that the leads share; empty = not known.
        name: How people read it.
        leads: How many.
        expected: Expected conversions; None where a points card says no probability.
        share: Its share of the leads, 0–1.
        rate: Expected conversions per lead; None as above.
        address: The list of these leads; empty where it cannot be filtered so.
    """

    value: str
    name: str
    leads: int
    expected: float | None
    share: float
    rate: float | None
    address: str


def lines(edition: Edition, column: str, label: Labels) -> list[Line]:
    """Return the leads by *column*, in the order of its scale or most leads first."""
    groups = edition.by(column)
    total = max(edition.run.rows, 1)
    if column in LEVELS:
        order = {value: place for place, value in enumerate(LEVELS[column])}
        groups = sorted(groups, key=lambda group: order.get(group.value, len(order)))
    return [
        Line(
            value=group.value,
            name=_named(column, group.value, label),
            leads=group.leads,
            expected=group.expected_conversions,
            share=group.leads / total,
            rate=None if group.expected_conversions is None else group.expected_conversions / max(group.leads, 1),
            address=_address(column, group.value),
        )
        for group in groups[:_MOST]
    ]


def highest_rate(found: Sequence[Line]) -> float:
    """Return the highest rate, for bars that compare; at least a little, so that nothing is divided by nothing."""
    return max([line.rate or 0.0 for line in found], default=0.0) or 1.0


def _named(column: str, value: str, label: Labels) -> str:
    if column in ("source", "campaign", "owner"):
        return plain(value)
    return value if column == "grade" else label(column, value)


def _address(column: str, value: str) -> str:
    is_filter = column in ("grade", "temperature", "stage", "segment", "source", "action")
    return Wish().only(**{column: handle(value)}) if is_filter and value else ""
