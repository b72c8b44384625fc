"""Tables for people, one line of JSON for programs."""

from __future__ import annotations

import json
from collections.abc import Sequence

from rich.table import Table

from benchmarks.quality import ours
from benchmarks.quality.comparison import LESS_IS_BETTER, mean_ranks
from benchmarks.quality.judged import METRICS, Judged
from benchmarks.quality.wanted import Verdict
from models.metrics import Estimate


def figures(one: Judged) -> Table:
    """Return everyone's figures on one task, best log-loss first; the best of each column is bold."""
    shown = Table(title=f"{one.task}: {one.rows:,} test rows, {one.conversions:,} converting leads")
    shown.add_column("model")
    for metric in METRICS:
        shown.add_column(metric.replace("_", "-"), justify="right")
    values = one.values()
    best = {m: (min if m in LESS_IS_BETTER else max)(of[m] for of in values.values()) for m in METRICS}
    for name in sorted(values, key=lambda name: values[name]["log_loss"]):
        cells = (_estimate(one.estimates[name][m], is_best=values[name][m] == best[m]) for m in METRICS)
        shown.add_row(f"[cyan]{name}[/]" if name == ours.NAME else name, *cells)
    shown.caption = "; ".join([*_gaps(one), f"luck alone makes an ECE of up to {one.ece_of_truth:.3f}"])
    if one.best_possible_auc is not None:
        shown.caption += f"; best possible AUC {one.best_possible_auc:.4f}"
    return shown


def ranks(judged: Sequence[Judged]) -> Table:
    """Return the mean ranks over the tasks."""
    shown = Table("model", title=f"mean rank over {len(judged)} tasks, 1 = best")
    values = {one.task: one.values() for one in judged}
    by_metric = {metric: mean_ranks(values, metric) for metric in METRICS}
    for metric in METRICS:
        shown.add_column(metric.replace("_", "-"), justify="right")
    for name in by_metric["log_loss"]:
        shown.add_row(name, *(f"{by_metric[metric][name]:.2f}" for metric in METRICS))
    return shown


def verdict_table(verdicts: Sequence[Verdict]) -> Table:
    """Return what is wanted and what was reached."""
    shown = Table("wanted", "reached", "", title="leadlight")
    for verdict in verdicts:
        shown.add_row(verdict.wanted, verdict.reached, "met" if verdict.is_met else "[red]missed[/]")
    return shown


def as_json(judged: Sequence[Judged]) -> str:
    """Return ``{task: {model: {auc, ap, log_loss, ece}}}`` as one line."""
    rounded = {
        one.task: {name: {m: round(value, 5) for m, value in of.items()} for name, of in one.values().items()}
        for one in judged
    }
    return json.dumps(rounded)


def _estimate(one: Estimate, *, is_best: bool) -> str:
    value = f"[bold]{one.value:.4f}[/]" if is_best else f"{one.value:.4f}"
    return f"{value} [dim]{one.low:.3f}–{one.high:.3f}[/]"


def _gaps(one: Judged) -> list[str]:
    return [
        f"{gap.metric} minus {gap.peer}'s {gap.estimate.value:+.4f} "
        f"({gap.estimate.low:+.4f} to {gap.estimate.high:+.4f})"
        for gap in one.differences
    ]
