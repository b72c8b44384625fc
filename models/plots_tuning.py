"""Pictures of a study: how the best came about, and which values of each parameter did well."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from math import ceil
from typing import TYPE_CHECKING, Final

from models.plots import CHANCE, MARK, MODEL, blank, canvas, dress
from models.tuned import Tuned
from models.tuning_study import COMPLETE, best_trial

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from models.objectives import Objective
    from models.tuning_study import TrialRecord

ON_LOG_SCALE: Final = ("strength", "leaves", "least_rows", "rate", "l2")
WORDS: Final = {
    "strength": "strength of the linear part",
    "leaves": "leaves per tree",
    "least_rows": "fewest rows in a leaf",
    "rate": "learning rate",
    "feature_fraction": "share of columns per tree",
    "bagging_fraction": "share of rows per tree",
    "l2": "penalty on leaves (l2)",
    "monotone": "directions of the catalog obeyed",
}
"""What each setting is called in pictures and tables."""
COLUMNS: Final = 4
PANEL_WIDTH, PANEL_HEIGHT = 3.2, 3.0
"""Inches."""


def best_so_far(trials: Sequence[TrialRecord], objective: Objective) -> list[float]:
    """Return the best value among the complete trials up to each trial; trials come in order, the first is complete."""
    found: list[float] = []
    for trial in trials:
        best = found[-1] if found else trial.value
        is_better = trial.state == COMPLETE and objective.gain(best, trial.value) > 0
        found.append(trial.value if is_better else best)
    return found


def history(trials: Sequence[TrialRecord], objective: Objective) -> Figure:
    """Draw every trial's value and the best so far."""
    better = "higher" if objective.higher_is_better else "lower"
    best = best_so_far(trials, objective)
    title = f"Of {len(trials)} trials, the best is number {best_trial(trials, objective).number}"
    figure, axes = canvas(title, "Trial (0 = the default)", f"{objective.words} over the rounds ({better} is better)")
    complete = [trial for trial in trials if trial.state == COMPLETE]
    pruned = [trial for trial in trials if trial.state != COMPLETE]
    axes.scatter([t.number for t in complete], [t.value for t in complete], color=MODEL, label="Judged on all rounds")
    if pruned:
        axes.scatter(
            [t.number for t in pruned], [t.value for t in pruned], color=CHANCE, marker="x",
            label="Given up after some rounds (their mean)",
        )  # fmt: skip
    axes.step([t.number for t in trials], best, where="post", color=MARK, linewidth=1.8, label="Best so far")
    axes.axhline(trials[0].value, color=CHANCE, linestyle=(0, (1, 1.5)), label="The default")
    axes.legend(loc="best", frameon=False)
    return figure


def slices(trials: Sequence[TrialRecord], objective: Objective) -> Figure:
    """Draw the value of every complete trial over each setting; the best is marked."""
    complete = [trial for trial in trials if trial.state == COMPLETE]
    best = best_trial(trials, objective)
    names = [field.name for field in fields(Tuned)]
    height = ceil(len(names) / COLUMNS)
    figure = blank((PANEL_WIDTH * COLUMNS, PANEL_HEIGHT * height))
    panels = figure.subplots(height, COLUMNS, sharey=True, squeeze=False).ravel()
    for place, (name, axes) in enumerate(zip(names, panels, strict=False)):
        dress(axes, "", WORDS[name], objective.words if place % COLUMNS == 0 else "")
        axes.scatter([float(getattr(t.tuned, name)) for t in complete], [t.value for t in complete], s=18, color=MODEL)
        axes.scatter([float(getattr(best.tuned, name))], [best.value], s=60, color=MARK, zorder=3)
        if name in ON_LOG_SCALE:
            axes.set_xscale("log")
    for axes in panels[len(names) :]:
        axes.set_axis_off()
    return figure
