"""Visits to the shop's pages, and what happens during them.

Visits come from four sides: leads after their sign-up, the same people before it, strangers who
never sign in, and the visit in which an order is placed. A part of all rows arrives days late,
as it does when an app was offline or a supplier sends files by the week.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from pipeline.synthetic import periods
from pipeline.synthetic.draws import (
    Bools,
    Draw,
    Ints,
    Keys,
    Stream,
    choose,
    choose_by_row,
    counts,
    happens,
    heavy_tailed,
    spread,
    sub_keys,
    uniforms,
    waits,
)
from pipeline.synthetic.people import DEVICES, MISSING, Leads
from pipeline.synthetic.rows import Rows
from pipeline.synthetic.visitors import NOBODY, STRANGER, Links

CHANNELS = (
    ("google", "organic", None),
    ("google", "cpc", "brand"),
    ("google", "cpc", "spring_range"),
    ("facebook", "paid_social", "lookalike"),
    ("instagram", "social", None),
    ("newsletter", "email", "newsletter"),
    (None, None, None),
    ("partner_blog", "referral", None),
    ("ad_network", "display", "retargeting"),
)
"""Source, medium and campaign of a visit; nothing for a visit that was typed in."""
LANDING_PAGES = ("/", "/category", "/product", "/sale", "/blog", "/pricing", "/guide", "/account")
LATE_SHARE = 0.045

_CHANNELS_FIRST = (30.0, 9.0, 5.0, 6.0, 3.0, 8.0, 22.0, 5.0, 12.0)
_CHANNELS_LAST = (24.0, 8.0, 6.0, 12.0, 12.0, 10.0, 21.0, 4.0, 3.0)
_LANDING_WEIGHTS = (30.0, 18.0, 22.0, 8.0, 7.0, 5.0, 4.0, 6.0)
_MOST_VISITS = 60
_LONGEST = 2 * 3600
_EARLIEST_DAYS = 90.0


@dataclass(frozen=True)
class Visits(Rows):
    """Rows of the table of sessions, shape ``(n_visits,)`` each.

    Attributes:
        keys: Where each visit's chance comes from.
        maker: Place of the lead behind the visit in the run (of strangers: where they are filed).
        company: Whether it is made at work for a company.
        lead: Place of the lead written in the row, `NOBODY` where nobody was signed in.
        visitor: Visitor code; `STRANGER` for a browser of its own.
        stranger: Number of the stranger among its maker's, else 0.
        started: Second at which it began.
        duration: Seconds.
        recorded: Second at which it reached the shop's tables.
        pages: Pages seen.
        channel: Index of `CHANNELS`.
        device: Index of `people.DEVICES`.
        landing: Index of `LANDING_PAGES`.
    """

    keys: Keys
    maker: Ints
    company: Bools
    lead: Ints
    visitor: Ints
    stranger: Ints
    started: Ints
    duration: Ints
    recorded: Ints
    pages: Ints
    channel: Ints
    device: Ints
    landing: Ints


def late_by(keys: Keys, *, mean_days: float, most_days: float) -> Ints:
    """Return the seconds by which each row is recorded late: 0 for most, else days."""
    wait = waits(keys, Draw.LATE_DELAY, mean_days * periods.DAY, most=most_days * periods.DAY)
    late = happens(keys, Draw.LATE, LATE_SHARE)
    return np.where(late, periods.DAY + wait.astype(np.int64), 0)


def draw_visits(leads: Leads, links: Links) -> Visits:
    """Return every visit of *leads* and of strangers that no order made."""
    parts = [_later_visits(leads, links), _early_visits(leads, links), _stranger_visits(leads)]
    return Visits.joined(parts)


def visits_before_orders(leads: Leads, links: Links, *, keys: Keys, maker: Ints, ordered: Ints) -> Visits:
    """Return the visit in which each order was placed: signed in, begun minutes before.

    Args:
        leads: The leads of the run.
        links: Their plan of links.
        keys: Keys of the orders, shape ``(n_orders,)`` like the next.
        maker: Place of the lead that ordered.
        ordered: Second of the order.
    """
    keys = sub_keys(keys, Stream.ORDER_VISIT, 0)
    before = 240 + (uniforms(keys, Draw.VISIT_BEFORE) * 1500).astype(np.int64)
    visits = _visits(leads, keys, maker, started=ordered - before)
    duration = np.maximum(visits.duration, before + 60)
    return replace(
        visits,
        lead=maker,
        visitor=links.own_browser[maker],
        duration=duration,
        recorded=visits.recorded - visits.duration + duration,
        pages=np.maximum(visits.pages, 4),
    )


def _later_visits(leads: Leads, links: Links) -> Visits:
    """Visits after sign-up: the lead's activity, bursts, the season, and cooling down."""
    lead, period = _lead_periods(leads)
    keys = sub_keys(leads.keys[lead], Stream.PERIOD, period)
    burst = np.array([0.25, 1.0, 3.2])[choose(keys, Draw.BURST, np.array([50.0, 35.0, 15.0]))]
    age = periods.starts()[period + 1] - leads.created[lead]
    warmth = 0.6 + 1.1 * np.exp(-age / (75.0 * periods.DAY))
    rate = leads.activity[lead] * burst * warmth * periods.period_season()[period]
    pair, number = spread(counts(keys, Draw.VISITS, rate, most=_MOST_VISITS))
    keys = sub_keys(keys[pair], Stream.VISIT, number)
    maker = lead[pair]
    started = periods.draw_moments(keys, period[pair], at_work=leads.first.company[maker])
    visits = _visits(leads, keys, maker, started=started)
    signed_in = happens(keys, Draw.LOGGED_IN, 0.55)
    at_kiosk = links.has_kiosk[maker] & ~signed_in & happens(keys, Draw.AT_KIOSK, 0.5)
    visits = replace(
        visits,
        lead=np.where(signed_in, maker, NOBODY),
        visitor=np.where(at_kiosk, links.kiosk[maker], links.own_browser[maker]),
    )
    return visits.take(started >= leads.created[maker])


