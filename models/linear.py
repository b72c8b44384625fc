"""The linear part: each feature adds one term to the log-odds, whatever the others say.

    linear(lead) = base + Σ_feature term_feature(value)

A number's term is ``slope · clip(slog(x), low, high) + offset`` with ``slog(x) = sign(x)·log(1 + |x|)``; a category's
term is looked up by level. Terms are centred on the training rows, so `base` is the mean linear log-odds.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from models.encoding import level_codes, numbers

if TYPE_CHECKING:
    import pyarrow as pa

    from features.matrix import FeatureTable


@dataclass(frozen=True)
class NumberTerm:
    """What a number adds to the log-odds.

    Attributes:
        feature: Name of the feature.
        slope: Log-odds per unit of signed log1p.
        offset: Log-odds added to centre the term on the training rows.
        low, high: Range of signed log1p seen in training; a value beyond it counts as its edge.
        missing: The whole term where the value is missing.
    """

    feature: str
    slope: float
    offset: float
    low: float
    high: float
    missing: float

    def of(self, values: pa.ChunkedArray) -> npt.NDArray[np.float64]:
        """Return the term of each row, shape ``(n_rows,)``, in log-odds."""
        x = numbers(values)
        term = np.clip(signed_log1p(x), self.low, self.high) * self.slope + self.offset
        return np.where(np.isnan(x), self.missing, term)


@dataclass(frozen=True)
class CategoryTerm:
    """What a category adds to the log-odds.

    Attributes:
        feature: Name of the feature.
        levels: The frequent levels.
        values: The term of each of *levels*.
        other: The term of any other level.
        missing: The term of a missing value.
    """

    feature: str
    levels: tuple[str, ...]
    values: tuple[float, ...]
    other: float
    missing: float

    def of(self, values: pa.ChunkedArray) -> npt.NDArray[np.float64]:
        """Return the term of each row, shape ``(n_rows,)``, in log-odds."""
        return np.array([*self.values, self.other, self.missing])[level_codes(values, self.levels)]


@dataclass(frozen=True)
class LinearPart:
    """The logistic regression as additive terms, one per feature, in the model's feature order."""

    base: float
    terms: tuple[NumberTerm | CategoryTerm, ...]

    def contributions(self, table: FeatureTable) -> npt.NDArray[np.float64]:
        """Return every feature's term, shape ``(n_rows, n_features)``, in log-odds (before the blend's weight)."""
        out = np.empty((table.columns.num_rows, len(self.terms)))
        for place, term in enumerate(self.terms):
            out[:, place] = term.of(table.columns.column(term.feature))
        return out

    def margins(self, table: FeatureTable) -> npt.NDArray[np.float64]:
        """Return the linear log-odds, shape ``(n_rows,)``.

        Terms are added one feature after the other, never by matrix product, so that a lead scored alone gets the
        same bits as in a batch.
        """
        margins = np.full(table.columns.num_rows, self.base)
        for term in self.terms:
            margins += term.of(table.columns.column(term.feature))
        return margins


def signed_log1p(x: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return ``sign(x)·log(1 + |x|)``: tames long tails and keeps zero and sign."""
    return np.copysign(np.log1p(np.abs(x)), x)
