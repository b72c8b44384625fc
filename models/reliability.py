"""Does the calibration hold? Observed conversions against what the probabilities themselves would bring.

Even perfect probabilities show a calibration error on few rows. So the error is set against the one that the same
probabilities show under labels drawn from themselves: below the 95th percentile of that, nothing speaks against them.

The interval of each lead is checked by groups: in a cell of n rows whose bounds average to low and high, the number of
conversions should lie between the 2.5 % point of Binomial(n, low) and the 97.5 % point of Binomial(n, high).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from models.model import sigmoid

SMALL_ERROR: Final = 0.02
"""An ECE up to here is no matter, whatever chance says."""
LEVEL: Final = 0.95
DRAWS: Final = 400
TENTHS: Final = 10
LEAST_ROWS_OF_CELL: Final = 500

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Reliability:
    """Whether probabilities hold.

    Attributes:
        ece: Expected calibration error in ten bins of equally many rows.
        by_chance: The 95th percentile of the same under labels drawn from the probabilities.
        expected: Sum of the probabilities.
        observed: Conversions.
    """

    ece: float
    by_chance: float
    expected: float
    observed: int

    @property
    def holds(self) -> bool:
        """Whether the error is small, or no larger than chance alone would show."""
        return self.ece <= max(SMALL_ERROR, self.by_chance)


@dataclass(frozen=True)
class Cell:
    """One tenth of the rows, by probability.

    Attributes:
        rows: How many.
        low, high: Mean bounds of their intervals.
        conversions: How many converted.
        least, most: The binomial band around [low, high].
    """

    rows: int
    low: float
    high: float
    conversions: int
    least: int
    most: int

    @property
    def is_covered(self) -> bool:
        """Whether the conversions lie inside the band."""
        return self.least <= self.conversions <= self.most


def reliability(log_odds: Floats, converted: Bools, *, seed: int = 0) -> Reliability:
    """Return whether calibrated *log_odds* hold against *converted*, both of shape ``(n_rows,)``."""
    # Rows that share a margin share a probability and a tenth: sorted, no order of theirs is seen.
    ascending = np.sort(log_odds)
    probability, tenth = sigmoid(ascending), tenths(ascending)
    starts = np.flatnonzero(np.diff(tenth, prepend=-1))
    promised = np.add.reduceat(probability, starts)

    def error(conversions: Floats) -> float:
        return float(np.abs(promised - conversions).sum() / len(log_odds))

    rng = np.random.default_rng(seed)
    drawn = [error(np.add.reduceat((rng.random(len(tenth)) < probability) * 1.0, starts)) for _ in range(DRAWS)]
    observed = np.bincount(tenths(log_odds), converted).astype(np.float64)
    return Reliability(
        ece=error(observed[np.unique(tenth)]),
        by_chance=float(np.quantile(drawn, LEVEL)),
        expected=float(probability.sum()),
        observed=int(converted.sum()),
    )


def cells(log_odds: Floats, low: Floats, high: Floats, converted: Bools) -> tuple[Cell, ...]:
    """Return the tenths of the rows by probability, the lowest first, and whether their intervals hold the truth.

    Args:
        log_odds: Calibrated log-odds, shape ``(n_rows,)``.
        low: The lower bound of each row's probability.
        high: The upper bound.
        converted: The labels.
    """
    from scipy.stats import binom

    found = []
    tail = (1.0 - LEVEL) / 2
    tenth = tenths(log_odds)
    for one in np.unique(tenth):
        rows = np.flatnonzero(tenth == one)
        below, above = float(np.sort(low[rows]).mean()), float(np.sort(high[rows]).mean())
        found.append(
            Cell(
                rows=len(rows),
                low=below,
                high=above,
                conversions=int(converted[rows].sum()),
                least=int(binom.ppf(tail, len(rows), below)),
                most=int(binom.ppf(1.0 - tail, len(rows), above)),
            )
        )
    return tuple(found)


def tenths(log_odds: Floats) -> npt.NDArray[np.int64]:
    """Return each row's tenth, 0 = the lowest, of as equally many rows as ties allow.

    Rows that share a margin share a tenth, so the order of rows decides nothing.
    """
    below = np.searchsorted(np.sort(log_odds), log_odds)
    return below * TENTHS // len(log_odds)
