"""The folds on which tuning judges: later times, other leads, and further leads to watch while the trees grow.

A trial must not choose anything on the rows that judge it. So each forward fold of `models.splits` (fit before, judge
inside a block, other leads) gives up one more group of leads of its fit rows: they stop the trees and fit the blend.

    leads        before the block      inside the block
    group 0      learn                 –
    group 1      stop, blend           –
    group 2      –                     judged
    group 3, 4   learn                 –

Where all rows share one as_of there is no later time; then each fold judges one group of leads at that time.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from models.splits import Fold, forward_folds, lead_folds, lead_groups

if TYPE_CHECKING:
    from models.recipe import Recipe
    from models.splits import Moments

LEAST_GROUPS: Final = 3
"""One group learns, one is watched, one judges."""

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class WatchedFold:
    """The rows of one model of one trial; no lead is in two of the three.

    Attributes:
        fit: Positions of the rows to learn from.
        watch: Rows of the same time, of other leads: they stop the trees and fit the blend.
        judge: Rows of a later time (or of the same, in block 0), of yet other leads.
        block: As in `models.splits.Fold`.
    """

    fit: Ints
    watch: Ints
    judge: Ints
    block: int


@dataclass(frozen=True)
class TuningFolds:
    """All folds, grouped into rounds: a trial is reported, and may be given up, after each round.

    Attributes:
        rounds: The folds of each block, oldest first; of lead folds, each is a round of its own.
        is_forward: Whether the rounds go forward in time.
    """

    rounds: tuple[tuple[WatchedFold, ...], ...]
    is_forward: bool

    def judged(self, place: int) -> Ints:
        """Return the rows that round *place* judges, in the order of its folds."""
        return np.concatenate([fold.judge for fold in self.rounds[place]])


def tuning_folds(moments: Moments, recipe: Recipe) -> TuningFolds:
    """Return the folds of the training rows *moments*; no round where none holds both classes.

    Args:
        moments: The rows before the hold-out, in canonical order.
        recipe: How they are folded; at least `LEAST_GROUPS` groups are made.
    """
    groups = max(recipe.groups, LEAST_GROUPS)
    judged = min(recipe.judged_for(moments.converting_leads(moments.converted)), groups)
    group = lead_groups(moments, count=groups, seed=recipe.seed)
    forward = forward_folds(
        moments,
        groups=groups,
        judged=judged,
        blocks=recipe.blocks,
        least_conversions=recipe.least_conversions,
        seed=recipe.seed,
    )
    plain = forward or lead_folds(moments, groups=groups, judged=max(judged, 2), seed=recipe.seed)
    watched = [_watched(fold, group, groups) for fold in plain]
    teaching = [fold for fold in watched if _has_both(moments, fold.fit) and _has_both(moments, fold.watch)]
    # A round is a block of time; folds at one time have no order, and each is a round.
    rounds = [tuple(found) for _, found in groupby(teaching, key=lambda fold: fold.block if forward else id(fold))]
    fair = [found for found in rounds if _has_both(moments, np.concatenate([fold.judge for fold in found]))]
    return TuningFolds(tuple(fair), bool(forward))


def closed_before(moments: Moments, rows: Ints, block: Ints) -> npt.NDArray[np.bool_]:
    """Return which of *rows* had their label closed before the first row of *block* was asked about."""
    return moments.decided_at[rows] <= moments.as_of[block].min()


def _watched(fold: Fold, group: Ints, groups: int) -> WatchedFold:
    """Split the rows that *fold* learns from: the next group of leads after the judged one is watched."""
    watched = (group[fold.judge[0]] + 1) % groups
    is_watched = group[fold.fit] == watched
    return WatchedFold(fold.fit[~is_watched], fold.fit[is_watched], fold.judge, fold.block)


def _has_both(moments: Moments, rows: Ints) -> bool:
    converted = moments.converted[rows]
    return bool(converted.any() and not converted.all())
