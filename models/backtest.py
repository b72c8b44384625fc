"""The backtest: the recipe fitted again and again as if it were then, and judged on what came next.

Every fold of `models.backtest_folds` gets a model of its own, chosen and fitted on what had closed before it began;
the rivals of `models.baselines` learn from the same rows and answer for the same rows. Beside it stands the number
that a split of rows at random would have shown, its *optimism*.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from models import errors
from models.backtest_folds import LEAST_SHARE, Needs, random_rows, walk_back
from models.contest import OURS, Contest, contest
from models.lift import Lift, tie_aware_lift
from models.metrics import Metrics, evaluate
from models.recipe import Recipe, fit_recipe
from models.reliability import LEAST_ROWS_OF_CELL, Cell, Reliability, cells, reliability
from models.training import ripe_rows

if TYPE_CHECKING:
    from features.matrix import FeatureTable
    from models.baselines import Rival
    from models.splits import Moments, Split

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Notify = Callable[[str, int, int], None]
Rivals = Callable[["FeatureTable"], Mapping[str, "Rival"]]
"""From a table to the rivals that it can serve (`models.baselines.rivals`, most often)."""


@dataclass(frozen=True)
class Answers:
    """What was said of the judged rows; every array has shape ``(n_judged,)``.

    Attributes:
        rows: Positions in the table that was given.
        fold: 1, 2 … oldest first.
        log_odds: By name, the model's as `OURS`.
        low: Lower bounds of the model's intervals.
        high: Upper bounds.
        converted: The labels.
        lead: Hashes of the leads.
    """

    rows: Ints
    fold: Ints
    log_odds: Mapping[str, Floats]
    low: Floats
    high: Floats
    converted: npt.NDArray[np.bool_]
    lead: npt.NDArray[np.uint64]


@dataclass(frozen=True)
class Judgement:
    """How the model and its rivals did on some rows.

    Attributes:
        contest: Figures of all of them, with intervals over leads.
        lift: The model's, however ties fall.
        reliability: Whether the model's probabilities hold.
        cells: Tenths of the rows, and whether their intervals hold.
    """

    contest: Contest
    lift: tuple[Lift, ...]
    reliability: Reliability
    cells: tuple[Cell, ...]


@dataclass(frozen=True)
class FoldReport:
    """One fold.

    Attributes:
        test_from: First as_of judged (us); None where other leads are judged instead of later ones.
        test_until: Last as_of judged (us).
        train_rows: Rows learned from.
        train_conversions: Distinct converting leads among them.
        judgement: How it came out.
    """

    test_from: int | None
    test_until: int
    train_rows: int
    train_conversions: int
    judgement: Judgement


@dataclass(frozen=True)
class Backtest:
    """What a backtest found.

    Attributes:
        folds: Oldest first.
        overall: All judged rows together, each judged by the model of its fold.
        random_split: What a split of rows at random would have shown; None where it was not asked for, or where the
            folds do not go forward.
        answers: What was said of each row.
    """

    folds: tuple[FoldReport, ...]
    overall: Judgement
    random_split: Metrics | None
    answers: Answers

    @property
    def is_forward(self) -> bool:
        """Whether the folds go forward in time."""
        return all(fold.test_from is not None for fold in self.folds)

    @property
    def coverage(self) -> tuple[int, int]:
        """Of the cells with `LEAST_ROWS_OF_CELL` rows or more: how many are covered, and how many there are."""
        large = [cell for fold in self.folds for cell in fold.judgement.cells if cell.rows >= LEAST_ROWS_OF_CELL]
        return sum(cell.is_covered for cell in large), len(large)


def backtest(
    table: FeatureTable,
    *,
    recipe: Recipe,
    rivals: Rivals,
    folds: int | None = None,
    with_random_split: bool = True,
    notify: Notify = lambda *_: None,
) -> Backtest:
    """Judge *recipe* at every moment of the past that the data hold.

    Args:
        table: Labelled snapshots, in any order.
        recipe: How each model is fitted.
        rivals: Gives the rivals.
        folds: At most so many, the newest; None = as many as the data hold.
        with_random_split: Whether to fit one more model for the optimism of a random split.
        notify: Told what is being done, and which of how many folds.

    Returns:
        The folds, oldest first, and what was said of each judged row.

    Raises:
        LeadlightError: No labels, nothing ripe, or not even one fold.
    """
    table, moments, order = ripe_rows(table)
    needs = Needs(train_leads=recipe.least_conversions)
    splits = walk_back(moments, needs, most=folds, seed=recipe.seed)
    if not splits:
        raise errors.no_fold(moments.converting_leads(moments.converted), needs, share=LEAST_SHARE)
    # Where other leads are judged instead of later ones, the split is at random already.
    with_random_split = with_random_split and splits[0].test_from is not None
    steps = len(splits) + with_random_split
    theirs = rivals(table)
    parts = []
    for number, split in enumerate(splits):
        notify("backtest", number, steps)
        parts.append(_answers(table, moments, split, recipe=recipe, rivals=theirs, fold=number + 1))
    random_split = None
    if with_random_split:
        notify("backtest", len(splits), steps)
        random_split = _at_random(table, moments, recipe)
    notify("backtest", steps, steps)
    reports = tuple(_report(moments, split, part, seed=recipe.seed) for split, part in zip(splits, parts, strict=True))
    together = _joined(parts)
    overall = _judged(together, seed=recipe.seed)
    return Backtest(reports, overall, random_split, replace(together, rows=order[together.rows]))


def _answers(
    table: FeatureTable,
    moments: Moments,
    split: Split,
    *,
    recipe: Recipe,
    rivals: Mapping[str, Rival],
    fold: int,
) -> Answers:
    model, _ = fit_recipe(table.take(split.train), moments.take(split.train), recipe, notify=lambda _: None)
    said = model.predict(table.take(split.test))
    others = {name: rival(split.train, split.test) for name, rival in rivals.items()}
    return Answers(
        rows=split.test,
        fold=np.full(len(split.test), fold, dtype=np.int64),
        log_odds={OURS: said.log_odds, **others},
        low=said.low,
        high=said.high,
        converted=moments.converted[split.test],
        lead=moments.lead[split.test],
    )


def _at_random(table: FeatureTable, moments: Moments, recipe: Recipe) -> Metrics:
    split = random_rows(moments)
    model, _ = fit_recipe(table.take(split.train), moments.take(split.train), recipe, notify=lambda _: None)
    margins = model.margins(table.take(split.test))
    return evaluate(margins, moments.converted[split.test], moments.lead[split.test], seed=recipe.seed)


def _report(moments: Moments, split: Split, answers: Answers, *, seed: int) -> FoldReport:
    return FoldReport(
        test_from=split.test_from,
        test_until=int(moments.as_of[split.test].max()),
        train_rows=len(split.train),
        train_conversions=moments.converting_leads(split.train),
        judgement=_judged(answers, seed=seed),
    )


def _judged(answers: Answers, *, seed: int) -> Judgement:
    ours = answers.log_odds[OURS]
    return Judgement(
        contest=contest(answers.log_odds, answers.converted, answers.lead, seed=seed),
        lift=tie_aware_lift(ours, answers.converted),
        reliability=reliability(ours, answers.converted, seed=seed),
        cells=cells(ours, answers.low, answers.high, answers.converted),
    )


def _joined(parts: list[Answers]) -> Answers:
    names = list(parts[0].log_odds)
    return Answers(
        rows=np.concatenate([part.rows for part in parts]),
        fold=np.concatenate([part.fold for part in parts]),
        log_odds={name: np.concatenate([part.log_odds[name] for part in parts]) for name in names},
        low=np.concatenate([part.low for part in parts]),
        high=np.concatenate([part.high for part in parts]),
        converted=np.concatenate([part.converted for part in parts]),
        lead=np.concatenate([part.lead for part in parts]),
    )
