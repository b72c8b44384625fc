"""Orders: who buys in a period, when, what, and what is cancelled again."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pipeline.synthetic import periods
from pipeline.synthetic.browsing import late_by
from pipeline.synthetic.decision import cancelling_probability, more_orders_mean
from pipeline.synthetic.draws import (
    Bools,
    Draw,
    Floats,
    Ints,
    Keys,
    Stream,
    choose,
    counts,
    happens,
    heavy_tailed,
    spread,
    sub_keys,
    uniforms,
    waits,
)
from pipeline.synthetic.people import Attributes, Leads
from pipeline.synthetic.rows import Rows

CATEGORIES = ("kitchen", "garden", "office", "toys", "sport", "books", "lighting", "storage")
CHANNELS = ("web", "app", "phone")
SIGNUP_PERIOD_PROBABILITY = 0.09
"""P(an order between sign-up and the period's end): before any as_of, so no label asks for it."""

_CATEGORY_WEIGHTS = (20.0, 14.0, 16.0, 10.0, 12.0, 12.0, 7.0, 9.0)
_CANCELLED_LATER = 0.012
# Known and, if cancelled "in time", cancelled before the settling time is over.
_LATEST_RECORDING_DAYS = periods.SETTLE_DAYS - 2.5
_LATEST_CANCELLING = periods.SETTLE_DAYS * periods.DAY - 7200
# Past the settling time of the period, wherever in it the order was placed.
_CANCELLED_LATER_FROM = (periods.PERIOD_DAYS + periods.SETTLE_DAYS + 1) * periods.DAY


@dataclass(frozen=True)
class Orders(Rows):
    """Rows of the table of orders, shape ``(n_orders,)`` each.

    Attributes:
        keys: Where each order's chance comes from.
        lead: Place of the lead in the run.
        ordered: Second of the order.
        late: Seconds from then until it reached the shop's tables.
        cancelled: Second of its cancellation, `periods.NEVER` where it stays.
        cents: Amount paid, in cents.
        discount_cents: What a coupon took off, in cents; 0 without.
        pieces: Items in the basket.
        category: Index of `CATEGORIES`.
        channel: Index of `CHANNELS`.
    """

    keys: Keys
    lead: Ints
    ordered: Ints
    late: Ints
    cancelled: Ints
    cents: Ints
    discount_cents: Ints
    pieces: Ints
    category: Ints
    channel: Ints

    @property
    def known(self) -> Ints:
        """Second at which each order reached the shop's tables."""
        return self.ordered + self.late

    @property
    def cancellation_known(self) -> Ints:
        """Second from which each order is known to be cancelled; until then it is a sale."""
        return np.maximum(self.cancelled, self.known)


def draw_orders(leads: Leads, attributes: Attributes, *, buys: Floats, period: int) -> Orders:
    """Return the orders of one period.

    Args:
        leads: The leads of the run.
        attributes: As known at the start of the period.
        buys: P(buys in the period) of each lead, 0 of who is not there yet, shape ``(n_leads,)``.
        period: Number of the period.
    """
    period_keys = sub_keys(leads.keys, Stream.PERIOD, period)
    buyers = np.flatnonzero(happens(period_keys, Draw.BUYS, buys))
    more = counts(period_keys[buyers], Draw.BASKETS, more_orders_mean(), most=20)
    buyer, number = spread(1 + more)
    lead = buyers[buyer]
    keys = sub_keys(period_keys[lead], Stream.ORDER, number)
    ordered = periods.draw_checkout_moments(keys, np.full(len(lead), period, dtype=np.int64))
    signs_up = leads.created[lead] >= periods.starts()[period]
    ordered = np.where(signs_up, _after_signup(leads, keys, lead, period=period), ordered)
    cents, discount_cents = _paid(keys, company=attributes.company[lead])
    return Orders(
        keys=keys,
        lead=lead,
        ordered=ordered,
        late=late_by(keys, mean_days=1.5, most_days=_LATEST_RECORDING_DAYS),
        cancelled=_cancelled(keys, ordered, probability=cancelling_probability(attributes)[lead]),
        cents=cents,
        discount_cents=discount_cents,
        pieces=1 + counts(keys, Draw.PIECES, 1.4, most=50),
        category=choose(keys, Draw.CATEGORY, np.array(_CATEGORY_WEIGHTS)),
        channel=choose(keys, Draw.ORDER_CHANNEL, np.array([64.0, 30.0, 6.0])),
    )


def _after_signup(leads: Leads, keys: Keys, lead: Ints, *, period: int) -> Ints:
    """A moment between an hour after sign-up and the period's end."""
    begin = leads.created[lead] + 3600
    room = np.maximum(periods.starts()[period + 1] - begin, 0)
    return begin + (uniforms(keys, Draw.OFFSET) * room).astype(np.int64)


def _cancelled(keys: Keys, ordered: Ints, *, probability: Floats) -> Ints:
    """Most orders stay, a few are cancelled within the week, some much later."""
    chance = uniforms(keys, Draw.CANCELS)
    soon = waits(keys, Draw.CANCEL_DELAY, 1.5 * periods.DAY, most=_LATEST_CANCELLING - 3600.0)
    later = waits(keys, Draw.CANCEL_DELAY, 30.0 * periods.DAY, most=90.0 * periods.DAY)
    in_time = ordered + 3600 + soon.astype(np.int64)
    too_late = ordered + _CANCELLED_LATER_FROM + later.astype(np.int64)
    never = np.full(len(keys), periods.NEVER, dtype=np.int64)
    late = np.where(chance < probability + _CANCELLED_LATER, too_late, never)
    return np.where(chance < probability, in_time, late)


def _paid(keys: Keys, *, company: Bools) -> tuple[Ints, Ints]:
    """Amount paid and discount in cents; every fifth order uses a coupon of 5 to 25 %."""
    median = np.where(company, 140.0, 46.0)
    price = np.minimum(heavy_tailed(keys, Draw.AMOUNT, median, shape=2.4), 20_000.0)
    share = 0.05 * (1 + choose(keys, Draw.DISCOUNT, np.ones(5)))
    off = np.where(happens(keys, Draw.COUPON, 0.2), price * share, 0.0)
    cents = np.maximum(np.rint((price - off) * 100), 100).astype(np.int64)
    return cents, np.rint(off * 100).astype(np.int64)
