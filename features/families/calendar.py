"""Calendar: when the question is asked. Kept only where each level was seen at several as_ofs."""

from __future__ import annotations

from features.catalog import Feature, Measure, Phrase
from features.families.offering import Draft, Offering

_PARTS = {
    "weekday": ("scored on day {n} of the week (1 = Monday)", "Local day of the week of as_of, 1 = Monday."),
    "month": ("scored in month {n} of the year", "Local month of as_of."),
    "day_of_month": ("scored on day {n} of the month", "Local day of the month of as_of."),
}


def features(_offering: Offering) -> list[Feature]:
    """Return weekday, month and day of the month of as_of, in the shop's zone."""
    return [
        Draft(
            name=f"as_of_{part}", family="calendar", unit="number", concept="season",
            phrase=Phrase(words, missing="day of scoring not known"), description=description,
        ).measured(Measure(part))
        for part, (words, description) in _PARTS.items()
    ]  # fmt: skip
