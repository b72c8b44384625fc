"""Who is better, and whether that could be luck.

paired bootstrap   every resample of the leads judges both models on the same leads; the difference counts where
                   its 95 % interval excludes zero
mean rank          over the tasks, 1 = best; ties share their ranks
ECE of truth       what the ECE would be were the predictions exactly right: labels are drawn from them, and the
                   95th percentile is what a perfect model exceeds once in twenty
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt

from models.bootstrap import bootstrap_spread
from models.metrics import ECE_BINS, Estimate, row_losses
from models.model import sigmoid

RESAMPLES: Final = 500
DRAWS: Final = 500
LESS_IS_BETTER: Final = frozenset({"log_loss", "ece"})

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Figure: TypeAlias = Callable[[Floats], float]
"""From weights per lead to a figure."""


@dataclass(frozen=True)
class Difference:
    """One model's figure minus a peer's, on the same rows.

    Attributes:
        peer: The peer.
        metric: ``log_loss`` or ``ap``.
        estimate: The difference with its 95 % interval over leads.
    """

    peer: str
    metric: str
    estimate: Estimate

    @property
    def is_worse(self) -> bool:
        """Whether the model is worse than the peer, and luck does not explain it."""
        return self.estimate.low > 0 if self.metric in LESS_IS_BETTER else self.estimate.high < 0


def best_peer(figures: Mapping[str, Mapping[str, float]], metric: str, *, apart_from: str) -> str:
    """Return the name of the best model on one task.

    Args:
        figures: Per model and metric.
        metric: Judged by this.
        apart_from: This one does not count.
    """
    sign = 1 if metric in LESS_IS_BETTER else -1
    return min((name for name in figures if name != apart_from), key=lambda name: sign * figures[name][metric])


def difference(
    ours: Floats, theirs: Floats, converted: Bools, lead: npt.NDArray[np.uint64], *, peer: str, metric: str
) -> Difference:
    """Return our figure minus theirs, with the interval of a paired bootstrap over leads.

    Args:
        ours: Log-odds of the rows, shape ``(n_rows,)``.
        theirs: The peer's, of the same rows.
        converted: The labels.
        lead: Hash of each row's lead.
        peer: The peer's name.
        metric: ``log_loss`` or ``ap``.
    """
    leads, place = np.unique(lead, return_inverse=True)
    figure = {"log_loss": _log_loss, "ap": _average_precision}[metric]
    both = [figure(margins, converted, place) for margins in (ours, theirs)]

    def gap(lead_weight: Floats) -> Floats:
        return np.array([both[0](lead_weight) - both[1](lead_weight)])

    below, above = bootstrap_spread(gap, len(leads), resamples=RESAMPLES, seed=0)
    value = gap(np.ones(len(leads)))
    return Difference(peer, metric, Estimate(*map(float, (value[0], (value + below)[0], (value + above)[0]))))


def mean_ranks(figures: Mapping[str, Mapping[str, Mapping[str, float]]], metric: str) -> dict[str, float]:
    """Return each model's mean rank over the tasks, 1 = best, best first.

    Args:
        figures: Per task, model and metric; only models that answered everywhere are ranked.
        metric: Ranked by this.
    """
    from scipy.stats import rankdata

    answered = [set(of_task) for of_task in figures.values()]
    models = sorted(set.intersection(*answered))
    sign = 1 if metric in LESS_IS_BETTER else -1
    ranks = [rankdata([sign * of_task[name][metric] for name in models]) for of_task in figures.values()]
    return dict(sorted(zip(models, np.mean(ranks, axis=0).tolist(), strict=True), key=lambda pair: pair[1]))


def ece(probability: Floats, converted: Bools) -> float:
    """Return the expected calibration error in ten bins of equally many rows, as `models.metrics` has it."""
    order = np.argsort(probability, kind="stable")
    starts = np.unique(np.arange(ECE_BINS) * len(order) // ECE_BINS)
    gaps = np.add.reduceat((probability - converted)[order], starts)
    return float(np.abs(gaps).sum() / len(order))


def ece_of_truth(log_odds: Floats) -> float:
    """Return the 95th percentile of the ECE under labels drawn from the predictions themselves."""
    probability = np.sort(sigmoid(log_odds))
    rng = np.random.default_rng(0)
    return float(
        np.quantile([ece(probability, rng.random(len(probability)) < probability) for _ in range(DRAWS)], 0.95)
    )


def _log_loss(margins: Floats, converted: Bools, place: npt.NDArray[np.int64]) -> Figure:
    loss = np.bincount(place, row_losses(margins, converted))
    rows = np.bincount(place)
    return lambda lead_weight: float((lead_weight @ loss) / (lead_weight @ rows))


def _average_precision(margins: Floats, converted: Bools, place: npt.NDArray[np.int64]) -> Figure:
    order = np.argsort(-margins, kind="stable")
    best_first = margins[order]
    group_ends = np.flatnonzero(np.append(best_first[1:] != best_first[:-1], True))

    def figure(lead_weight: Floats) -> float:
        weight = lead_weight[place[order]]
        asked = np.cumsum(weight)[group_ends]
        won = np.cumsum(weight * converted[order])[group_ends]
        precision = np.divide(won, asked, out=np.zeros_like(asked), where=asked > 0)
        return float((np.diff(won, prepend=0.0) * precision).sum() / won[-1]) if won[-1] else float("nan")

    return figure
