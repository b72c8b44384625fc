"""Engagement: visits, mails, downloads and webinars, and whether interest rises or falls."""

from __future__ import annotations

from functools import partial

from features.catalog import Feature, Measure, Phrase
from features.conditions import parse
from features.families.event_types import EventWords, of_event_types
from features.families.offering import Draft, Offering

_draft = partial(Draft, family="engagement")
_BOUNCES = parse({"pages": {"max": 1}})
_COUNTED = {
    "email_sent": EventWords("e-mails sent", "e-mail sent", "emails_sent"),
    "email_opened": EventWords("e-mails opened", "e-mail opened", "emails"),
    "email_clicked": EventWords("e-mails clicked", "e-mail clicked", "emails"),
    "download": EventWords("downloads", "download", "downloads"),
    "webinar": EventWords("webinars attended", "webinar attended", "webinars"),
}


def features(offering: Offering) -> list[Feature]:
    """Return the engagement features over the offered windows."""
    return [
        *_visits(offering),
        *_interest(offering),
        *of_event_types(offering, _COUNTED, family="engagement"),
        *_rates(offering),
    ]


def _visits(offering: Offering) -> list[Feature]:
    visits = _draft(
        name="sessions_count", unit="count", concept="visits",
        phrase=Phrase("{n} visits {window}", "1 visit {window}", "no visit {window}"),
        description="Number of sessions {window}.",
    )  # fmt: skip
    pages = _draft(
        name="session_pages", unit="pages", concept="pages",
        phrase=Phrase("{n} pages seen {window}", "1 page seen {window}", "no page seen {window}"),
        description="Pages seen {window}.",
    )  # fmt: skip
    duration = _draft(
        name="session_duration_mean", unit="seconds", concept="visit_length",
        phrase=Phrase("visits of {n} on average {window}", missing="no visit {window} to time"),
        description="Mean session duration {window}.",
    )  # fmt: skip
    bounces = _draft(
        name="bounce_share", unit="share", concept="bounces",
        phrase=Phrase("{n} of visits {window} left after one page", zero="no visit {window} left after one page",
                      missing="no visit {window}"),
        description="Share of sessions {window} with one page at most.",
    )  # fmt: skip
    return [
        *visits.over(offering.windows, Measure("count", "sessions")),
        *pages.over(offering.windows, Measure("sum", "sessions", (), "pages")),
        *duration.over((offering.longest,), Measure("mean", "sessions", (), "duration")),
        *bounces.over((offering.longest,), Measure("share", "sessions", of=_BOUNCES)),
    ]


def _interest(offering: Offering) -> list[Feature]:
    last = _draft(
        name="days_since_last_session", unit="days", concept="last_visit",
        phrase=Phrase("last visit {n} ago", missing="no visit so far"),
        description="Days since the last session began.",
    )  # fmt: skip
    trend = _draft(
        name="sessions_trend", unit="ratio", concept="visit_trend",
        phrase=Phrase("visits {change} {window}", missing="no visits to see a trend"),
        description="Sessions a day {window} over sessions a day in the longest window.",
    )  # fmt: skip
    short = tuple(window for window in offering.windows if window < offering.longest)[:1]
    return [
        *last.over((0,), Measure("days_since_last", "sessions")),
        *trend.over(short, Measure("trend", "sessions", long_window=offering.longest)),
    ]


def _rates(offering: Offering) -> list[Feature]:
    found: list[Feature] = []
    for part, whole, name, words in (
        ("email_opened", "email_sent", "email_open_rate", "opened"),
        ("email_clicked", "email_sent", "email_click_rate", "clicked"),
    ):
        if not (offering.has_events(part) and offering.has_events(whole)):
            continue
        rate = _draft(
            name=name, unit="share", concept="emails",
            phrase=Phrase(f"{words} {{n}} of the e-mails sent {{window}}", zero=f"{words} no e-mail {{window}}",
                          missing="no e-mail sent {window}"),
            description=f"E-mails {words} {{window}} per e-mail sent.",
        )  # fmt: skip
        measure = Measure("rate", "events", offering.events(whole), of=offering.events(part))
        found += rate.over((offering.longest,), measure)
    return found
