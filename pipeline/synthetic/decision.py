"""The decision to buy: a probability of what the shop can see, and of nothing else.

For lead i at the start of period k, with V the rows visible then::

    h(V) = 1 / (1 + exp(-f(signals(V), attributes(V), k)))      buys in period k
    n    = 1 + Geometric(r)                                     orders, if it buys
    c                                                           an order is cancelled in time

A label is true when at least one order of the window is not cancelled (as far as known) at the
end of the window plus the settling time. Given that the lead buys, all n orders are cancelled in
time with probability ``E[c ** n] = c (1 - r) / (1 - r c)``, hence ::

    best possible = P(converts | V) = h(V) * (1 - c (1 - r) / (1 - r c))

f has what makes leads worth scoring: effects that saturate (`_up_to`), that need each other (a
company's price views and guides; a cart that says less about a regular customer; newsletters
that tire), that run out (the weeks after sign-up), that return (a refill is due about five weeks
after an order), and that drift (the season, the south's opposite season, fading newsletters,
social sign-ups losing worth, a slow decline with a step in the second spring).
"""

from __future__ import annotations

import numpy as np

from pipeline.synthetic import periods
from pipeline.synthetic.draws import Bools, Floats, Ints
from pipeline.synthetic.people import MISSING, Attributes
from pipeline.synthetic.signals import Signals

_BASE = -3.75
_COUNTRY = (0.1, 0.0, 0.15, 0.35, -0.2, -0.45, 0.0, 0.0)  # by code; the last is "missing"
_SOUTH = (5, 6)
_AGE = (-0.35, 0.15, 0.3, 0.2, -0.05, -0.4, -0.1)
_SOURCE = (0.2, -0.1, 0.55, 0.3, -0.5, 0.45)
_SOCIAL = 1
_STEP_PERIOD = 16
_MORE_ORDERS = 0.15


def best_probability(signals: Signals, attributes: Attributes, *, signup_source: Ints, period: int) -> Floats:
    """Return P(converts within the period | what is visible at its start), shape ``(n,)``.

    Args:
        signals: The visible history.
        attributes: The attributes as then known.
        signup_source: Code of where each lead came from.
        period: Number of the period; `periods.PERIODS` is the one after the export.
    """
    buys = buying_probability(signals, attributes, signup_source=signup_source, period=period)
    return buys * keeping_probability(attributes)


def keeping_probability(attributes: Attributes) -> Floats:
    """Return P(an order remains | the lead buys): not all orders are cancelled in time."""
    c, r = cancelling_probability(attributes), _MORE_ORDERS
    return np.asarray(1.0 - c * (1.0 - r) / (1.0 - r * c))


def buying_probability(signals: Signals, attributes: Attributes, *, signup_source: Ints, period: int) -> Floats:
    """Return h: the probability of at least one order, cancelled or not."""
    log_odds = (
        _BASE
        + _who(attributes, signup_source=signup_source, period=period)
        + _interest(signals, attributes.company)
        + _mail(signals, attributes.age_band, period=period)
        + _custom(signals)
        + _calendar(attributes.country, period=period)
    )
    return np.asarray(1.0 / (1.0 + np.exp(-log_odds)))


def cancelling_probability(attributes: Attributes) -> Floats:
    """Return c: the probability that an order is cancelled within the settling time."""
    return np.where(attributes.company, 0.035, 0.06)


def more_orders_mean() -> float:
    """Return the mean number of further orders of who buys: ``r / (1 - r)``."""
    return _MORE_ORDERS / (1.0 - _MORE_ORDERS)


def _up_to(count: Ints, scale: float) -> Floats:
    """A count that saturates: 0 at none, towards 1 at several times *scale*."""
    return 1.0 - np.exp(-count / scale)


def _who(attributes: Attributes, *, signup_source: Ints, period: int) -> Floats:
    size = np.where(attributes.employees == MISSING, 0, attributes.employees)
    source = np.array(_SOURCE)[signup_source]
    fading = np.where(signup_source == _SOCIAL, 0.7 * _progress(period), 0.0)
    return (
        np.array(_COUNTRY)[attributes.country]
        + np.array(_AGE)[attributes.age_band]
        + 0.25 * attributes.company * (np.log1p(size) - 3.0).clip(-2.0, 2.0)
        + source
        - fading
    )


def _interest(signals: Signals, company: Bools) -> Floats:
    visits = _up_to(signals.sessions, 2.5)
    prices = _up_to(signals.price_views, 1.0)
    guides = _up_to(signals.guides, 1.0)
    cart = _up_to(signals.cart_adds, 1.0)
    regular = _up_to(signals.orders, 1.5)
    fresh = np.exp(-signals.days_since_signup / 30.0)
    return (
        1.5 * visits
        + prices * (0.5 + 0.9 * company + 1.8 * company * guides)
        + cart * (2.0 - 1.0 * company) * (1.0 - 0.6 * regular)
        + fresh * (0.9 + 0.8 * visits)
    )


def _mail(signals: Signals, age_band: Ints, *, period: int) -> Floats:
    tired = 1.0 / (1.0 + 0.5 * np.maximum(signals.emails_sent - 1, 0))
    older = np.where(age_band >= 3, 1.5, 0.8)
    return older * _up_to(signals.email_clicks, 1.2) * tired * (1.2 - 0.6 * _progress(period))


def _custom(signals: Signals) -> Floats:
    refill = np.exp(-(((signals.days_since_order - 36.0) / 18.0) ** 2))
    lapsed = np.where(np.isinf(signals.days_since_order), 0.0, 1.0) * 0.35
    return 1.4 * _up_to(signals.orders, 1.5) + 1.1 * refill + lapsed


def _calendar(country: Ints, *, period: int) -> Floats:
    of_year = 2.0 * np.pi * (period % 13) / 13.0
    south = np.isin(country, _SOUTH)
    # The opening is in late January, so that the year's end is period 12 and 25.
    wave = 0.3 * np.cos(of_year + 0.5)
    trend = -0.25 * _progress(period) + (0.3 if period >= _STEP_PERIOD else 0.0)
    return np.where(south, -0.6 * wave, wave) + trend


def _progress(period: int) -> float:
    return min(period, periods.PERIODS - 1) / (periods.PERIODS - 1.0)
