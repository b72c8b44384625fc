"""`leadlight backtest`: the recipe judged at every moment of the past that the data hold."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from features.matrix import FeatureTable
from models import backtest as walk
from models import plots, plots_backtest, plots_curves
from models.backtest import Backtest, FoldReport, Judgement
from models.contest import OURS
from models.metrics import Estimate
from models.model import sigmoid
from models.registry.training import plain
from pipeline import judging
from pipeline.lead_data import lead_data
from pipeline.progress import Progress, silent
from pipeline.row_words import day, rows_are, told
from pipeline.settings import Settings
from pipeline.stages.fitting import in_use_for, table_to_learn_from
from pipeline.workspace import Workspace

Figures = Mapping[str, tuple[float, float, float]]

SEEN_BY_TUNING = (
    "Those settings were chosen on snapshots that older folds judge again, so older folds flatter them a little; "
    "the hold-out of `leadlight train` had no part in the choice."
)


@dataclass(frozen=True)
class FoldLine:
    """One fold, as people read it.

    Attributes:
        test_from: First as_of judged (ISO, on the shop's clock); empty where other leads were judged.
        test_until: Last as_of judged.
        train_conversions: Distinct converting leads learned from.
        test_rows: Snapshots judged.
        test_conversions: Distinct converting leads among them.
        expected: Conversions that the probabilities promised.
        observed: Conversions.
        calibration_holds: Whether the probabilities hold, or differ by more than chance explains.
        metrics: Per model and metric: value and 95 % bounds over leads.
        lift: Lift of the best tenth: worst, expected and best, however ties fall.
    """

    test_from: str
    test_until: str
    train_conversions: int
    test_rows: int
    test_conversions: int
    expected: float
    observed: int
    calibration_holds: bool
    metrics: Mapping[str, Figures]
    lift: tuple[float, float, float]


@dataclass(frozen=True)
class BacktestReport:
    """What `backtest` found.

    Attributes:
        verdict: Whether the recipe beats the baselines, in a sentence.
        question: The question in words.
        caveat: What the data's time does not allow, and must be said beside the figures; or empty.
        is_forward: Whether the folds go forward in time; else other leads were judged.
        rows_are: What rows are called: ``snapshots`` or ``leads``.
        folds: Oldest first.
        overall: All folds together.
        random_split: Per metric: what a split of rows at random would have shown, labelled optimism; or empty.
        covered_cells: Cells (a tenth of a fold, of 500 rows or more) whose conversions lie in their intervals' band.
        cells: How many such cells there are.
        notes: What a person should know.
        report: Everything as JSON.
        answers: What was said of each snapshot, as Parquet.
        pictures: The pictures.
    """

    verdict: str
    question: str
    caveat: str
    is_forward: bool
    rows_are: str
    folds: tuple[FoldLine, ...]
    overall: FoldLine
    random_split: Figures
    covered_cells: int
    cells: int
    notes: tuple[str, ...]
    report: Path
    answers: Path
    pictures: tuple[Path, ...]


def backtest(
    settings: Settings,
    *,
    folds: int | None = None,
    with_random_split: bool = True,
    table: FeatureTable | None = None,
    progress: Progress = silent,
) -> BacktestReport:
    """Judge the config's recipe at every moment of the past that the data hold.

    Args:
        settings: The shop's config; its tables must have been ingested.
        folds: At most so many, the newest; None = as many as the data hold.
        with_random_split: Whether to say what a split of rows at random would have shown.
        table: The training table where it is at hand; else it is computed.
        progress: Told of every fold.

    Raises:
        LeadlightError: Nothing ingested, nothing ripe, too few conversions.
    """
    if table is None:
        table = table_to_learn_from(settings, progress=progress)
    in_use = in_use_for(settings, table)
    found = walk.backtest(
        table,
        recipe=in_use.config.recipe,
        rivals=partial(judging.rivals, settings),
        folds=folds,
        with_random_split=with_random_split,
        notify=progress,
    )
    seen = (SEEN_BY_TUNING,) if in_use.config.recipe.tuned else ()
    return _written(settings, table, found, notes=(*in_use.notes, *seen))


def _written(settings: Settings, table: FeatureTable, found: Backtest, *, notes: tuple[str, ...]) -> BacktestReport:
    workspace = Workspace(settings.shop.workspace)
    folder = workspace.root / "backtest"
    covered, cells = found.coverage
    report = BacktestReport(
        verdict=found.overall.contest.verdict(),
        question=settings.question.name,
        caveat=lead_data(settings).caveat(is_forward=found.is_forward),
        is_forward=found.is_forward,
        rows_are=rows_are(settings),
        folds=tuple(_line(fold, settings) for fold in found.folds),
        overall=_overall(found, settings),
        random_split=_figures(found.random_split.estimates()) if found.random_split else {},
        covered_cells=covered,
        cells=cells,
        notes=notes,
        report=folder / "report.json",
        answers=folder / "answers.parquet",
        pictures=_draw(workspace, folder, found, settings),
    )
    with workspace.writing(report.answers) as path:
        pq.write_table(_answers(table, found), path, compression="zstd")
    with workspace.writing(report.report) as path:
        path.write_text(json.dumps(plain({"report": report, "folds": found.folds}), indent=1) + "\n", encoding="utf-8")
    return report


def _line(fold: FoldReport, settings: Settings) -> FoldLine:
    return _as_line(
        fold.judgement,
        test_from="" if fold.test_from is None else told(settings, fold.test_from),
        test_until=told(settings, fold.test_until),
        train_conversions=fold.train_conversions,
    )


def _overall(found: Backtest, settings: Settings) -> FoldLine:
    first, last = found.folds[0], found.folds[-1]
    return _as_line(
        found.overall,
        test_from="" if first.test_from is None else told(settings, first.test_from),
        test_until=told(settings, max(fold.test_until for fold in found.folds)),
        train_conversions=last.train_conversions,
    )


def _as_line(judgement: Judgement, *, test_from: str, test_until: str, train_conversions: int) -> FoldLine:
    ours = judgement.contest.metrics[OURS]
    tenth = next(lift for lift in judgement.lift if lift.share == plots_curves.MARKED_SHARE)
    return FoldLine(
        test_from=test_from,
        test_until=test_until,
        train_conversions=train_conversions,
        test_rows=ours.rows,
        test_conversions=ours.conversions,
        expected=judgement.reliability.expected,
        observed=judgement.reliability.observed,
        calibration_holds=judgement.reliability.holds,
        metrics={name: _figures(metrics.estimates()) for name, metrics in judgement.contest.metrics.items()},
        lift=(tenth.worst, tenth.expected, tenth.best),
    )


def _figures(estimates: Mapping[str, Estimate]) -> Figures:
    return {name: (one.value, one.low, one.high) for name, one in estimates.items()}


def _draw(workspace: Workspace, folder: Path, found: Backtest, settings: Settings) -> tuple[Path, ...]:
    """Draw quality over time, and the calibration of all folds together."""
    names = [
        day(told(settings, fold.test_until if fold.test_from is None else fold.test_from))
        if found.is_forward
        else f"group {number}"
        for number, fold in enumerate(found.folds, start=1)
    ]
    answers = found.answers
    curves = plots_curves.curves(answers.log_odds[OURS], answers.converted, answers.lead)
    figures = {
        "over_time.png": plots_backtest.over_time(names, [fold.judgement for fold in found.folds]),
        "calibration.png": plots.calibration(curves.calibration),
        "gains.png": plots.gains(curves.gains),
    }
    for name, figure in figures.items():
        with workspace.writing(folder / name) as path:
            plots.save(figure, path)
    return tuple(folder / name for name in figures)


def _answers(table: FeatureTable, found: Backtest) -> pa.Table:
    """Return what was said of each judged snapshot, for whoever doubts the figures."""
    answers = found.answers
    keys = table.keys.take(pa.array(answers.rows))
    said = {f"probability_{name}": sigmoid(margins) for name, margins in answers.log_odds.items()}
    ours = said.pop(f"probability_{OURS}")
    return pa.table(
        {
            "lead_id": keys["lead_id"].cast(pa.string()),
            "as_of": keys["as_of"],
            "trigger_id": keys["trigger_id"],
            "fold": answers.fold,
            "converted": answers.converted,
            "probability": ours,
            "probability_low": answers.low,
            "probability_high": answers.high,
            **{name: np.asarray(values) for name, values in said.items()},
        }
    )
