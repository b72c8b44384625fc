"""BG/NBD: will a customer buy again? From how often, how lately and how long ago alone (Fader, Hardie and Lee, 2005).

While active, a customer buys at a rate λ of their own, λ ~ Gamma(r, α); after each purchase they leave for good with a
probability p of their own, p ~ Beta(a, b). With x repeat purchases, the last at t, observed until T since the first:

    P(active | x, t, T)      = 1 / (1 + [x > 0] · a / (b + x − 1) · ((α + T) / (α + t))^(r + x))
    P(buys in (T, T + h])    = P(active) · (1 − ((α + T) / (α + T + h))^(r + x))

The second line holds because, given that the customer is active, λ is Gamma(r + x, α + T) whatever p is.

Source: "Counting Your Customers" the Easy Way: An Alternative to the Pareto/NBD Model, Marketing Science 24 (2005).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

DAYS_PER_UNIT: Final = 7.0
"""Times are in weeks, in which the four numbers are of the order of one."""
MOST_CUSTOMERS: Final = 100_000
"""More customers than this change none of the four numbers visibly."""

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Purchases:
    """What the model knows of each customer; every array has shape ``(n_customers,)``.

    Attributes:
        repeats: Purchases after the first, >= 0.
        last: Weeks from the first purchase to the last; 0 without repeats.
        age: Weeks from the first purchase to now, >= *last*.
    """

    repeats: Floats
    last: Floats
    age: Floats

    @classmethod
    def of(cls, count: Floats, *, days_since_last: Floats, days_since_first: Floats) -> Purchases:
        """Return purchases as counts and days say; rows need a purchase (count >= 1)."""
        age, since = days_since_first / DAYS_PER_UNIT, days_since_last / DAYS_PER_UNIT
        return cls(count - 1.0, np.where(count > 1, age - since, 0.0), age)

    def take(self, rows: npt.NDArray[np.bool_] | npt.NDArray[np.int64]) -> Purchases:
        """Return the customers at *rows*."""
        return Purchases(self.repeats[rows], self.last[rows], self.age[rows])


@dataclass(frozen=True)
class BgNbd:
    """The fitted model.

    Attributes:
        r, alpha: Shape and rate (per week) of how purchase rates differ between customers.
        a, b: How the chances of leaving after a purchase differ between customers.
    """

    r: float
    alpha: float
    a: float
    b: float

    def probability_active(self, purchases: Purchases) -> Floats:
        """Return P(active) of each customer, shape ``(n_customers,)``; 1 without repeat purchases."""
        x = purchases.repeats
        # (b + x − 1) is only read where x > 0.
        odds_gone = self.a / (self.b + np.maximum(x, 1.0) - 1.0)
        ratio = ((self.alpha + purchases.age) / (self.alpha + purchases.last)) ** (self.r + x)
        return np.where(x > 0, 1.0 / (1.0 + odds_gone * ratio), 1.0)

    def probability_of_purchase(self, purchases: Purchases, *, days: Floats) -> Floats:
        """Return P(at least one purchase within *days*), shape ``(n_customers,)``."""
        waited = self.alpha + purchases.age
        silent = (waited / (waited + days / DAYS_PER_UNIT)) ** (self.r + purchases.repeats)
        return self.probability_active(purchases) * (1.0 - silent)


def fit_bgnbd(purchases: Purchases, *, seed: int = 0) -> BgNbd:
    """Fit the four numbers by maximum likelihood.

    Args:
        purchases: One row per customer.
        seed: Chooses the customers where there are more than `MOST_CUSTOMERS`.
    """
    from scipy.optimize import minimize

    if len(purchases.repeats) > MOST_CUSTOMERS:
        chosen = np.random.default_rng(seed).choice(len(purchases.repeats), MOST_CUSTOMERS, replace=False)
        purchases = purchases.take(chosen)
    # Many customers share their three numbers, all those who bought once on one day among them.
    alike, counts = np.unique(np.stack([purchases.repeats, purchases.last, purchases.age]), axis=1, return_counts=True)
    distinct = Purchases(*alike)

    def loss(logs: Floats) -> float:
        return -float((counts * log_likelihood(BgNbd(*np.exp(logs)), distinct)).sum()) / len(purchases.repeats)

    found = minimize(loss, np.zeros(4), method="L-BFGS-B", bounds=[(-7.0, 7.0)] * 4)
    r, alpha, a, b = (float(value) for value in np.exp(found.x))
    return BgNbd(r, alpha, a, b)


def log_likelihood(model: BgNbd, purchases: Purchases) -> Floats:
    """Return the log-likelihood of each customer, shape ``(n_customers,)``: equation 6 of the paper."""
    from scipy.special import betaln, gammaln

    x, r, alpha = purchases.repeats, model.r, model.alpha
    common = gammaln(r + x) - gammaln(r) + r * np.log(alpha) - betaln(model.a, model.b)
    stays = betaln(model.a, model.b + x) - (r + x) * np.log(alpha + purchases.age)
    leaves = betaln(model.a + 1.0, model.b + np.maximum(x, 1.0) - 1.0) - (r + x) * np.log(alpha + purchases.last)
    return common + np.where(x > 0, np.logaddexp(stays, leaves), stays)
