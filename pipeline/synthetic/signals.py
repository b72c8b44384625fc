"""What the shop can see of each lead at the start of each period: the inputs of the decision.

Visible at as_of is a row with ``known < as_of <= superseded``; in the window of w days is a row
with ``as_of - w <= occurred < as_of``. Both hold for one unbroken run of periods, so a row is
added once where the run begins and taken off once where it ends, whatever the window.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from pipeline.synthetic import events as kinds
from pipeline.synthetic import periods
from pipeline.synthetic.browsing import Visits
from pipeline.synthetic.draws import Bools, Floats, Ints
from pipeline.synthetic.events import Events
from pipeline.synthetic.visitors import NOBODY, Links, own

SESSIONS_DAYS = 28
PRICE_VIEWS_DAYS = 28
CART_ADDS_DAYS = 7
EMAIL_CLICKS_DAYS = 84
EMAILS_SENT_DAYS = 28
GUIDES_DAYS = 84
ORDERS_DAYS = 84


@dataclass(frozen=True)
class Signals:
    """The visible history of n leads at one as_of, shape ``(n,)`` each.

    Attributes:
        sessions: Sessions in 28 days.
        price_views: Views of the price page in 28 days.
        cart_adds: Products put into the cart in 7 days.
        email_clicks: Clicks in newsletters in 84 days.
        emails_sent: Newsletters sent in 28 days.
        guides: Downloads and webinars in 84 days.
        orders: Orders in 84 days that are not known to be cancelled.
        days_since_order: Days since the latest such order ever; infinite without one.
        days_since_signup: Days since the lead exists.
    """

    sessions: Ints
    price_views: Ints
    cart_adds: Ints
    email_clicks: Ints
    emails_sent: Ints
    guides: Ints
    orders: Ints
    days_since_order: Floats
    days_since_signup: Floats


COUNTED = tuple(field.name for field in fields(Signals) if not field.name.startswith("days_since"))


class VisibleCounts:
    """Counts of rows per signal, lead and period, filled as rows come into being."""

    def __init__(self, n_leads: int) -> None:
        self._n_leads = n_leads
        # One row more than there are as-ofs: what becomes visible after the last one.
        shape = (periods.PERIODS + 2) * n_leads
        self._changes = {name: np.zeros(shape, dtype=np.int32) for name in COUNTED}

    def add(self, name: str, *, lead: Ints, occurred: Ints, known: Ints, superseded: Ints, days: int) -> None:
        """Count rows of the signal *name*, visible as said above, in a window of *days*."""
        left = occurred + days * periods.DAY
        begin = periods.first_period_after(np.maximum(occurred, known))
        end = periods.first_period_after(np.minimum(left, superseded))
        counted = (lead != NOBODY) & (begin < end)
        changes = self._changes[name]
        np.add.at(changes, begin[counted] * self._n_leads + lead[counted], 1)
        np.add.at(changes, end[counted] * self._n_leads + lead[counted], -1)

    def at(self, name: str, period: int) -> Ints:
        """Return each lead's count at the start of *period*, shape ``(n_leads,)``."""
        by_period = self._changes[name].reshape(-1, self._n_leads)
        return by_period[: period + 1].sum(axis=0, dtype=np.int64)

    def add_visits(self, visits: Visits, links: Links) -> None:
        """Count *visits* as sessions; a session is known at its end or when recorded."""
        rows = own(
            links,
            visits.visitor,
            occurred=visits.started,
            known=np.maximum(visits.started + visits.duration, visits.recorded),
            lead=visits.lead,
        )
        self.add(
            "sessions",
            lead=rows.lead,
            occurred=visits.started,
            known=rows.known,
            superseded=rows.superseded,
            days=SESSIONS_DAYS,
        )

    def add_events(self, events: Events, links: Links) -> None:
        """Count *events* under the signals that read their types."""
        rows = own(
            links,
            events.visitor,
            occurred=events.occurred,
            known=events.recorded,
            lead=events.lead,
        )
        for name, types, days in _EVENT_SIGNALS:
            chosen = np.flatnonzero(np.isin(events.type, types))
            self.add(
                name,
                lead=rows.lead[chosen],
                occurred=events.occurred[chosen],
                known=rows.known[chosen],
                superseded=rows.superseded[chosen],
                days=days,
            )

    def signals(self, period: int, *, last_order: Ints, created: Ints) -> Signals:
        """Return what is visible at the start of *period*.

        Args:
            period: Number of the period, 0 to `periods.PERIODS` (the moment of the export).
            last_order: Second of the latest visible, kept order; negative without one.
            created: Second of signing up.
        """
        as_of = int(periods.starts()[period])
        return Signals(
            **{name: self.at(name, period) for name in COUNTED},
            days_since_order=np.where(last_order < 0, np.inf, (as_of - last_order) / periods.DAY),
            days_since_signup=(as_of - created) / periods.DAY,
        )


def latest_order(*, n_leads: int, lead: Ints, ordered: Ints, visible: Bools) -> Ints:
    """Return the second of each lead's latest *visible* order, -1 without one."""
    latest = np.full(n_leads, -1, dtype=np.int64)
    np.maximum.at(latest, lead[visible], ordered[visible])
    return latest


_EVENT_SIGNALS = (
    ("price_views", (kinds.PRICE_VIEW,), PRICE_VIEWS_DAYS),
    ("cart_adds", (kinds.CART_ADD,), CART_ADDS_DAYS),
    ("email_clicks", (kinds.EMAIL_CLICKED,), EMAIL_CLICKS_DAYS),
    ("emails_sent", (kinds.EMAIL_SENT,), EMAILS_SENT_DAYS),
    ("guides", (kinds.DOWNLOAD, kinds.WEBINAR), GUIDES_DAYS),
)
