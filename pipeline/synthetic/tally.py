"""Counting what a synthetic shop is like, batch by batch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np

from pipeline.synthetic import columns, periods
from pipeline.synthetic.draws import Ints
from pipeline.synthetic.history import History
from pipeline.synthetic.orders import Orders


@dataclass(frozen=True)
class Tally:
    """Numbers of one batch that add up over batches.

    Attributes:
        facts: Rows of orders, sessions and events.
        late_facts: Of these, recorded a day or more after they happened (or ended).
        orders: Orders.
        cancelled_orders: Of these, cancelled by the export.
        visitors: Browsers that left rows.
        linked_visitors: Of these, linked to a lead by the export.
        unsigned_facts: Sessions and events that name a visitor only.
        facts_before_link: Of these, older than the link that tells whose they are.
        snapshots: Leads at as-ofs whose label is decided by the export.
        conversions: Of these, converted.
    """

    facts: int
    late_facts: int
    orders: int
    cancelled_orders: int
    visitors: int
    linked_visitors: int
    unsigned_facts: int
    facts_before_link: int
    snapshots: int
    conversions: int


@dataclass(frozen=True)
class Shares:
    """What a shop is like, each 0 to 1.

    Attributes:
        late_rows: Rows recorded a day or more late, of all orders, sessions and events.
        cancelled_orders: Orders cancelled by the export.
        linked_visitors: Visitors linked to a lead by the export.
        rows_before_link: Rows that name a visitor only and are older than its link.
        base_rate: Converting snapshots, of those whose label is decided.
    """

    late_rows: float
    cancelled_orders: float
    linked_visitors: float
    rows_before_link: float
    base_rate: float

    @staticmethod
    def of(tallies: Sequence[Tally]) -> Shares:
        """Return the shares over all batches; 0 where there is nothing to share."""
        names = [field.name for field in fields(Tally)]
        total = Tally(*(sum(getattr(tally, name) for tally in tallies) for name in names))
        return Shares(
            late_rows=total.late_facts / max(total.facts, 1),
            cancelled_orders=total.cancelled_orders / max(total.orders, 1),
            linked_visitors=total.linked_visitors / max(total.visitors, 1),
            rows_before_link=total.facts_before_link / max(total.unsigned_facts, 1),
            base_rate=total.conversions / max(total.snapshots, 1),
        )


def tally(history: History) -> Tally:
    """Return the numbers of one batch, of rows known by the export."""
    visits = history.visits.take(history.visits.recorded < periods.end())
    events = history.events.take(history.events.recorded < periods.end())
    orders = history.orders.take(history.orders.known < periods.end())
    late = [visits.recorded - visits.started - visits.duration, events.late, orders.late]
    n_visitors, n_linked = columns.visitor_numbers(history)
    unsigned, before = _before_link(history)
    snapshots, conversions = _conversions(history.orders, history)
    return Tally(
        facts=sum(len(seconds) for seconds in late),
        late_facts=sum(int(np.sum(seconds >= periods.DAY)) for seconds in late),
        orders=len(orders),
        cancelled_orders=int(np.sum(orders.cancelled < periods.end())),
        visitors=n_visitors,
        linked_visitors=n_linked,
        unsigned_facts=unsigned,
        facts_before_link=before,
        snapshots=snapshots,
        conversions=conversions,
    )


def _before_link(history: History) -> tuple[int, int]:
    unsigned, before = 0, 0
    first_links = _first_links(history)
    for rows, moments in (
        (history.visits, history.visits.started),
        (history.events, history.events.occurred),
    ):
        named_by_visitor = (rows.lead < 0) & (rows.stranger >= 0)
        unsigned += int(np.sum(named_by_visitor))
        chosen = np.flatnonzero(named_by_visitor & (rows.visitor >= 0))
        first = first_links[rows.visitor[chosen]]
        before += int(np.sum((moments[chosen] < first) & (first < periods.end())))
    return unsigned, before


def _first_links(history: History) -> Ints:
    first = np.full(len(history.links.too_shared_from), periods.NEVER, dtype=np.int64)
    np.minimum.at(first, history.links.visitor, history.links.linked)
    return first


def _conversions(orders: Orders, history: History) -> tuple[int, int]:
    """Snapshots whose window and settling time are over, and the leads with an order kept."""
    decided = periods.starts()[:-1] + (periods.PERIOD_DAYS + periods.SETTLE_DAYS) * periods.DAY
    ripe = np.append(decided <= periods.end(), np.zeros(1, dtype=np.bool_))
    period = periods.period_of(orders.ordered)
    kept = orders.cancellation_known >= decided[period]
    asked = ripe[period] & (history.leads.created[orders.lead] <= periods.starts()[period])
    converted = np.unique(orders.lead[kept & asked] * (periods.PERIODS + 1) + period[kept & asked])
    return int(np.sum(ripe[history.truth.period])), len(converted)
