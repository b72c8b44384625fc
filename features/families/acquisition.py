"""Acquisition: how the lead first came, and how it came last."""

from __future__ import annotations

from functools import partial

from features.catalog import Feature, Measure, Phrase
from features.conditions import parse
from features.families.offering import Draft, Offering

_draft = partial(Draft, family="acquisition")
_TOUCHES = {
    "source": (
        Phrase("first visit came from {n}", missing="source of the first visit not known"),
        Phrase("latest visit came from {n}", missing="source of the latest visit not known"),
    ),
    "medium": (
        Phrase("first visit came by way of {n}", missing="medium of the first visit not known"),
        Phrase("latest visit came by way of {n}", missing="medium of the latest visit not known"),
    ),
    "campaign": (
        Phrase("first visit came through the campaign {n}", missing="campaign of the first visit not known"),
        Phrase("latest visit came through the campaign {n}", missing="campaign of the latest visit not known"),
    ),
    "device": (
        Phrase("first visit on {n}", missing="device of the first visit not known"),
        Phrase("latest visit on {n}", missing="device of the latest visit not known"),
    ),
}
"""Columns of a session that tell how a lead came, and how the first and the latest are said."""
_PAID = parse({"medium": ["cpc", "ppc", "paid", "paid_social", "display", "affiliate"]})
_MOBILE = parse({"device": ["mobile", "tablet"]})


def features(offering: Offering) -> list[Feature]:
    """Return the acquisition features: first and latest touch, and shares of visits."""
    return [*_touches(), *_shares(offering)]


def _touches() -> list[Feature]:
    found: list[Feature] = []
    for column, (first_words, latest_words) in _TOUCHES.items():
        first = _draft(
            name=f"first_{column}", unit="category", concept=f"first_{column}", kind="category",
            phrase=first_words, description=f"The {column} of the first session.",
        )  # fmt: skip
        latest = _draft(
            name=f"last_{column}", unit="category", concept=f"last_{column}", kind="category",
            phrase=latest_words, description=f"The {column} of the latest session.",
        )  # fmt: skip
        found += first.over((0,), Measure("first", "sessions", parse({column: {"missing": False}}), column))
        found += latest.over((0,), Measure("last", "sessions", parse({column: {"missing": False}}), column))
    return found


def _shares(offering: Offering) -> list[Feature]:
    paid = _draft(
        name="paid_visit_share", unit="share", concept="paid_visits",
        phrase=Phrase("{n} of visits {window} came from paid media", zero="no visit {window} came from paid media",
                      missing="no visits {window}"),
        description="Share of sessions {window} that came from paid media.",
    )  # fmt: skip
    mobile = _draft(
        name="mobile_visit_share", unit="share", concept="mobile_visits",
        phrase=Phrase("{n} of visits {window} were on a phone or tablet",
                      zero="no visit {window} was on a phone or tablet", missing="no visits {window}"),
        description="Share of sessions {window} on a phone or tablet.",
    )  # fmt: skip
    windows = (offering.longest,)
    return [
        *paid.over(windows, Measure("share", "sessions", of=_PAID)),
        *mobile.over(windows, Measure("share", "sessions", of=_MOBILE)),
    ]
