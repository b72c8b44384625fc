"""Probabilities as log-odds, so that everyone is judged on the same scale."""

import numpy as np

from benchmarks.quality.rows import Floats

SURE = 1e-6
"""A forest says 0 and 1 of leaves that it knows by heart: one such error must not cost infinitely much."""


def log_odds_of(probability: Floats) -> Floats:
    """Return ``log(p / (1 - p))`` of *probability*, kept `SURE` away from 0 and 1."""
    inside = np.clip(probability, SURE, 1 - SURE)
    return np.log(inside) - np.log1p(-inside)
