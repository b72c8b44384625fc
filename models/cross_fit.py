"""Margins of rows that the models had not seen: what the blend and the interval are fitted on.

Two kinds of folds, as `models.calibration` asks for: groups of leads, which also choose the strength of the linear
part and the number of trees, and forward blocks crossed with groups of leads. On large data one group of leads says
as much as five do on small data, so only some are asked.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from models.calibration import HeldOut
from models.encoding import Encoder, fit_encoder, level_codes, ranked_values
from models.linear_fit import STRENGTHS, fit_linear
from models.metrics import row_losses
from models.monotone import directions_of_columns, directions_of_features
from models.splits import Fold, sample_of_whole_leads
from models.trees import TreeSettings, grow, grow_watched

if TYPE_CHECKING:
    import lightgbm as lgb

    from features.matrix import FeatureTable
    from models.splits import Moments
    from models.tuned import Tuned

MOST_LINEAR_ROWS: Final = 200_000
"""The linear part has few coefficients: more rows than this change none of them visibly."""
SAMPLE_SEED: Final = 202

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Notify = Callable[[str], None]


@dataclass(frozen=True)
class TrainingRows:
    """Rows to learn from, encoded once for all folds.

    Attributes:
        table: The rows, in canonical order.
        moments: Their times, leads and labels.
        encoder: Learned on all of them; what a shipped model uses.
        matrix: Its tree columns, shape ``(n_rows, n_columns)``.
        ranked: Of each ranked column: its place in *matrix* and the level of every row. Ranks look at labels, so
            each fold learns its own.
    """

    table: FeatureTable
    moments: Moments
    encoder: Encoder
    matrix: npt.NDArray[np.float32]
    ranked: tuple[tuple[int, npt.NDArray[np.int32]], ...]

    @classmethod
    def of(cls, table: FeatureTable, moments: Moments) -> TrainingRows:
        """Encode *table*."""
        encoder = fit_encoder(table, moments.converted)
        ranked = tuple(
            (place, level_codes(table.columns[column.feature], column.levels))
            for place, column in enumerate(encoder.columns)
            if column.kind == "ranked"
        )
        return cls(table, moments, encoder, encoder.tree_matrix(table), ranked)

    def tree_rows(self, rows: Ints, *, learned_on: Ints) -> npt.NDArray[np.float32]:
        """Return the tree columns of *rows*, with ranks learned on the rows *learned_on* alone."""
        matrix = self.matrix[rows]
        for place, codes in self.ranked:
            levels = len(self.encoder.columns[place].levels)
            values = ranked_values(codes[learned_on], self.moments.converted[learned_on], levels=levels)
            matrix[:, place] = values[codes[rows]]
        return matrix

    def obeying(self, settings: TreeSettings, tuned: Tuned | None) -> TreeSettings:
        """Return *settings* with those *tuned* in their place, and the catalog's directions of these very columns."""
        if tuned is None:
            return settings
        return tuned.grown(settings, directions=directions_of_columns(self.encoder, self.table.features))

    def slopes_beside(self, settings: TreeSettings) -> tuple[int, ...]:
        """Return the directions of the linear part's slopes, so that it obeys where trees of *settings* do."""
        return directions_of_features(self.table.features) if settings.monotone else ()

    def linear_sample(self, rows: Ints) -> Ints:
        """Return those of *rows* that the linear part learns from: whole leads, at most about `MOST_LINEAR_ROWS`."""
        return rows[sample_of_whole_leads(self.moments.lead[rows], most_rows=MOST_LINEAR_ROWS, seed=SAMPLE_SEED)]


@dataclass(frozen=True)
class Plan:
    """What the folds chose; a refit keeps it.

    Attributes:
        strength: Inverse penalty of the linear part.
        trees: Trees per bag.
        bags: How many bags.
        settings: How trees are grown.
    """

    strength: float
    trees: int
    bags: int
    settings: TreeSettings


def choose_plan(
    rows: TrainingRows,
    folds: Sequence[Fold],
    *,
    settings: TreeSettings,
    bags: int,
    most_trees: int,
    notify: Notify,
    strengths: tuple[float, ...] = STRENGTHS,
) -> tuple[Plan, HeldOut]:
    """Choose strength and number of trees by log-loss on other leads.

    Args:
        rows: The training rows.
        folds: Groups of leads.
        settings: How trees are grown.
        bags: How many bags the shipped model will have.
        most_trees: Most trees per bag.
        notify: Told what is being done, once per fold.
        strengths: Inverse penalties of the linear part to choose among, ascending.

    Returns:
        The plan, and the margins that it gave the rows asked about (block 0).
    """
    answers = []
    for number, fold in enumerate(folds, start=1):
        notify(f"choosing strength and number of trees: fold {number} of {len(folds)}")
        answers.append(_ask(rows, fold, settings=settings, most_trees=most_trees, strengths=strengths))
    strength = int(np.argmin(sum(answer.linear_losses() for answer in answers)))
    trees = _best_count([answer.tree_losses * len(answer.fold.judge) for answer in answers])
    parts = [answer.held_out(strength=strength, trees=trees) for answer in answers]
    return Plan(strengths[strength], trees, bags, settings), joined(parts)


