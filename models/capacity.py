"""Capacity: what a team that can reach so many leads may expect of the best of them, and what more would bring.

Let the chosen leads convert with probabilities p₁ … pₙ, each on its own. Then

    expected conversions    Σ pᵢ
    number of conversions   Poisson-binomial: the law of a sum of unequal coin tosses

The interval leaves room for both kinds of doubt. *Chance*: the number itself scatters about its mean. *The model*: each
pᵢ is known only to lie between lowᵢ and highᵢ, and since these ends come from one calibration, the probabilities are
taken to err together, all low or all high. So the interval runs from the 5 % quantile of the number under the low ends
to its 95 % quantile under the high ends, and always holds the expectation. It is wider than 90 % where the model is
exactly right.

The Poisson-binomial law is computed in full, as the product of the generating functions 1 - pᵢ + pᵢ z, multiplied two
by two (Biscarri, Zhao and Brunner 2018, "A simple and fast method for computing the Poisson binomial distribution
function", Computational Statistics & Data Analysis 122).

Ranks are a matter of the run, so what a capacity brings is as well; no lead's grade depends on it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from models.holds import is_held

Floats = npt.NDArray[np.float64]

LEVEL: Final = 0.90
MORE: Final = 100
"""How many leads beyond the capacity are asked about."""
_EXACTLY: Final = 64
"""Shorter polynomials are multiplied term by term: a transform would cost more."""


@dataclass(frozen=True)
class Conversions:
    """What some leads may bring.

    Attributes:
        leads: How many they are.
        expected: Expected conversions; None where a points card says no probability.
        low: Fewest conversions that one must reckon with (5 %), None as above.
        high: Most conversions that one may hope for (95 %), None as above.
    """

    leads: int
    expected: float | None
    low: int | None
    high: int | None


@dataclass(frozen=True)
class Capacity:
    """What a week brings, and a longer one.

    Attributes:
        per_week: How many leads can be reached in a week.
        best: The best leads that are not held, as many as can be reached.
        more: The next `MORE` of them.
        free: All leads that are not held and have a score.
    """

    per_week: int
    best: Conversions
    more: Conversions
    free: int


def capacity(scores: pa.Table, *, per_week: int) -> Capacity:
    """Return what the best leads of one run may bring.

    Args:
        scores: Stored scores. A lead with several rows counts once, at its best rank; held leads and leads without a
            score are not called.
        per_week: How many leads can be reached, >= 1.
    """
    free = _free(scores)
    return Capacity(
        per_week=per_week,
        best=conversions(free.slice(0, per_week)),
        more=conversions(free.slice(per_week, MORE)),
        free=len(free),
    )


def conversions(leads: pa.Table) -> Conversions:
    """Return what *leads* may bring: one row per lead with ``probability`` and its two ends.

    A points card may say a probability without ends; then chance alone makes the interval.
    """
    p = leads["probability"]
    if p.null_count:
        return Conversions(len(leads), None, None, None)
    low, high = (pc.coalesce(leads[f"probability_{end}"], p).to_numpy() for end in ("low", "high"))
    expected = float(np.sum(p.to_numpy()))
    fewest = quantile(distribution(low), (1 - LEVEL) / 2)
    most = quantile(distribution(high), (1 + LEVEL) / 2)
    return Conversions(len(leads), expected, min(fewest, int(expected)), max(most, int(np.ceil(expected))))


def distribution(probability: Floats) -> Floats:
    """Return P(0), P(1), … P(n) conversions of leads that convert each on its own, shape ``(n + 1,)``.

    Args:
        probability: Of each lead, 0–1, shape ``(n,)``.
    """
    parts = [np.array([1.0 - p, p]) for p in probability] or [np.ones(1)]
    while len(parts) > 1:
        paired = [_product(a, b) for a, b in zip(parts[::2], parts[1::2], strict=False)]
        parts = [*paired, parts[-1]] if len(parts) % 2 else paired
    return parts[0]


def quantile(law: Floats, share: float) -> int:
    """Return the least number k with P(at most k) >= *share*."""
    # The last sum may fall short of 1 by rounding.
    return min(int(np.searchsorted(np.cumsum(law), share - 1e-12)), len(law) - 1)


def _product(a: Floats, b: Floats) -> Floats:
    if min(len(a), len(b)) <= _EXACTLY:
        return np.convolve(a, b)
    from scipy.signal import fftconvolve

    return np.clip(fftconvolve(a, b), 0.0, 1.0)


def _free(scores: pa.Table) -> pa.Table:
    """Return the scored leads that are not held, each once, best first."""
    is_free = np.asarray(pc.is_valid(scores["rank"])) & ~is_held(scores["held"])
    ranked = scores.select(["lead_id", "rank", "probability", "probability_low", "probability_high"])
    ranked = ranked.filter(pa.array(is_free)).sort_by("rank")
    _, first = np.unique(ranked["lead_id"].to_numpy(), return_index=True)
    return ranked.take(pa.array(np.sort(first)))
