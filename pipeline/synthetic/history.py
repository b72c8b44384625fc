"""One run of leads from the opening to the export, period by period.

At the start of period k the loop looks at what is visible, turns it into a probability
(`decision`), keeps that as the truth, and throws one coin per lead. The coin of period k decides
the orders of period k and, through their rows, what is seen later; nothing visible at the start
of period k depends on it. So given everything before, P(converts) *is* the number kept. Visits
and mails do not depend on coins at all (except an order's own visit), which is why they can be
drawn beforehand, and why a lead's unseen activity tells nothing beyond what is visible.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pipeline.synthetic import periods
from pipeline.synthetic.browsing import (
    Visits,
    draw_visits,
    visits_before_orders,
)
from pipeline.synthetic.decision import buying_probability, keeping_probability
from pipeline.synthetic.draws import Floats, Ints
from pipeline.synthetic.events import Events, checkouts, draw_mails, events_of
from pipeline.synthetic.orders import (
    SIGNUP_PERIOD_PROBABILITY,
    Orders,
    draw_orders,
)
from pipeline.synthetic.people import Leads, draw_leads, known_attributes
from pipeline.synthetic.signals import ORDERS_DAYS, Signals, VisibleCounts, latest_order
from pipeline.synthetic.visitors import Links, plan_links


@dataclass(frozen=True)
class Truth:
    """The best possible prediction of each lead at each as_of at which it exists.

    Attributes:
        lead: Place of the lead in the run, shape ``(n_rows,)`` like all.
        period: Number of the period that begins at as_of.
        probability: P(converts | visible at as_of).
    """

    lead: Ints
    period: Ints
    probability: Floats


@dataclass(frozen=True)
class History:
    """Everything that happened to a run of leads, seen or unseen by the shop."""

    leads: Leads
    links: Links
    visits: Visits
    events: Events
    orders: Orders
    truth: Truth


def draw_history(seed: int, first: int, *, n_leads: int) -> History:
    """Return the history of the leads numbered from *first* (a multiple of `visitors.GROUP`)."""
    leads = draw_leads(seed, first, n_leads=n_leads)
    links = plan_links(leads)
    visits = draw_visits(leads, links)
    events = Events.joined([events_of(visits), draw_mails(leads)])
    visible = VisibleCounts(n_leads)
    visible.add_visits(visits, links)
    visible.add_events(events, links)
    course = _Course(leads, links, visible)
    truth = [course.live_through(period) for period in range(periods.PERIODS + 1)]
    return History(
        leads=leads,
        links=links,
        visits=Visits.joined([visits, *course.visits]),
        events=Events.joined([events, *course.events]),
        orders=Orders.joined(course.orders),
        truth=Truth(
            lead=np.concatenate([rows.lead for rows in truth]),
            period=np.concatenate([rows.period for rows in truth]),
            probability=np.concatenate([rows.probability for rows in truth]),
        ),
    )


class _Course:
    """The periods of a run of leads lived through so far."""

    def __init__(self, leads: Leads, links: Links, visible: VisibleCounts) -> None:
        self._leads = leads
        self._links = links
        self._visible = visible
        self.visits: list[Visits] = []
        self.events: list[Events] = []
        self.orders: list[Orders] = []

    def live_through(self, period: int) -> Truth:
        """Look, keep the truth, and let the period happen (the one after the export does not)."""
        as_of = int(periods.starts()[period])
        created = self._leads.created
        attributes = known_attributes(self._leads, as_of)
        signals = self._look(period)
        source = self._leads.signup_source
        buys = buying_probability(signals, attributes, signup_source=source, period=period)
        best = buys * keeping_probability(attributes)
        exists = np.flatnonzero(created <= as_of)
        if period < periods.PERIODS:
            signs_up = created < periods.starts()[period + 1]
            buys_at_first = np.where(signs_up, SIGNUP_PERIOD_PROBABILITY, 0.0)
            buys = np.where(created <= as_of, buys, buys_at_first)
            self._happen(draw_orders(self._leads, attributes, buys=buys, period=period))
        return Truth(exists, np.full(len(exists), period, dtype=np.int64), best[exists])

    def _look(self, period: int) -> Signals:
        as_of = int(periods.starts()[period])
        latest = np.full(len(self._leads), -1, dtype=np.int64)
        for orders in self.orders:
            seen = latest_order(
                n_leads=len(self._leads),
                lead=orders.lead,
                ordered=orders.ordered,
                visible=(orders.known < as_of) & (as_of <= orders.cancellation_known),
            )
            latest = np.maximum(latest, seen)
        return self._visible.signals(period, last_order=latest, created=self._leads.created)

    def _happen(self, orders: Orders) -> None:
        visits = visits_before_orders(
            self._leads, self._links, keys=orders.keys, maker=orders.lead, ordered=orders.ordered
        )
        events = Events.joined([events_of(visits), checkouts(visits, ordered=orders.ordered)])
        self.orders.append(orders)
        self.visits.append(visits)
        self.events.append(events)
        self._visible.add_visits(visits, self._links)
        self._visible.add_events(events, self._links)
        self._visible.add(
            "orders",
            lead=orders.lead,
            occurred=orders.ordered,
            known=orders.known,
            superseded=orders.cancellation_known,
            days=ORDERS_DAYS,
        )