def _early_visits(leads: Leads, links: Links) -> Visits:
    """Visits before sign-up, which only a link can tell."""
    maker, number = spread(counts(leads.keys, Draw.EARLY_VISITS, 1.1, most=20))
    keys = sub_keys(leads.keys[maker], Stream.EARLY, number)
    days = waits(keys, Draw.EARLY_TIME, 12.0, most=_EARLIEST_DAYS)
    started = leads.created[maker] - 7200 - (days * periods.DAY).astype(np.int64)
    visits = _visits(leads, keys, maker, started=np.maximum(started, 0))
    visits = replace(visits, visitor=links.own_browser[maker])
    return visits.take(started > 0)


def _stranger_visits(leads: Leads) -> Visits:
    """Visits of people who never sign in, filed in the period in which a lead signed up."""
    lead, stranger = spread(counts(leads.keys, Draw.STRANGERS, 0.5, most=10))
    keys = sub_keys(leads.keys[lead], Stream.STRANGER, stranger)
    visitor, number = spread(1 + counts(keys, Draw.STRANGER_VISITS, 0.4, most=10))
    keys = sub_keys(keys[visitor], Stream.VISIT, number)
    maker = lead[visitor]
    in_period = periods.period_of(leads.created[maker])
    started = periods.draw_moments(keys, in_period, at_work=np.zeros(len(keys), dtype=np.bool_))
    visits = _visits(leads, keys, maker, started=started)
    return replace(visits, stranger=stranger[visitor])


def _visits(leads: Leads, keys: Keys, maker: Ints, *, started: Ints) -> Visits:
    """Visits of nobody known, with all that does not depend on who makes them."""
    bounced = happens(keys, Draw.BOUNCE, 0.32)
    duration = np.minimum(heavy_tailed(keys, Draw.DURATION, 170.0, shape=1.5), _LONGEST)
    duration = np.where(bounced, duration * 0.05, duration).astype(np.int64) + 1
    pages = np.where(bounced, 1, 2 + counts(keys, Draw.PAGES, 3.0, most=60))
    channels = np.linspace(_CHANNELS_FIRST, _CHANNELS_LAST, periods.PERIODS)
    late = late_by(keys, mean_days=5.0, most_days=20.0)
    return Visits(
        keys=keys,
        maker=maker,
        company=leads.first.company[maker],
        lead=np.full(len(keys), NOBODY, dtype=np.int64),
        visitor=np.full(len(keys), STRANGER, dtype=np.int64),
        stranger=np.zeros(len(keys), dtype=np.int64),
        started=started,
        duration=duration,
        recorded=started + duration + late,
        pages=pages,
        channel=choose_by_row(keys, Draw.CHANNEL, channels, rows=periods.period_of(started)),
        device=_device(leads, keys, maker),
        landing=choose(keys, Draw.LANDING, np.array(_LANDING_WEIGHTS)),
    )


def _device(leads: Leads, keys: Keys, maker: Ints) -> Ints:
    preferred = leads.first.device[maker]
    other = choose(keys, Draw.SESSION_DEVICE_OTHER, np.array([60.0, 34.0, 6.0]))
    uses_other = (preferred == MISSING) | happens(keys, Draw.SESSION_DEVICE, 0.25)
    return np.where(uses_other, other, np.minimum(preferred, len(DEVICES) - 1))


def _lead_periods(leads: Leads) -> tuple[Ints, Ints]:
    """Every lead with every period from the one of its sign-up on."""
    since = periods.period_of(leads.created)
    lead, number = spread(periods.PERIODS - since)
    return lead, since[lead] + number
