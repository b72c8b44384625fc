"""Bounds that a chance finding does not reach: for shares, and for odds between groups of leads that are alike.

    share, lower bound        Clopper-Pearson: the p at which k or more of n are just as rare as `RARE`
    odds ratio over strata    Mantel-Haenszel: Σ a·d/n over Σ b·c/n, every cell raised by ½ (Haldane);
                              its logarithm's variance by Robins, Breslow and Greenland (1986)
    AUC over strata           mean of the strata's, weighted by their pairs; variance by Hanley and McNeil (1982)

Every count is a count of leads, each once, so that the rows of one lead count as one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

Bools = npt.NDArray[np.bool_]

RARE: Final = 0.001
"""How rarely chance alone passes a bound, each time that it is asked."""
STEPS: Final = 3.09
"""Standard errors that leave `RARE` on one side of a normal distribution."""


def lowest_share(found: int, of: int) -> float:
    """Return the lower bound of a share of which *found* of *of* were seen."""
    from scipy.stats import beta

    return float(beta.ppf(RARE, found, of - found + 1)) if found else 0.0


def highest_share(found: int, of: int) -> float:
    """Return the upper bound of a share of which *found* of *of* were seen."""
    from scipy.stats import beta

    return float(beta.ppf(1 - RARE, found + 1, of - found)) if found < of else 1.0


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
    cells = cells[(cells[:, :2].sum(axis=1) > 0) & (cells[:, 2:].sum(axis=1) > 0)]
    if not len(cells):
        return 1.0, 1.0
    # Half a lead more in each cell, spread over the strata: a ratio of nothing to something stays a number.
    cells = cells + 0.5 / len(cells)
    a, b, c, d = cells.T
    n = cells.sum(axis=1)
    up, down = a * d / n, b * c / n
    agree, differ = (a + d) / n, (b + c) / n
    ratio = up.sum() / down.sum()
    variance = (
        (agree * up).sum() / (2 * up.sum() ** 2)
        + (agree * down + differ * up).sum() / (2 * up.sum() * down.sum())
        + (differ * down).sum() / (2 * down.sum() ** 2)
    )
    towards_one = max(abs(np.log(ratio)) - STEPS * np.sqrt(variance), 0.0)
    return float(ratio), float(np.exp(np.sign(np.log(ratio)) * towards_one))


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
