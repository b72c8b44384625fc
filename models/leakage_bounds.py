"""Bounds that a chance finding does not reach: for shares, and for odds between groups of leads that are alike.

    share, lower bound        Clopper-Pearson: the p at which k or more of n are just as rare as `RARE`
    odds ratio over strata    Mantel-Haenszel: Σ a·d/n over Σ b·c/n, every cell raised by ½ (Haldane)
    its bound                 Cornfield (1956), over strata Gart (1970): the ratio ψ at which Σ a lies `STEPS` standard
                              errors and ½ beyond what ψ makes of the margins; it holds with empty cells too
    AUC over strata           mean of the strata's, weighted by their pairs; variance by Hanley and McNeil (1982)

Every count is a count of leads, each once, so that the rows of one lead count as one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

Bools = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]

RARE: Final = 0.001
"""How rarely chance alone passes a bound, each time that it is asked."""
LEAST_LEADS: Final = 20
"""Leads of each kind that a comparison needs: fewer prove nothing."""
STEPS: Final = 3.09
"""Standard errors that leave `RARE` on one side of a normal distribution."""
MOST_LOG_ODDS: Final = 12.0
HALVINGS: Final = 40
TINY: Final = 1e-9


def lowest_share(found: int, of: int) -> float:
    """Return the lower bound of a share of which *found* of *of* were seen."""
    from scipy.special import betaincinv

    return float(betaincinv(found, of - found + 1, RARE)) if found else 0.0


def highest_share(found: int, of: int) -> float:
    """Return the upper bound of a share of which *found* of *of* were seen."""
    from scipy.special import betaincinv

    return float(betaincinv(found + 1, of - found, 1 - RARE)) if found < of else 1.0


def least_odds_ratio(marked: Bools, converts: Bools, stratum: npt.NDArray[np.int64]) -> tuple[float, float]:
    """Return the odds ratio of *marked* between who converts and who does not, and its bound towards 1.

    Args:
        marked: Whether each lead has the mark, shape ``(n_leads,)``.
        converts: Whether it converts later.
        stratum: Which leads are alike: only these are compared.

    Returns:
        (ratio, bound): the bound lies between the ratio and 1, and is 1 where chance would do; (1, 1) without leads of
        every kind.
    """
    cells = np.array([_cells(marked[here], converts[here]) for here in _strata(stratum)]).reshape(-1, 4)
    cells = cells[(cells[:, :2].sum(axis=1) > 0) & (cells[:, 2:].sum(axis=1) > 0)].astype(np.float64)
    if not len(cells):
        return 1.0, 1.0
    # Half a lead more in each cell, spread over the strata: a ratio of nothing to something stays a number.
    a, b, c, d = (cells + 0.5 / len(cells)).T
    n = a + b + c + d
    ratio = float((a * d / n).sum() / (b * c / n).sum())
    return ratio, _bound(cells, is_more=ratio > 1)


def _bound(cells: Floats, *, is_more: bool) -> float:
    """Return the odds ratio between 1 and the one found that the cells just do not rule out."""
    if not is_more:
        # Who converts and who does not exchanged, the ratio is turned upside down.
        return 1.0 / _bound(cells[:, [2, 3, 0, 1]], is_more=True)
    low, high = 0.0, MOST_LOG_ODDS
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if _beyond(cells, float(np.exp(middle))) >= STEPS else (low, middle)
    return float(np.exp(low))


def _beyond(cells: Floats, ratio: float) -> float:
    """Return how many standard errors more marked leads convert than *ratio* makes of the margins."""
    a, b, c, d = cells.T
    converting, marked, unmarked_others = a + b, a + c, d - a
    # The cell A with A · (d - a + A) = ψ · (marked - A) · (converting - A); its other root lies outside the margins.
    square, linear, constant = 1 - ratio, unmarked_others + ratio * (marked + converting), -ratio * marked * converting
    root = np.sqrt(np.maximum(linear**2 - 4 * square * constant, 0.0))
    fitted = np.where(
        abs(square) < TINY, -constant / linear, (root - linear) / (2 * square if abs(square) >= TINY else 1)
    )
    parts = np.stack([fitted, converting - fitted, marked - fitted, unmarked_others + fitted])
    variance = np.where((parts > 0).all(axis=0), 1 / (1 / np.maximum(parts, TINY)).sum(axis=0), 0.0)
    spread = float(np.sqrt(variance.sum()))
    return (float((a - fitted).sum()) - 0.5) / spread if spread > 0 else 0.0


def left_over(group: Bools, kind: Bools) -> float:
    """Return how much of its usual share a kind of leads still has in a group: P(kind | group) / P(kind).

    Args:
        group: Whether each lead is in the group, shape ``(n_leads,)``.
        kind: Whether it is of the kind.

    Returns:
        0 = none of the kind is left in the group, 1 = as many as anywhere. A group of fewer than `LEAST_LEADS` leads
        says nothing: 1.
    """
    if group.sum() < LEAST_LEADS or not kind.any():
        return 1.0
    return float(kind[group].mean() / kind.mean())


def least_auc(auc: Sequence[float], converting: Sequence[int], others: Sequence[int]) -> tuple[float, float]:
    """Return the mean ROC-AUC over strata, and its bound towards ½; (½, ½) where no stratum has leads of both kinds.

    Args:
        auc: Of each stratum.
        converting: How many of its leads convert.
        others: How many do not.
    """
    a, n, m = np.asarray(auc), np.asarray(converting, dtype=np.float64), np.asarray(others, dtype=np.float64)
    pairs = n * m
    if not pairs.sum():
        return 0.5, 0.5
    a, n, m, pairs = a[pairs > 0], n[pairs > 0], m[pairs > 0], pairs[pairs > 0]
    # Two converting leads that both beat one other lead, and one that beats two others.
    twice_won, twice_lost = a / (2 - a), 2 * a**2 / (1 + a)
    variance = (a * (1 - a) + (n - 1) * (twice_won - a**2) + (m - 1) * (twice_lost - a**2)) / pairs
    weight = pairs / pairs.sum()
    mean = float((weight * a).sum())
    room = max(abs(mean - 0.5) - STEPS * float(np.sqrt((weight**2 * variance).sum())), 0.0)
    return mean, float(0.5 + np.sign(mean - 0.5) * room)


def _cells(marked: Bools, converts: Bools) -> tuple[int, int, int, int]:
    """Return who converts with and without the mark, and who does not with and without it."""
    yes, no = converts, ~converts
    return tuple(int(both.sum()) for both in (yes & marked, yes & ~marked, no & marked, no & ~marked))  # type: ignore[return-value]


def _strata(stratum: npt.NDArray[np.int64]) -> list[Bools]:
    return [stratum == one for one in np.unique(stratum)]
