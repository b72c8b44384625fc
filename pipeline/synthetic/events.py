"""What happens during a visit, and the shop's e-mails."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from pipeline.synthetic import periods
from pipeline.synthetic.browsing import Visits, late_by
from pipeline.synthetic.draws import (
    Draw,
    Floats,
    Ints,
    Keys,
    Stream,
    counts,
    happens,
    spread,
    sub_keys,
    uniforms,
    waits,
)
from pipeline.synthetic.people import Leads
from pipeline.synthetic.rows import Rows
from pipeline.synthetic.visitors import STRANGER

TYPES = (
    "product_view",
    "price_view",
    "cart_add",
    "checkout",
    "download",
    "webinar",
    "email_sent",
    "email_opened",
    "email_clicked",
)
PRODUCT_VIEW, PRICE_VIEW, CART_ADD, CHECKOUT, DOWNLOAD, WEBINAR = range(6)
EMAIL_SENT, EMAIL_OPENED, EMAIL_CLICKED = range(6, 9)
WITH_ITEM = (PRODUCT_VIEW, CART_ADD)
ITEMS = 600
NOTHING = -1


@dataclass(frozen=True)
class Events(Rows):
    """Rows of the table of events, shape ``(n_events,)`` each.

    Attributes:
        maker: Place of the lead behind it.
        lead: Place of the lead written in the row, or `visitors.NOBODY`.
        visitor: Visitor code; of e-mails `visitors.STRANGER`, with `stranger` -1.
        stranger: Number of the stranger among its maker's; -1 where there is no browser.
        type: Index of `TYPES`.
        occurred: Second at which it happened.
        late: Seconds from then until it reached the shop's tables.
        item: Number of the product, or `NOTHING`.
        mailing: Number of the period whose newsletter it is about, or `NOTHING`.
    """

    maker: Ints
    lead: Ints
    visitor: Ints
    stranger: Ints
    type: Ints
    occurred: Ints
    late: Ints
    item: Ints
    mailing: Ints

    @property
    def recorded(self) -> Ints:
        """Second at which each event reached the shop's tables."""
        return self.occurred + self.late


def events_of(visits: Visits) -> Events:
    """Return what happens during *visits*: mostly nothing but looking."""
    parts = []
    for kind, mean in _mean_events(visits):
        keys = sub_keys(visits.keys, Stream.WEB_EVENT, kind * 1000)
        number = counts(keys, Draw.HOW_MANY, mean, most=12)
        parts.append(_web_events(visits, kind, np.where(visits.pages > 1, number, 0)))
    return Events.joined(parts)


def checkouts(visits: Visits, *, ordered: Ints) -> Events:
    """Return the cart and the checkout that come with each order's visit.

    Args:
        visits: The visits in which orders were placed, shape ``(n_orders,)``.
        ordered: Second of each order.
    """
    visits = replace(visits, keys=sub_keys(visits.keys, Stream.ORDER, 0))
    one = np.ones(len(visits), dtype=np.int64)
    # Half-way through what led to the order, and the moment of the order itself.
    in_cart = visits.started + (ordered - visits.started) // 2
    cart = replace(_web_events(visits, CART_ADD, one), occurred=in_cart)
    paid = replace(_web_events(visits, CHECKOUT, one), occurred=ordered)
    return Events.joined([cart, paid])


def draw_mails(leads: Leads) -> Events:
    """Return newsletters sent to who agreed, and which were opened and clicked."""
    since = periods.period_of(leads.created)
    lead, number = spread(periods.PERIODS - since)
    period = since[lead] + number
    keys = sub_keys(leads.keys[lead], Stream.PERIOD, period)
    sent_at = periods.mailing_moments(keys, period)
    agreed = np.where(sent_at < leads.changed[lead], leads.first.consent[lead], leads.second.consent[lead])
    mailed = agreed & (sent_at > leads.created[lead]) & happens(keys, Draw.MAILED, 0.4)
    sent = _Mails(keys[mailed], lead[mailed], period[mailed], sent_at[mailed])
    likes_mail = uniforms(leads.keys[sent.lead], Draw.MAILABLE)
    opens = happens(sent.keys, Draw.OPENED, 0.1 + 0.5 * likes_mail)
    opened = sent.after(Draw.OPEN_DELAY, hours=9.0)
    clicks = opens & happens(sent.keys, Draw.CLICKED, 0.1 + 0.45 * likes_mail**2)
    clicked = opened.after(Draw.CLICK_DELAY, hours=0.2)
    return Events.joined(
        [
            sent.events(EMAIL_SENT),
            opened.events(EMAIL_OPENED).take(opens),
            clicked.events(EMAIL_CLICKED).take(clicks),
        ]
    )


@dataclass(frozen=True)
class _Mails:
    keys: Keys
    lead: Ints
    mailing: Ints
    occurred: Ints

    def after(self, draw: Draw, *, hours: float) -> _Mails:
        """The same mails when the next thing happens to them."""
        wait = waits(self.keys, draw, hours * 3600.0, most=72 * 3600.0)
        return replace(self, occurred=self.occurred + 30 + wait.astype(np.int64))

    def events(self, kind: int) -> Events:
        keys = sub_keys(self.keys, Stream.WEB_EVENT, kind * 1000)
        return Events(
            maker=self.lead,
            lead=self.lead,
            visitor=np.full(len(self.lead), STRANGER, dtype=np.int64),
            stranger=np.full(len(self.lead), NOTHING, dtype=np.int64),
            type=np.full(len(self.lead), kind, dtype=np.int64),
            occurred=self.occurred,
            late=late_by(keys, mean_days=5.0, most_days=20.0),
            item=np.full(len(self.lead), NOTHING, dtype=np.int64),
            mailing=self.mailing,
        )


def _mean_events(visits: Visits) -> tuple[tuple[int, Floats | float], ...]:
    """Mean number of each kind in a visit that did not bounce."""
    company = visits.company
    return (
        (PRODUCT_VIEW, 0.55),
        (PRICE_VIEW, np.where(company, 0.3, 0.12)),
        (CART_ADD, np.where(company, 0.1, 0.2)),
        (CHECKOUT, 0.04),
        (DOWNLOAD, np.where(company, 0.14, 0.03)),
        (WEBINAR, np.where(company, 0.06, 0.006)),
    )


def _web_events(visits: Visits, kind: int, number: Ints) -> Events:
    visit, place = spread(number)
    keys = sub_keys(visits.keys[visit], Stream.WEB_EVENT, kind * 1000 + 1 + place)
    occurred = visits.started[visit]
    occurred = occurred + (uniforms(keys, Draw.OFFSET) * visits.duration[visit]).astype(np.int64)
    popular = (ITEMS * uniforms(keys, Draw.ITEM) ** 2.5).astype(np.int64)
    nothing = np.full(len(visit), NOTHING, dtype=np.int64)
    return Events(
        maker=visits.maker[visit],
        lead=visits.lead[visit],
        visitor=visits.visitor[visit],
        stranger=visits.stranger[visit],
        type=np.full(len(visit), kind, dtype=np.int64),
        occurred=occurred,
        late=late_by(keys, mean_days=5.0, most_days=20.0),
        item=popular if kind in WITH_ITEM else nothing,
        mailing=nothing,
    )
