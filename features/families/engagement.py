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
    "email_sent": EventWords(
        "e-mail sent", "e-mails sent", "emails_sent",
        count=Phrase("was sent {n} e-mails {window}", "was sent 1 e-mail {window}", "was sent no e-mails {window}",
                     "number of e-mails sent {window} not known"),
        latest=Phrase("was last sent an e-mail {n} ago", missing="was sent no e-mail so far"),
    ),
    "email_opened": EventWords(
        "e-mail opened", "e-mails opened", "emails",
        count=Phrase("opened {n} e-mails {window}", "opened 1 e-mail {window}", "opened no e-mails {window}",
                     "number of e-mails opened {window} not known"),
        latest=Phrase("last opened an e-mail {n} ago", missing="opened no e-mail so far"),
    ),
    "email_clicked": EventWords(
        "e-mail clicked", "e-mails clicked", "emails",
        count=Phrase("clicked in {n} e-mails {window}", "clicked in 1 e-mail {window}",
                     "clicked in no e-mails {window}", "number of e-mails clicked in {window} not known"),
        latest=Phrase("last clicked in an e-mail {n} ago", missing="clicked in no e-mail so far"),
    ),
    "download": EventWords(
        "download", "downloads", "downloads",
        count=Phrase("{n} downloads {window}", "1 download {window}", "no downloads {window}",
                     "number of downloads {window} not known"),
        latest=Phrase("last download {n} ago", missing="no downloads so far"),
    ),
    "webinar": EventWords(
        "webinar attended", "webinars attended", "webinars",
        count=Phrase("attended {n} webinars {window}", "attended 1 webinar {window}", "attended no webinars {window}",
                     "number of webinars attended {window} not known"),
        latest=Phrase("last attended a webinar {n} ago", missing="attended no webinar so far"),
    ),
}  # fmt: skip


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
        phrase=Phrase("{n} visits {window}", "1 visit {window}", "no visits {window}",
                      "number of visits {window} not known"),
        description="Number of sessions {window}.",
    )  # fmt: skip
    pages = _draft(
        name="session_pages", unit="pages", concept="pages",
        phrase=Phrase("viewed {n} pages {window}", "viewed 1 page {window}", "viewed no pages {window}",
                      "number of pages viewed {window} not known"),
        description="Pages seen {window}.",
    )  # fmt: skip
    duration = _draft(
        name="session_duration_mean", unit="seconds", concept="visit_length",
        phrase=Phrase("visits lasted {n} on average {window}", missing="no visits {window} to time"),
        description="Mean session duration {window}.",
    )  # fmt: skip
    bounces = _draft(
        name="bounce_share", unit="share", concept="bounces",
        phrase=Phrase("{n} of visits {window} ended after one page", zero="no visit {window} ended after one page",
                      missing="no visits {window}"),
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
        phrase=Phrase("last visit {n} ago", missing="no visits so far"),
        description="Days since the last session began.",
    )  # fmt: skip
    trend = _draft(
        name="sessions_trend", unit="ratio", concept="visit_trend",
        phrase=Phrase("visits {change} {window}", missing="too few visits to see a trend"),
        description="Sessions a day {window} over sessions a day in the longest window.",
    )  # fmt: skip
    short = tuple(window for window in offering.windows if window < offering.longest)[:1]
    return [
        *last.over((0,), Measure("days_since_last", "sessions")),
        *trend.over(short, Measure("trend", "sessions", long_window=offering.longest)),
    ]


def _rates(offering: Offering) -> list[Feature]:
    opened = _draft(
        name="email_open_rate", unit="share", concept="emails",
        phrase=Phrase("opened {n} of the e-mails sent {window}", zero="opened none of the e-mails sent {window}",
                      missing="was sent no e-mails {window}"),
        description="E-mails opened {window} per e-mail sent.",
    )  # fmt: skip
    clicked = _draft(
        name="email_click_rate", unit="share", concept="emails",
        phrase=Phrase("clicked in {n} of the e-mails sent {window}",
                      zero="clicked in none of the e-mails sent {window}", missing="was sent no e-mails {window}"),
        description="E-mails clicked {window} per e-mail sent.",
    )  # fmt: skip
    if not offering.has_events("email_sent"):
        return []
    sent = offering.events("email_sent")
    return [
        feature
        for rate, part in ((opened, "email_opened"), (clicked, "email_clicked"))
        if offering.has_events(part)
        for feature in rate.over((offering.longest,), Measure("rate", "events", sent, of=offering.events(part)))
    ]
