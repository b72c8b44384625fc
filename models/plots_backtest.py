"""The picture of a backtest: quality fold by fold, beside the strongest baseline, and promises against what came."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import numpy as np

from models.baselines import NAMES
from models.contest import OURS
from models.metrics import Estimate
from models.plots import CHANCE, IDEAL, INK, MARK, MODEL, blank, dress

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from models.backtest import Judgement

SIZE: Final = (9.0, 8.4)
PANELS: Final = (
    ("average_precision", "Average precision, fold by fold (higher is better)"),
    ("log_loss", "Log-loss (lower is better)"),
)
MOST_NAMES: Final = 14
"""More names than this along the bottom are thinned out."""


def over_time(names: Sequence[str], folds: Sequence[Judgement]) -> Figure:
    """Draw how good the model was at each moment, beside the strongest baseline, and whether its promises came true.

    Args:
        names: What each fold is called, oldest first.
        folds: How each came out.
    """
    figure = blank(SIZE)
    panels = figure.subplots(len(PANELS) + 1, sharex=True)
    place = np.arange(len(folds))
    for axes, (metric, title) in zip(panels, PANELS, strict=False):
        dress(axes, title, "", "")
        _band(axes, place, [fold.contest.metrics[OURS].estimates()[metric] for fold in folds])
        rival = _strongest(folds, metric)
        if rival:
            theirs = [fold.contest.metrics[rival].estimates()[metric].value for fold in folds]
            axes.plot(place, theirs, color=MARK, marker="s", markersize=4, linewidth=1.4,
                      label=f"Strongest baseline: {NAMES.get(rival, rival)}")  # fmt: skip
        axes.legend(loc="best", frameon=False, labelcolor=INK)
    _promises(panels[-1], place, folds)
    step = max(1, -(-len(names) // MOST_NAMES))
    panels[-1].set_xticks(place[::step], list(names)[::step], rotation=40, ha="right")
    return figure


def _band(axes: Axes, place: np.ndarray, estimates: Sequence[Estimate]) -> None:
    low, high = [one.low for one in estimates], [one.high for one in estimates]
    value = [one.value for one in estimates]
    axes.errorbar(place, value, yerr=[np.subtract(value, low), np.subtract(high, value)], color=MODEL, marker="o",
                  linewidth=2.2, elinewidth=1.2, capsize=3, label="Leadlight (bars: 95% interval)")  # fmt: skip


def _promises(axes: Axes, place: np.ndarray, folds: Sequence[Judgement]) -> None:
    dress(axes, "Share that converts: promised and observed", "", "")
    promised = [fold.reliability.expected / fold.contest.metrics[OURS].rows for fold in folds]
    observed = [fold.reliability.observed / fold.contest.metrics[OURS].rows for fold in folds]
    axes.plot(place, promised, color=MODEL, marker="o", linewidth=2.2, label="Promised by the probabilities")
    axes.plot(place, observed, color=IDEAL, marker="D", markersize=5, linewidth=1.6, label="Observed")
    doubtful = [at for at, fold in enumerate(folds) if not fold.reliability.holds]
    for at in doubtful:
        axes.axvspan(at - 0.35, at + 0.35, color=CHANCE, alpha=0.18, linewidth=0)
    if doubtful:
        axes.plot([], [], color=CHANCE, alpha=0.4, linewidth=8, label="Calibration off by more than chance explains")
    axes.set_ylim(bottom=0)
    axes.yaxis.set_major_formatter(lambda share, _: f"{share:.0%}" if max(observed) > 0.1 else f"{share:.1%}")
    axes.legend(loc="best", frameon=False, labelcolor=INK)


def _strongest(folds: Sequence[Judgement], metric: str) -> str:
    """Return the baseline that did best by *metric* over all folds; empty without any."""
    names = [name for name in folds[0].contest.metrics if name != OURS]
    sign = -1 if metric == "log_loss" else 1
    total = {name: sum(sign * fold.contest.metrics[name].estimates()[metric].value for fold in folds) for name in names}
    return max(total, key=total.__getitem__) if total else ""
