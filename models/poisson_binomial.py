"""How many of some leads convert, each with a probability of its own: the Poisson-binomial law.

It is computed in full, as the product of the generating functions 1 - pᵢ + pᵢ z, multiplied two by two (Biscarri, Zhao
and Brunner 2018, "A simple and fast method for computing the Poisson binomial distribution function", Computational
Statistics & Data Analysis 122). For many leads its quantiles are those of a normal law corrected for skewness (Cornish
and Fisher 1938), which then differ by less than one lead.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

WHOLE_UP_TO: Final = 1_000
"""So many leads have their law computed in full."""
_Z: Final = 1.959963984540054
"""The normal quantile of 0.975."""
_EXACTLY: Final = 64
"""Shorter polynomials are multiplied term by term: a transform would cost more."""


def distribution(probability: Floats) -> Floats:
    """Return P(0), P(1), … P(n) conversions of leads that convert each on its own, shape ``(n + 1,)``.

    Args:
        probability: Of each lead, 0–1, shape ``(n,)``.
    """
    leads = len(probability)
    # Leads that never convert fill up to a power of two, so that all products of a round are one array's.
    whole = np.zeros(1 << max(leads - 1, 0).bit_length())
    whole[:leads] = probability
    laws = np.stack([1.0 - whole, whole], axis=1)
    while len(laws) > 1:
        laws = _products(laws[::2], laws[1::2])
    return laws[0, : leads + 1]


def quantile(law: Floats, share: float) -> int:
    """Return the least number k with P(at most k) >= *share*."""
    # The last sum may fall short of 1 by rounding.
    return min(int(np.searchsorted(np.cumsum(law), share - 1e-12)), len(law) - 1)


def _products(a: Floats, b: Floats) -> Floats:
    """Return the products of the polynomials in the rows of *a* with those of *b*, both of shape (rows, terms)."""
    rows, terms = a.shape
    if terms > _EXACTLY:
        from scipy.signal import fftconvolve

        return np.clip(fftconvolve(a, b, axes=1), 0.0, 1.0)
    found = np.zeros((rows, 2 * terms - 1))
    for term in range(terms):
        found[:, term : term + terms] += a[:, term, None] * b
    return found


def central_95(probability: Floats) -> tuple[int, int]:
    """Return between which numbers of conversions chance leaves 95 of 100 groups such as this one, both within 0…n.

    Args:
        probability: Of each lead, 0–1, shape ``(n,)``.
    """
    if len(probability) <= WHOLE_UP_TO:
        law = distribution(probability)
        return quantile(law, 0.025), quantile(law, 0.975)
    mean, variance = probability.sum(), (probability * (1 - probability)).sum()
    third = (probability * (1 - probability) * (1 - 2 * probability)).sum()
    spread = np.sqrt(variance)
    lean = third / (6 * variance) * (_Z**2 - 1) if variance > 0 else 0.0
    # A whole number stands for the half below and above it.
    low, high = np.ceil(mean + lean - _Z * spread - 0.5), np.floor(mean + lean + _Z * spread + 0.5)
    return int(np.clip(low, 0, len(probability))), int(np.clip(high, 0, len(probability)))
