"""One trial: the blend in small, fitted and judged round after round on the folds of `models.tuning_folds`.

In each fold the linear part and the trees are fitted on the fit rows; the trees stop where the watched leads gain no
more; the blend is fitted, as in training, on the watched leads and on what earlier rounds said of later times; then
the judged rows are asked. So a trial's value is that of the whole model, forward in time, and nothing was chosen on
the rows that give it. Two things differ from a training: one bag of trees in place of several, and fewer leads.

What does not hang on the settings is made once: encoded columns, LightGBM's bins, and the linear part's answers along
one path of strengths.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from models.calibration import Blend, HeldOut, fit_blend
from models.cross_fit import TrainingRows, joined, linear_margins
from models.metrics import row_losses
from models.objectives import Objective
from models.splits import Fold
from models.trees import RowsInBins, TreeSettings, grow_on_bins, rows_in_bins
from models.tuning_folds import TuningFolds, WatchedFold, closed_before
from models.tuning_gain import jackknife_groups, without_each_group

if TYPE_CHECKING:
    from models.tuned import Tuned

STRENGTH_STEPS: Final = tuple(range(-4, 2))
"""Decades: the linear part's strength is 10^step, 0.0001 to 10."""

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Round:
    """How one trial did in one round.

    Attributes:
        value: The objective on the judged rows.
        without_group: The same without each group of the judged leads, shape ``(n_jackknife_groups,)``.
        trees: Trees of each fold.
    """

    value: float
    without_group: Floats
    trees: tuple[int, ...]


@dataclass(frozen=True)
class _Ready:
    """What is made once per fold: LightGBM's bins, and the rows asked about, watched ones first."""

    fold: WatchedFold
    bins: RowsInBins
    asked: npt.NDArray[np.float32]
    linear: dict[bool, Floats] = field(default_factory=dict)

    @property
    def asked_rows(self) -> npt.NDArray[np.int64]:
        return np.concatenate([self.fold.watch, self.fold.judge])


