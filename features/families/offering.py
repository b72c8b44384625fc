"""What the families are offered, and the short form in which they are written."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from features.catalog import Feature, Measure, Phrase, over_windows
from features.conditions import Conditions, parse

EVENT_TYPES: Mapping[str, tuple[str, ...]] = {
    "email_sent": ("email_sent",),
    "email_opened": ("email_opened", "email_open"),
    "email_clicked": ("email_clicked", "email_click"),
    "download": ("download",),
    "webinar": ("webinar",),
    "product_view": ("product_view", "view"),
    "price_view": ("price_view",),
    "cart_add": ("cart_add", "cart"),
    "checkout": ("checkout",),
}
"""Our names of event types and the names under which shops send them, by default."""


@dataclass(frozen=True)
class Offering:
    """What a shop has to measure.

    Attributes:
        windows: Days of the feature windows, ascending.
        attributes: The leads' attributes: name to ``text`` or ``number``.
        trigger: The trigger row's columns: name to ``text`` or ``number``; None on a grid.
        names: The shop's names of event types, by ours.
        occurring: The event types that occur, or None where unknown.
    """

    windows: tuple[int, ...]
    attributes: Mapping[str, str]
    trigger: Mapping[str, str] | None
    names: Mapping[str, tuple[str, ...]]
    occurring: AbstractSet[str] | None

    @property
    def longest(self) -> int:
        """The longest window, in days."""
        return max(self.windows)

    def events(self, ours: str) -> Conditions:
        """Return the condition for our event type *ours* under the shop's names."""
        return parse({"type": list(self.names[ours])})

    def has_events(self, ours: str) -> bool:
        """Return whether events of our type *ours* occur at all."""
        return self.occurring is None or bool(self.occurring & set(self.names[ours]))


@dataclass(frozen=True)
class Draft:
    """A feature before its measure: what family, unit, concept and words it has."""

    name: str
    family: str
    unit: str
    concept: str
    phrase: Phrase
    description: str
    kind: str = "number"
    monotone: int = 0

    def measured(self, measure: Measure) -> Feature:
        """Return the feature that takes *measure* as it stands."""
        return Feature(
            name=self.name,
            family=self.family,
            kind=self.kind,
            unit=self.unit,
            concept=self.concept,
            phrase=self.phrase,
            description=self.description,
            monotone=self.monotone,
            measure=measure,
        )

    def over(self, windows: tuple[int, ...], measure: Measure) -> list[Feature]:
        """Return the feature once per window of *windows* (days, 0 = ever)."""
        return over_windows(self.measured(measure), windows)
