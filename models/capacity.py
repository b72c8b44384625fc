"""Capacity: what a team that can reach so many leads may expect of the best of them, and what more would bring.

Let the chosen leads convert with probabilities p₁ … pₙ, each on its own. Then

    expected conversions    Σ pᵢ
    number of conversions   Poisson-binomial: the law of a sum of unequal coin tosses

The interval leaves room for both kinds of doubt. *Chance*: the number itself scatters about its mean. *The model*: each
pᵢ is known only to lie between lowᵢ and highᵢ, and since these ends come from one calibration, the probabilities are
taken to err together, all low or all high. So the interval runs from the 5 % quantile of the number under the low ends
to its 95 % quantile under the high ends, and always holds the expectation. It is wider than 90 % where the model is
exactly right.

Ranks are a matter of the run, so what a capacity brings is as well; no lead's grade depends on it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from models.each_lead import first_of_each_lead
from models.holds import is_held
from models.poisson_binomial import distribution, quantile

LEVEL: Final = 0.90
MORE: Final = 100
"""How many leads beyond the capacity are asked about."""


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


def _free(scores: pa.Table) -> pa.Table:
    """Return the scored leads that are not held, each once, best first."""
    is_free = np.asarray(pc.is_valid(scores["rank"])) & ~is_held(scores["held"])
    ranked = scores.select(["lead_id", "rank", "probability", "probability_low", "probability_high"])
    ranked = ranked.filter(pa.array(is_free)).sort_by("rank")
    return ranked.take(pa.array(first_of_each_lead(ranked["lead_id"])))
