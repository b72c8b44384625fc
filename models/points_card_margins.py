"""A card as a model: what its totals mean as log-odds, learned from labelled rows.

    log-odds = a + b · total,      b >= 0

Two numbers: with the few conversions of a young shop an isotonic curve is a staircase with steps at 0 and 1, and its
ties cost AUC; a straight line keeps the card's order, and every point is worth the same odds, which is what a card
promises. Where the card ranks the wrong way round, b is 0 and the base rate is all that is said.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from models import errors
from models.model import LOG_2, logit
from models.points_card import Odds, PointsCard
from models.points_card_totals import card_points

if TYPE_CHECKING:
    from features.matrix import FeatureTable

Floats = npt.NDArray[np.float64]
PULL: Final = 0.1
"""Weight of b² (b for totals of spread 1) beside the summed loss: keeps b finite where totals part the labels."""


def card_margins(card: PointsCard, calibration: FeatureTable, judged: FeatureTable) -> Floats:
    """Return the log-odds that *card* gives to the rows *judged*, calibrated on other rows.

    Args:
        card: The card.
        calibration: Labelled rows, none of them judged, with the card's columns (among the features or beside).
        judged: The rows to judge; their labels are not read.

    Returns:
        Log-odds, shape ``(n_judged,)``.

    Raises:
        LeadlightError: No labels, labels of one kind alone, or the card's columns are missing.
    """
    if calibration.labels is None:
        raise errors.no_labels()
    converted = calibration.labels["converted"].to_numpy().astype(np.bool_)
    if converted.all() or not converted.any():
        raise errors.one_class(len(converted), converted=bool(converted.all()))
    a, b = fit_line(card_points(card, calibration).total, converted)
    return a + b * card_points(card, judged).total.astype(np.float64)


def odds_margins(odds: Odds, total: npt.NDArray[np.int64]) -> Floats:
    """Return the log-odds that a card's own *odds* give to totals, shape ``(n_rows,)``."""
    return float(logit(odds.at_zero)) + LOG_2 / odds.doubles_every * total.astype(np.float64)


def fit_line(total: npt.NDArray[np.int64], converted: npt.NDArray[np.bool_]) -> tuple[float, float]:
    """Return a and b >= 0 of ``log-odds = a + b · total`` with the least log-loss.

    Args:
        total: Points, shape ``(n_rows,)``.
        converted: Labels of both kinds.
    """
    from scipy.optimize import minimize

    centre, spread = float(total.mean()), float(total.std())
    base = float(logit(converted.mean()))
    if not spread:
        return base, 0.0
    # Rows of equal total are one term: so their order changes no bit, and a million rows cost no more than a hundred.
    values, place = np.unique(total, return_inverse=True)
    rows = np.bincount(place).astype(np.float64)
    won = np.bincount(place, converted).astype(np.float64)
    x = (values - centre) / spread

    def loss(at: Floats) -> tuple[float, Floats]:
        margin = at[0] + at[1] * x
        error = rows / (1.0 + np.exp(-margin)) - won
        value = (rows * np.logaddexp(0.0, margin) - won * margin).sum() + PULL * at[1] ** 2
        slope = np.array([error.sum(), (error * x).sum() + 2 * PULL * at[1]])
        return float(value) / len(total), slope / len(total)

    found = minimize(loss, np.array([base, 0.5]), jac=True, method="L-BFGS-B", bounds=[(None, None), (0.0, None)])
    slope = float(found.x[1]) / spread
    return float(found.x[0]) - slope * centre, slope