def margins_by_plan(rows: TrainingRows, folds: Sequence[Fold], plan: Plan, *, notify: Notify) -> HeldOut:
    """Return the margins of the rows that *folds* judge, by models that follow *plan*.

    Args:
        rows: The training rows.
        folds: Lead folds or forward folds; their blocks are kept.
        plan: Strength and number of trees.
        notify: Told what is being done, once per fold.
    """
    parts = []
    for number, fold in enumerate(folds, start=1):
        notify(f"{'forward blocks' if fold.block else 'groups of leads'}: fold {number} of {len(folds)}")
        learned = rows.tree_rows(fold.fit, learned_on=fold.fit), rows.moments.converted[fold.fit]
        booster = grow(*learned, plan.settings, trees=plan.trees)
        trees = booster.predict(rows.tree_rows(fold.judge, learned_on=fold.fit), raw_score=True)
        linear = linear_margins(rows, fold, (plan.strength,), directions=rows.slopes_beside(plan.settings))[0]
        parts.append(_held_out(rows, fold, linear=linear, trees=trees))
    return joined(parts)


def joined(parts: Sequence[HeldOut]) -> HeldOut:
    """Return all margins together, in order of block and row, so that no order of folds matters."""
    fields = ("rows", "linear", "trees", "converted", "block")
    together = HeldOut(*(np.concatenate([getattr(part, field) for part in parts]) for field in fields))
    return together.take(np.lexsort((together.rows, together.block)))


@dataclass(frozen=True)
class _Answer:
    """What the models of one lead fold say of the rows that they are asked about."""

    rows: TrainingRows
    fold: Fold
    linear: Floats
    booster: lgb.Booster
    tree_losses: Floats

    def linear_losses(self) -> Floats:
        return row_losses(self.linear, self.rows.moments.converted[self.fold.judge]).sum(axis=1)

    def held_out(self, *, strength: int, trees: int) -> HeldOut:
        judged = self.rows.tree_rows(self.fold.judge, learned_on=self.fold.fit)
        margins = self.booster.predict(judged, raw_score=True, num_iteration=trees)
        return _held_out(self.rows, self.fold, linear=self.linear[strength], trees=margins)


def _ask(
    rows: TrainingRows, fold: Fold, *, settings: TreeSettings, most_trees: int, strengths: tuple[float, ...]
) -> _Answer:
    learned = rows.tree_rows(fold.fit, learned_on=fold.fit), rows.moments.converted[fold.fit]
    judged = rows.tree_rows(fold.judge, learned_on=fold.fit), rows.moments.converted[fold.judge]
    booster, losses = grow_watched(*learned, settings, judged=judged, most=most_trees)
    linear = linear_margins(rows, fold, strengths, directions=rows.slopes_beside(settings))
    return _Answer(rows, fold, linear, booster, losses)


def linear_margins(
    rows: TrainingRows, fold: Fold, strengths: tuple[float, ...], *, directions: tuple[int, ...]
) -> Floats:
    """Return the linear margins of the judged rows by each strength, shape ``(n_strengths, n_judged)``."""
    sample = rows.linear_sample(fold.fit)
    converted = rows.moments.converted[sample]
    parts = fit_linear(rows.table.take(sample), converted, strengths=strengths, directions=directions)
    judged = rows.table.take(fold.judge)
    return np.array([part.margins(judged) for part in parts])


def _best_count(losses: Sequence[Floats]) -> int:
    """Return the number of trees with the least loss over all folds; a fold that stopped early keeps its last loss."""
    longest = max(len(curve) for curve in losses)
    total = sum(np.pad(curve, (0, longest - len(curve)), mode="edge") for curve in losses)
    return int(np.argmin(total)) + 1


def _held_out(rows: TrainingRows, fold: Fold, *, linear: Floats, trees: Floats) -> HeldOut:
    block = np.full(len(fold.judge), fold.block, dtype=np.int64)
    return HeldOut(fold.judge, linear, np.asarray(trees), rows.moments.converted[fold.judge], block)
