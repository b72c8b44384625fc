"""Bootstrap over leads: the rows of one person stand or fall together.

Each resample gives every lead a Poisson(1) weight, the large-sample form of drawing leads with replacement, and the
figures are computed again under those weights. (On CDNOW, 21,056 converting rows are 7,157 people: drawing rows
instead would understate the error 1.9 times.)
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np
import numpy.typing as npt

from models.splits import sample_of_whole_leads

LEVEL: Final = 0.95
MOST_RESAMPLED_ROWS: Final = 100_000
"""Beyond so many rows the spread is measured on a sample of the leads, and scaled."""
SAMPLE_SEED: Final = 101

Floats = npt.NDArray[np.float64]


def bootstrap_spread(
    figures: Callable[[Floats], Floats], n_leads: int, *, resamples: int, seed: int
) -> tuple[Floats, Floats]:
    """Return how far each figure falls and rises under resampling of leads, at the 2.5 % and 97.5 % points.

    Args:
        figures: From lead weights ``(n_leads,)`` to figures ``(n_figures,)``; NaN where a resample has one class.
        n_leads: How many leads there are.
        resamples: How many times they are drawn.
        seed: Seeds the draws.

    Returns:
        (below, above), each ``(n_figures,)``: deviations from the figures under equal weights; zero where no
        resample was usable.
    """
    rng = np.random.default_rng(seed)
    equal = figures(np.ones(n_leads))
    drawn = np.array([figures(rng.poisson(1.0, n_leads).astype(np.float64)) for _ in range(resamples)])
    usable = drawn[~np.isnan(drawn).any(axis=1)]
    if not len(usable):
        return np.zeros_like(equal), np.zeros_like(equal)
    low, high = np.quantile(usable, [(1 - LEVEL) / 2, (1 + LEVEL) / 2], axis=0)
    return low - equal, high - equal


def sample_of_leads(lead: npt.NDArray[np.uint64]) -> tuple[npt.NDArray[np.int64], float]:
    """Return the rows of a random share of the leads, and what to scale their spread by.

    Args:
        lead: Hash of each row's lead, shape ``(n_rows,)``.

    Returns:
        Row positions, all of them up to `MOST_RESAMPLED_ROWS`; and √(sampled rows / all rows), because errors
        shrink with the root of the size.
    """
    rows = sample_of_whole_leads(lead, most_rows=MOST_RESAMPLED_ROWS, seed=SAMPLE_SEED)
    share = len(rows) / len(lead) if len(lead) else 1.0
    return rows, float(np.sqrt(share))
