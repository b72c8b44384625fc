"""Error gaps: whether the model selects some groups of people rightly more often than others.

A lead is *selected* when it is graded A. With fairlearn's metrics, per group:

    selection rate        selected / all
    true positive rate    selected / those who converted: who deserved the call and got it
    false positive rate   selected / those who did not: who was called in vain

and over the groups their largest differences: demographic parity (selection rates), equalized odds (the larger of the
differences in true and in false positive rates; Hardt, Price and Srebro 2016). Intervals resample leads
(`models.bootstrap`). A largest difference only grows by resampling, so its interval leans upwards.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from models.bootstrap import bootstrap_spread, sample_of_leads
from models.metrics import Estimate

if TYPE_CHECKING:
    from models.bands import Levels

RATES: Final = ("selection_rate", "true_positive_rate", "false_positive_rate")
"""fairlearn's names."""
RESAMPLES: Final = 200

Bools = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Selected:
    """Who is graded A, who converted, and whose rows these are; every array has shape ``(n_rows,)``."""

    is_selected: Bools
    converted: Bools
    lead: npt.NDArray[np.uint64]

    def take(self, rows: Ints) -> Selected:
        """Return the rows at positions *rows*."""
        return Selected(self.is_selected[rows], self.converted[rows], self.lead[rows])


@dataclass(frozen=True)
class GroupRates:
    """fairlearn's rates of one group, each with its interval over leads."""

    level: str
    selection_rate: Estimate
    true_positive_rate: Estimate
    false_positive_rate: Estimate


@dataclass(frozen=True)
class ErrorGaps:
    """How far the groups lie apart.

    Attributes:
        groups: The groups compared: those large enough for a figure, without the leads of unknown value.
        demographic_parity_difference: Largest difference in selection rates.
        true_positive_rate_difference: Largest difference in true positive rates.
        false_positive_rate_difference: Largest difference in false positive rates.
        equalized_odds_difference: The larger of the two before.
    """

    groups: tuple[GroupRates, ...]
    demographic_parity_difference: Estimate
    true_positive_rate_difference: Estimate
    false_positive_rate_difference: Estimate
    equalized_odds_difference: Estimate

    def apart(self) -> tuple[GroupRates, GroupRates] | None:
        """Return the groups with the lowest and the highest true positive rate where their intervals do not touch."""
        low = min(self.groups, key=lambda group: group.true_positive_rate.value)
        high = max(self.groups, key=lambda group: group.true_positive_rate.value)
        return (low, high) if low.true_positive_rate.high < high.true_positive_rate.low else None


def error_gaps(selected: Selected, found: Levels, *, compared: Sequence[int], seed: int = 0) -> ErrorGaps | None:
    """Return the error gaps between the levels in *compared*, or None where there are fewer than two.

    Args:
        selected: The rows.
        found: Their levels.
        compared: Places of the levels to compare; each holds leads that converted and leads that did not.
        seed: Seeds the resampling.
    """
    if len(compared) < 2:
        return None
    rows = np.flatnonzero(np.isin(found.of_row, compared))
    kept, group = selected.take(rows), np.searchsorted(compared, found.of_row[rows])
    names = [found.names[place] for place in compared]
    figures = np.concatenate([_by_fairlearn(kept, group, len(names)), _differences_by_fairlearn(kept, group)])
    below, above = _spread(kept, group, len(names), seed=seed)
    # A rate is at most 1; the interval is widened where needed to hold the figure itself.
    low = np.clip(figures + np.minimum(below, 0.0), 0.0, 1.0)
    high = np.clip(figures + np.maximum(above, 0.0), 0.0, 1.0)
    told = [Estimate(*map(float, one)) for one in zip(figures, low, high, strict=True)]
    by_rate, differences = told[: len(RATES) * len(names)], told[len(RATES) * len(names) :]
    groups = tuple(GroupRates(name, *by_rate[place :: len(names)]) for place, name in enumerate(names))
    return ErrorGaps(groups, *differences)


def rates(selected: Selected, group: Ints, n_groups: int, weight: Floats) -> Floats:
    """Return the three rates of each group under weights per row, shape ``(3 · n_groups,)``, rate by rate.

    The slow and obvious way is fairlearn's; this one is fast enough to be resampled.

    Args:
        selected: The rows.
        group: The group of each row, 0 … *n_groups* - 1.
        n_groups: How many groups there are.
        weight: What each row counts, shape ``(n_rows,)``, >= 0.

    Returns:
        All selection rates, then the true and the false positive rates; NaN where a rate is of nobody.
    """
    chosen, won = selected.is_selected.astype(np.float64), selected.converted.astype(np.float64)
    parts = (np.ones(len(group)), chosen, won, chosen * won)
    everyone, called, deserved, right = (np.bincount(group, weight * part, minlength=n_groups) for part in parts)
    wholes = np.stack([everyone, deserved, everyone - deserved])
    shares = np.stack([called, right, called - right])
    return np.divide(shares, wholes, out=np.full_like(wholes, np.nan), where=wholes > 0).ravel()


def _by_fairlearn(selected: Selected, group: Ints, n_groups: int) -> Floats:
    from fairlearn import metrics

    by_group = metrics.MetricFrame(
        metrics={name: getattr(metrics, name) for name in RATES},
        y_true=selected.converted.astype(int),
        y_pred=selected.is_selected.astype(int),
        sensitive_features=group,
    ).by_group
    return np.asarray(by_group.loc[range(n_groups), list(RATES)].to_numpy(dtype=np.float64).T.ravel())


def _differences_by_fairlearn(selected: Selected, group: Ints) -> Floats:
    from fairlearn import metrics

    asked = (
        metrics.demographic_parity_difference,
        metrics.true_positive_rate_difference,
        metrics.false_positive_rate_difference,
        metrics.equalized_odds_difference,
    )
    y_true, y_pred = selected.converted.astype(int), selected.is_selected.astype(int)
    return np.array([float(one(y_true, y_pred, sensitive_features=group)) for one in asked])


def _spread(selected: Selected, group: Ints, n_groups: int, *, seed: int) -> tuple[Floats, Floats]:
    """Return how far rates and differences fall and rise when leads are drawn anew."""
    rows, scale = sample_of_leads(selected.lead)
    sample, groups = selected.take(rows), group[rows]
    leads, place = np.unique(sample.lead, return_inverse=True)

    def figures(lead_weight: Floats) -> Floats:
        found = rates(sample, groups, n_groups, lead_weight[place])
        parity, right, vain = np.ptp(found.reshape(len(RATES), n_groups), axis=1)
        return np.array([*found, parity, right, vain, max(right, vain)])

    below, above = bootstrap_spread(figures, len(leads), resamples=RESAMPLES, seed=seed)
    return scale * below, scale * above
