"""The figures of one task: everyone's, ours against the best, and what was possible."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from benchmarks.quality import ours
from benchmarks.quality.comparison import Difference, best_peer, difference, ece_of_truth
from benchmarks.quality.rows import Floats
from benchmarks.quality.task import Task
from models.metrics import Estimate, Metrics, evaluate
from models.reliability import SMALL_ERROR

METRICS = {"auc": "roc_auc", "ap": "average_precision", "log_loss": "log_loss", "ece": "ece"}
"""Short names, and the names of `Metrics`."""
COMPARED = ("log_loss", "ap")


@dataclass(frozen=True)
class Judged:
    """What one task showed.

    Attributes:
        task: Its name.
        rows, conversions: Of the test: rows, and distinct converting leads.
        estimates: Per model and metric: the figure with its 95 % interval over leads.
        ece_of_truth: What our ECE would stay below 19 times in 20 were our predictions exactly right.
        differences: Ours minus the best peer's, by log-loss and by AP.
        best_possible_auc: Where the truth is known.
    """

    task: str
    rows: int
    conversions: int
    estimates: Mapping[str, Mapping[str, Estimate]]
    ece_of_truth: float
    differences: tuple[Difference, ...]
    best_possible_auc: float | None

    def values(self) -> dict[str, dict[str, float]]:
        """Return the bare figures per model and metric."""
        return {name: {metric: one.value for metric, one in of.items()} for name, of in self.estimates.items()}

    @property
    def is_calibrated(self) -> bool:
        """Whether our ECE is small, or no more than luck alone would make it."""
        return self.estimates[ours.NAME]["ece"].value <= max(SMALL_ERROR, self.ece_of_truth)


def judge(task: Task, said: Mapping[str, Floats]) -> Judged:
    """Return the figures of everyone on *task*.

    Args:
        task: What was asked.
        said: Log-odds of the test rows per model.
    """
    measured = {name: evaluate(log_odds, task.converted, task.lead) for name, log_odds in said.items()}
    estimates = {name: _estimates(metrics) for name, metrics in measured.items()}
    values = {name: {metric: one.value for metric, one in of.items()} for name, of in estimates.items()}
    best = {metric: best_peer(values, metric, apart_from=ours.NAME) for metric in COMPARED if len(values) > 1}
    compared = tuple(
        difference(said[ours.NAME], said[peer], task.converted, task.lead, peer=peer, metric=metric)
        for metric, peer in best.items()
    )
    possible = None
    if task.best_log_odds is not None:
        possible = evaluate(task.best_log_odds, task.converted, task.lead, resamples=1).roc_auc.value
    of_ours = measured[ours.NAME]
    return Judged(
        task=task.name,
        rows=of_ours.rows,
        conversions=of_ours.conversions,
        estimates=estimates,
        ece_of_truth=ece_of_truth(said[ours.NAME]),
        differences=compared,
        best_possible_auc=possible,
    )


def _estimates(metrics: Metrics) -> dict[str, Estimate]:
    named = metrics.estimates()
    return {short: named[long] for short, long in METRICS.items()}
