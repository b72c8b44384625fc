"""What is wanted of the model, and whether it was reached: one line each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from benchmarks.quality import ours
from benchmarks.quality.comparison import mean_ranks
from benchmarks.quality.judged import COMPARED, Judged
from models.metrics import Estimate

NEAR_BEST_AUC: Final = 0.01
CDNOW_AUC: Final = 0.808
CDNOW_LOG_LOSS: Final = 0.344
DIGITS: Final = 3


@dataclass(frozen=True)
class Verdict:
    """One thing that is wanted."""

    wanted: str
    reached: str
    is_met: bool


def verdicts(judged: Sequence[Judged]) -> tuple[Verdict, ...]:
    """Return every verdict that the tasks at hand allow."""
    found = []
    if all(one.differences for one in judged):
        found += [_rank(judged, metric) for metric in COMPARED]
        found += [_not_worse(judged, metric) for metric in COMPARED]
    found += [_calibrated(judged)]
    of_task = {one.task: one for one in judged}
    if "bank_in_time_order" in of_task and of_task["bank_in_time_order"].differences:
        found.append(_calibrated_as_the_best(of_task["bank_in_time_order"]))
    if "cdnow" in of_task:
        found.append(_cdnow(of_task["cdnow"]))
    if "synthetic" in of_task:
        found.append(_near_best(of_task["synthetic"]))
    return tuple(found)


def _rank(judged: Sequence[Judged], metric: str) -> Verdict:
    ranks = mean_ranks({one.task: one.values() for one in judged}, metric)
    first, *_ = ranks
    said = ", ".join(f"{name} {rank:.2f}" for name, rank in list(ranks.items())[:3])
    return Verdict(f"best mean rank by {metric}", said, ranks[ours.NAME] <= ranks[first])


def _not_worse(judged: Sequence[Judged], metric: str) -> Verdict:
    worse = [
        f"{one.task} by {gap.estimate.value:+.4f} than {gap.peer}"
        for one in judged
        for gap in one.differences
        if gap.metric == metric and gap.is_worse
    ]
    return Verdict(f"nowhere worse than the best peer by {metric}", "; ".join(worse) or "nowhere", not worse)


def _calibrated(judged: Sequence[Judged]) -> Verdict:
    off = [f"{one.task} {_ours(one, 'ece').value:.3f}" for one in judged if not one.is_calibrated]
    return Verdict("ECE at most .02, or no more than luck", "; ".join(off) or "everywhere", not off)


def _calibrated_as_the_best(bank: Judged) -> Verdict:
    others = {name: of["ece"].value for name, of in bank.estimates.items() if name != ours.NAME}
    best = min(others, key=lambda name: others[name])
    reached = _ours(bank, "ece").value
    return Verdict(
        "bank_in_time_order: ECE at or below the best peer's", f"{reached:.3f}; {best} {others[best]:.3f}",
        reached <= others[best],
    )  # fmt: skip


def _cdnow(cdnow: Judged) -> Verdict:
    auc, loss = (round(_ours(cdnow, metric).value, DIGITS) for metric in ("auc", "log_loss"))
    wanted = f"cdnow: AUC at least {CDNOW_AUC}, log-loss at most {CDNOW_LOG_LOSS}"
    return Verdict(wanted, f"{auc:.3f}, {loss:.3f}", auc >= CDNOW_AUC and loss <= CDNOW_LOG_LOSS)


def _near_best(synthetic: Judged) -> Verdict:
    best, reached = synthetic.best_possible_auc or 1.0, _ours(synthetic, "auc").value
    wanted = f"synthetic: AUC within {NEAR_BEST_AUC} of the best possible"
    return Verdict(wanted, f"{reached:.4f} of {best:.4f}", best - reached <= NEAR_BEST_AUC)


def _ours(one: Judged, metric: str) -> Estimate:
    return one.estimates[ours.NAME][metric]
