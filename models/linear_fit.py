"""Fits the linear part: an L2-regularised logistic regression on standardised signed-log1p features.

    minimise  Σ log(1 + exp(-y·m)) + ‖coefficients‖² / (2·strength)

by Newton steps with a Cholesky factor (one pass over the rows per step), along a path of strengths, each started
from the one before. What comes out are the additive terms of `models.linear`, on the features' own scale.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from models.encoding import level_codes, level_counts, numbers
from models.linear import CategoryTerm, LinearPart, NumberTerm, signed_log1p
from models.linear_bounded import fit_bounded, keeps_to

if TYPE_CHECKING:
    import pyarrow as pa

    from features.matrix import FeatureTable

STRENGTHS: Final = (0.001, 0.01, 0.1, 1.0)
"""Inverse penalties tried, the most shrunken first."""
LEAST_ROWS_OF_LEVEL: Final = 10
LEAST_SHARE_OF_LEVEL: Final = 0.005
MOST_LEVELS: Final = 30

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class _NumberColumns:
    """A number's place in the design: a standardised value and, where both kinds occur, a missing flag."""

    feature: str
    low: float
    high: float
    mean: float
    scale: float
    has_flag: bool
    missing_share: float

    @property
    def width(self) -> int:
        return 1 + self.has_flag

    def fill(self, values: pa.ChunkedArray, out: Floats) -> None:
        x = numbers(values)
        missing = np.isnan(x)
        out[:, 0] = np.where(missing, 0.0, (np.clip(signed_log1p(x), self.low, self.high) - self.mean) / self.scale)
        if self.has_flag:
            out[:, 1] = missing - self.missing_share

    def term(self, coefficients: Floats) -> NumberTerm:
        slope = float(coefficients[0]) / self.scale
        flag = float(coefficients[1]) if self.has_flag else 0.0
        return NumberTerm(
            feature=self.feature,
            slope=slope,
            offset=-slope * self.mean - flag * self.missing_share,
            low=self.low,
            high=self.high,
            missing=flag * (1.0 - self.missing_share),
        )


@dataclass(frozen=True)
class _CategoryColumns:
    """A category's place in the design: one 0/1 column per frequent level, one for the rest, one for missing."""

    feature: str
    levels: tuple[str, ...]
    shares: tuple[float, ...]

    @property
    def width(self) -> int:
        return len(self.levels) + 2

    def fill(self, values: pa.ChunkedArray, out: Floats) -> None:
        out[:] = -np.asarray(self.shares)
        codes = level_codes(values, self.levels)
        out[np.arange(len(codes)), codes] += 1.0

    def term(self, coefficients: Floats) -> CategoryTerm:
        centred = coefficients - float(coefficients @ np.asarray(self.shares))
        *values, other, missing = (float(value) for value in centred)
        return CategoryTerm(self.feature, self.levels, tuple(values), other, missing)


def fit_linear(
    table: FeatureTable,
    converted: npt.NDArray[np.bool_],
    *,
    strengths: tuple[float, ...],
    directions: tuple[int, ...] = (),
) -> tuple[LinearPart, ...]:
    """Fit the logistic regression once per strength.

    Args:
        table: Training rows.
        converted: The labels, shape ``(n_rows,)``; both classes occur.
        strengths: Inverse penalties, ascending.
        directions: Per feature the only sign that its slope may have, 0 = either (`models.monotone`); empty = all free.

    Returns:
        One linear part per strength.
    """
    from sklearn.linear_model import LogisticRegression
    from threadpoolctl import threadpool_limits

    groups = [_plan(feature.name, feature.kind, table.columns.column(feature.name)) for feature in table.features]
    design = _design(table, groups)
    bound = _directions_of_design(groups, directions)
    solver = LogisticRegression(solver="newton-cholesky", warm_start=True, tol=1e-5, max_iter=50)
    parts = []
    # One thread: sums over threads depend on their number, and the model must not depend on the machine's cores.
    with threadpool_limits(limits=1, user_api="blas"):
        for strength in strengths:
            solver.set_params(C=strength).fit(design, converted)
            fitted = solver.coef_[0], float(solver.intercept_[0])
            if not keeps_to(fitted[0], bound):
                fitted = fit_bounded(design, converted, strength=strength, directions=bound, start=fitted)
            parts.append(_part(groups, *fitted))
    return tuple(parts)


def _plan(name: str, kind: str, values: pa.ChunkedArray) -> _NumberColumns | _CategoryColumns:
    """Decide the columns of one feature by what the training rows hold."""
    if kind == "number":
        x = signed_log1p(numbers(values))
        present = x[~np.isnan(x)]
        scale = float(present.std()) if len(present) else 0.0
        return _NumberColumns(
            feature=name,
            low=float(present.min(initial=0.0)),
            high=float(present.max(initial=0.0)),
            mean=float(present.mean()) if len(present) else 0.0,
            scale=scale if scale > 0 else 1.0,
            has_flag=0 < len(present) < len(x),
            missing_share=1.0 - len(present) / len(x),
        )
    levels, rows = level_counts(values)
    least = max(LEAST_ROWS_OF_LEVEL, LEAST_SHARE_OF_LEVEL * len(values))
    most_first = np.argsort(-rows, kind="stable")[:MOST_LEVELS]
    kept = tuple(levels[place] for place in np.sort(most_first) if rows[place] >= least)
    codes = level_codes(values, kept)
    shares = np.bincount(codes, minlength=len(kept) + 2) / len(codes)
    return _CategoryColumns(name, kept, tuple(float(share) for share in shares))


def _design(table: FeatureTable, groups: list[_NumberColumns | _CategoryColumns]) -> Floats:
    design = np.empty((len(table), sum(group.width for group in groups)), order="F")
    start = 0
    for group in groups:
        group.fill(table.columns.column(group.feature), design[:, start : start + group.width])
        start += group.width
    return design


def _directions_of_design(groups: list[_NumberColumns | _CategoryColumns], directions: tuple[int, ...]) -> Floats:
    """Return the direction of each column of the design: a number's own, none for its missing flag or a category."""
    bound = np.zeros(sum(group.width for group in groups))
    starts = np.cumsum([0, *(group.width for group in groups)])
    for start, direction in zip(starts, directions, strict=False):  # none at all where nothing is bound
        bound[start] = direction
    return bound


def _part(groups: list[_NumberColumns | _CategoryColumns], coefficients: Floats, intercept: float) -> LinearPart:
    """Fold the standardisation into terms; every design column has mean zero, so the intercept is the base."""
    terms = []
    start = 0
    for group in groups:
        terms.append(group.term(coefficients[start : start + group.width]))
        start += group.width
    return LinearPart(intercept, tuple(terms))
