"""What is asked of every type of event alike: how often it happened, and how long ago it last did."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from features.catalog import Feature, Measure, Phrase
from features.families.offering import Draft, Offering


@dataclass(frozen=True)
class EventWords:
    """How one type of event is said.

    Attributes:
        one: One of them, in descriptions ("download").
        many: Several of them, in descriptions ("downloads").
        concept: What its features have in common with others: one reason for all.
        count: The phrase of how often it happened.
        latest: The phrase of how long ago it last did.
    """

    one: str
    many: str
    concept: str
    count: Phrase
    latest: Phrase


def of_event_types(offering: Offering, words: Mapping[str, EventWords], *, family: str) -> list[Feature]:
    """Return count and days since the latest of every event type of *words* (by our name) that occurs."""
    return [
        feature
        for ours, said in words.items()
        if offering.has_events(ours)
        for feature in _count_and_latest(offering, ours, said, family)
    ]


def _count_and_latest(offering: Offering, ours: str, said: EventWords, family: str) -> list[Feature]:
    signal = offering.events(ours)
    count = Draft(
        name=f"{ours}_count", family=family, unit="count", concept=said.concept,
        phrase=said.count, description=f"Number of {said.many} {{window}}.",
    )  # fmt: skip
    latest = Draft(
        name=f"days_since_last_{ours}", family=family, unit="days", concept=said.concept,
        phrase=said.latest, description=f"Days since the last {said.one}.",
    )  # fmt: skip
    return [
        *count.over(offering.windows, Measure("count", "events", signal)),
        *latest.over((0,), Measure("days_since_last", "events", signal)),
    ]
