"""The interval around a probability: Venn–Abers (Vovk, Petej and Fedorova, 2015).

Isotonic regression is fitted twice on margins that no tree saw: once as if the lead had converted (p1), once as if
it had not (p0). Both are step functions of the calibrated log-odds, stored as plain vectors.

They know how far the calibration is uncertain as long as nothing moves. Base rates do move, and forward blocks tell how
far (`models.base_rate`): both ends are set off by that reach in log-odds. docs/decisions/0018 says what was measured.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from models.model import sigmoid

MOST_LEVELS: Final = 1000
"""Margins are gathered into so many levels of equally many rows: the package walks them one by one."""


@dataclass(frozen=True)
class VennAbers:
    """The two step functions.

    Attributes:
        edges: Ascending calibrated log-odds of the calibration rows' levels, ``(n_levels,)``.
        p0: Probability had the lead not converted: before the first edge, and from each edge on.
        p1: Probability had it converted: up to each edge, and beyond the last.
        drift: How far the odds may move with the base rate, in log-odds, >= 0.
    """

    edges: tuple[float, ...]
    p0: tuple[float, ...]
    p1: tuple[float, ...]
    drift: float = 0.0

    def around(self, log_odds: npt.NDArray[np.float64]) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
        """Return (low, high) of each row; they always hold the probability itself."""
        probability = sigmoid(log_odds)
        above = np.searchsorted(self.edges, log_odds, side="right")
        below = np.searchsorted(self.edges, log_odds, side="left")
        low = _moved(np.minimum(np.asarray(self.p0)[above], probability), -self.drift)
        high = _moved(np.maximum(np.asarray(self.p1)[below], probability), self.drift)
        return np.minimum(low, probability), np.maximum(high, probability)


def fit_venn_abers(
    log_odds: npt.NDArray[np.float64], converted: npt.NDArray[np.bool_], *, drift: float = 0.0
) -> VennAbers:
    """Fit both step functions.

    Args:
        log_odds: Calibrated margins of rows that no tree saw, shape ``(n_rows,)``.
        converted: Their labels.
        drift: How far the odds may move with the base rate, in log-odds, >= 0.
    """
    before = np.geterr()
    from venn_abers import venn_abers

    np.seterr(**before)  # the package silences numpy for the whole process when it is imported
    level = _levels(log_odds)
    # At the last level the package takes the slope of nothing, and looks for the NaN itself.
    with np.errstate(divide="ignore", invalid="ignore"), warnings.catch_warnings(action="ignore"):
        p0, p1, edges = venn_abers.calc_p0p1(np.column_stack([level, level]), converted.astype(np.float64))
    return VennAbers(_plain(edges), _plain(p0[:, 1]), _plain(p1[:, 1]), drift)


def _moved(probability: npt.NDArray[np.float64], by: float) -> npt.NDArray[np.float64]:
    """Return probabilities with their odds multiplied by exp(*by*); 0 and 1 stay."""
    if not by:
        return probability
    odds = probability * np.exp(by)
    return odds / (odds + (1.0 - probability))


def _levels(log_odds: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return each margin's level: itself where they are few, else the mean of its thousandth of the rows.

    Rows that share a margin share a level, so that the order of rows decides nothing.
    """
    if len(np.unique(log_odds)) <= MOST_LEVELS:
        return log_odds
    ascending = np.sort(log_odds)
    first_of_margin = np.searchsorted(ascending, ascending)
    _, level = np.unique(first_of_margin * MOST_LEVELS // len(ascending), return_inverse=True)
    means = np.bincount(level, ascending) / np.bincount(level)
    return means[level][np.searchsorted(ascending, log_odds)]


def _plain(values: npt.NDArray[np.float64]) -> tuple[float, ...]:
    return tuple(float(value) + 0.0 for value in values)  # no minus zero