class Judge:
    """Judges settings on the folds of one table of training rows.

    Args:
        rows: The training rows, encoded.
        folds: Their folds.
        objective: What is measured.
        base: How trees are grown by default; seed and threads stay for all trials.
        most_trees: Most trees of one bag.
        seed: Deals leads into groups.
    """

    def __init__(
        self,
        rows: TrainingRows,
        folds: TuningFolds,
        *,
        objective: Objective,
        base: TreeSettings,
        most_trees: int,
        seed: int,
    ) -> None:
        self.rows, self.folds, self.objective = rows, folds, objective
        self._base, self._most_trees = base, most_trees
        self._ready: dict[int, _Ready] = {}
        self._group = jackknife_groups(rows.moments.lead, seed=seed)

    def rounds(self, tuned: Tuned) -> Iterator[Round]:
        """Yield how *tuned* did, round after round, so that a hopeless trial can be given up."""
        settings = self.rows.obeying(self._base, tuned)
        earlier: list[HeldOut] = []
        for folds in self.folds.rounds:
            asked = [self._ask(fold, settings, strength=tuned.strength, earlier=earlier) for fold in folds]
            earlier += [one.held_out for one in asked] if self.folds.is_forward else []
            margins = np.concatenate([one.margins for one in asked])
            judged = np.concatenate([one.held_out.rows for one in asked])
            converted = self.rows.moments.converted[judged]
            yield Round(
                value=self.objective.of(margins, converted),
                without_group=without_each_group(self.objective, margins, converted, self._group[judged]),
                trees=tuple(one.trees for one in asked),
            )

    def default_strength_step(self) -> int:
        """Return the step that training would choose among its own strengths, by log-loss on the watched leads."""
        from models.linear_fit import STRENGTHS

        losses = np.zeros(len(STRENGTHS))
        steps = [STRENGTH_STEPS.index(step_of(strength)) for strength in STRENGTHS]
        for fold in (fold for folds in self.folds.rounds for fold in folds):
            margins = self._linear(self._prepared(fold), obeys=False)[steps, : len(fold.watch)]
            converted = self.rows.moments.converted[fold.watch]
            losses += row_losses(margins, converted).sum(axis=1)
        return STRENGTH_STEPS[steps[int(np.argmin(losses))]]

    def _ask(self, fold: WatchedFold, settings: TreeSettings, *, strength: float, earlier: list[HeldOut]) -> _Asked:
        ready = self._prepared(fold)
        booster, losses = grow_on_bins(ready.bins, settings, most=self._most_trees)
        count = int(np.argmin(losses)) + 1
        trees = np.asarray(booster.predict(ready.asked, raw_score=True, num_iteration=count))
        step = STRENGTH_STEPS.index(step_of(strength))
        linear = self._linear(ready, obeys=bool(settings.monotone))[step]
        watched = len(fold.watch)
        held = self._held_out(fold.judge, linear[watched:], trees[watched:], block=fold.block)
        seen = self._held_out(fold.watch, linear[:watched], trees[:watched], block=0)
        blend = self._blend(fold, joined([seen, *(self._fair(one, fold) for one in earlier)]))
        return _Asked(held, blend.margins(held.linear, held.trees), count)

    def _held_out(self, rows: npt.NDArray[np.int64], linear: Floats, trees: Floats, *, block: int) -> HeldOut:
        return HeldOut(rows, linear, trees, self.rows.moments.converted[rows], np.full(len(rows), block))

    def _fair(self, held_out: HeldOut, fold: WatchedFold) -> HeldOut:
        """Return the margins of an earlier round that were known when *fold* is judged, of other leads than its own."""
        moments = self.rows.moments
        known = closed_before(moments, held_out.rows, fold.judge)
        return held_out.take(known & ~np.isin(moments.lead[held_out.rows], moments.lead[fold.judge]))

    def _blend(self, fold: WatchedFold, held_out: HeldOut) -> Blend:
        moments = self.rows.moments
        conversions = moments.converting_leads(fold.watch)
        return fit_blend(_blocks_in_a_row(held_out), moments.lead[held_out.rows], conversions=conversions).blend

    def _prepared(self, fold: WatchedFold) -> _Ready:
        if id(fold) not in self._ready:
            converted = self.rows.moments.converted
            matrices = [self.rows.tree_rows(part, learned_on=fold.fit) for part in (fold.fit, fold.watch, fold.judge)]
            bins = rows_in_bins(matrices[0], converted[fold.fit], judged=(matrices[1], converted[fold.watch]))
            self._ready[id(fold)] = _Ready(fold, bins, np.concatenate(matrices[1:]))
        return self._ready[id(fold)]

    def _linear(self, ready: _Ready, *, obeys: bool) -> Floats:
        """Return the linear margins of the asked rows by each of `STRENGTH_STEPS`, shape ``(n_steps, n_asked)``."""
        if obeys not in ready.linear:
            settings = replace(self._base, monotone=(1,) if obeys else ())
            ready.linear[obeys] = linear_margins(
                self.rows,
                Fold(ready.fold.fit, ready.asked_rows, ready.fold.block),
                tuple(strength_of(step) for step in STRENGTH_STEPS),
                directions=self.rows.slopes_beside(settings),
            )
        return ready.linear[obeys]


@dataclass(frozen=True)
class _Asked:
    """What the models of one fold say of its judged rows."""

    held_out: HeldOut
    margins: Floats
    trees: int


def strength_of(step: int) -> float:
    """Return the strength at *step* decades."""
    return float(10.0**step)


def step_of(strength: float) -> int:
    """Return the decade of *strength*; `strength_of` leads back."""
    return round(np.log10(strength))


def _blocks_in_a_row(held_out: HeldOut) -> HeldOut:
    """Return the margins with blocks counted 0, 1, 2 … without gaps: an earlier round may have had nothing to say."""
    _, block = np.unique(held_out.block, return_inverse=True)
    return replace(held_out, block=block.astype(np.int64))
