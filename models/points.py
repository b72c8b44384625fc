"""Log-odds as points that add up exactly.

Ten points double the odds:  points = 10 · log2(odds ratio) = 10 / ln 2 · log-odds. Points are kept as whole
hundredths of a point, rounded by largest remainder: every value is rounded down, and what is then missing to
the rounded total goes, one hundredth each, to the values that lost most. So a lead's points sum exactly to
round(100 · (unclipped score - 50)), over features, over families and over the two axes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from features.catalog import FAMILIES
from models.model import LOG_2, logit

if TYPE_CHECKING:
    from features.catalog import Feature
    from models.explain import Contributions
    from models.model import LeadModel

HUNDREDTHS_PER_LOG_ODDS: Final = 1000.0 / LOG_2
AXES: Final = ("fit", "engagement")
REFERENCE_TOLERANCE: Final = 1e-6
"""Log-odds by which the bundle's reference may differ from the SHAP base computed anew."""


@dataclass(frozen=True)
class Points:
    """The points of each row in whole hundredths.

    Attributes:
        total_hundredths: ``round(100 · (unclipped score - 50))``, int64 ``(n_rows,)``.
        per_feature: int64 ``(n_rows, n_features)``; every row sums to its total.
        features: The features, in column order.
    """

    total_hundredths: npt.NDArray[np.int64]
    per_feature: npt.NDArray[np.int64]
    features: tuple[Feature, ...]

    @cached_property
    def per_family(self) -> Mapping[str, npt.NDArray[np.int64]]:
        """Points of each family, int64 ``(n_rows,)`` each; zeros where it has no feature."""
        families = [feature.family for feature in self.features]
        return self._summed(families, list(dict.fromkeys([*FAMILIES, *families])))

    @cached_property
    def per_axis(self) -> Mapping[str, npt.NDArray[np.int64]]:
        """Points of ``fit`` and of ``engagement``, int64 ``(n_rows,)`` each; together they are the total."""
        return self._summed([feature.axis for feature in self.features], AXES)

    def _summed(self, group_of: list[str], groups: Sequence[str]) -> dict[str, npt.NDArray[np.int64]]:
        names = np.array(group_of, dtype=np.str_)
        return {group: self.per_feature[:, names == group].sum(axis=1) for group in groups}


@dataclass(frozen=True)
class ShownPoints:
    """Points as whole numbers for a person: ``start + sum(lines) + everything_else + limits = score``.

    Attributes:
        lines: What each line shows, in the order given.
        everything_else: What the lines leave out, with their rounding.
        limits: What the ends of the scale cut off: negative at 100, positive at 0, else 0.
        score: The score shown, 0–100.
    """

    lines: tuple[int, ...]
    everything_else: int
    limits: int
    score: int


def points(contributions: Contributions, model: LeadModel) -> Points:
    """Return contributions in log-odds as points.

    Args:
        contributions: Of the features of *model*, in its order.
        model: Gives the reference (the log-odds that score 50) and the features.

    Returns:
        The points; their totals come from the margins, not from the sum of the contributions.

    Raises:
        ValueError: The reference is not the base of the contributions, so points could not add up.
    """
    if not abs(model.reference - contributions.base) <= REFERENCE_TOLERANCE:
        raise ValueError(f"The reference {model.reference} is not the SHAP base {contributions.base}.")
    total = total_hundredths(contributions.margins, model)
    per_feature = largest_remainder(contributions.values * HUNDREDTHS_PER_LOG_ODDS, total)
    return Points(total, per_feature, model.features)


def total_hundredths(log_odds: npt.NDArray[np.float64], model: LeadModel) -> npt.NDArray[np.int64]:
    """Return ``round(100 · (unclipped score - 50))`` of calibrated log-odds, shape ``(n_rows,)``."""
    return np.rint((log_odds - model.reference) * HUNDREDTHS_PER_LOG_ODDS).astype(np.int64)


def largest_remainder(values: npt.NDArray[np.float64], totals: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Return *values* as whole numbers that sum to *totals*, each as near to its value as that allows.

    Every value is rounded down; the units then missing go to the largest remainders, the first column first
    among equals (Hamilton's method of apportionment).

    Args:
        values: Finite, shape ``(n_rows, n_columns)``, at least one column.
        totals: Whole sums, shape ``(n_rows,)``.

    Returns:
        Whole numbers, shape ``(n_rows, n_columns)``. Where a total is the rounded sum of its row, each
        differs from its value by less than 1.

    Example:
        ``largest_remainder([[1.5, 1.25, 0.25]], [3])`` is ``[[2, 1, 0]]``.
    """
    floors = np.floor(values)
    whole = floors.astype(np.int64)
    missing = totals - whole.sum(axis=1)
    # More than one unit per column is missing only where a total is far from the sum: first share evenly.
    evenly, rest = np.divmod(missing, values.shape[1])
    order = np.argsort(floors - values, axis=1, kind="stable")
    place = np.empty_like(order)
    np.put_along_axis(place, order, np.arange(values.shape[1])[None, :], axis=1)
    return whole + evenly[:, None] + (place < rest[:, None])


def score_at(probability: npt.NDArray[np.float64], model: LeadModel) -> npt.NDArray[np.int64]:
    """Return the score 0–100 that stands for a probability: the ends of a lead's interval, in points.

    Args:
        probability: 0–1, shape ``(n,)``; 0 and 1 stand at the ends of the scale.
        model: Gives the reference.
    """
    with np.errstate(divide="ignore"):
        log_odds = logit(probability)
    unclipped = 50.0 + (log_odds - model.reference) * HUNDREDTHS_PER_LOG_ODDS / 100.0
    return np.rint(np.clip(unclipped, 0.0, 100.0)).astype(np.int64)


def score_ends(low: float, high: float, model: LeadModel) -> tuple[int, int]:
    """Return the scores 0–100 at the ends *low* and *high* (0–1) of one probability's interval."""
    ends = score_at(np.asarray([low, high]), model)
    return int(ends[0]), int(ends[1])


def shown(
    lines_hundredths: Sequence[int], *, total_hundredths: int, score: int, start: int = 50, top: int = 100
) -> ShownPoints:
    """Return points as whole numbers that add up to the score shown.

    Args:
        lines_hundredths: Points of each line to show, in hundredths.
        total_hundredths: Points of the whole lead, in hundredths.
        score: The lead's score, 0–100, which rounds and clips ``start + total``.
        start: Where the sum begins: 50, or the base of a points card.
        top: Where the scale ends: 100, or the top of a points card.

    Returns:
        The lines, rounded each for itself, and the two lines that close the sum.
    """
    lines = tuple(int(np.rint(hundredths / 100)) for hundredths in lines_hundredths)
    # Inside the scale the score is the rounded total; at its ends the rest is the scale's doing.
    whole = score - start
    if score == top:
        whole = max(whole, int(np.rint(total_hundredths / 100)))
    elif score == 0:
        whole = min(whole, int(np.rint(total_hundredths / 100)))
    return ShownPoints(lines, everything_else=whole - sum(lines), limits=score - start - whole, score=score)
