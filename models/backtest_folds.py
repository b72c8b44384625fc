"""The folds of a backtest: what one would have known and been asked at each moment of the past.

Walking back from the newest ripe snapshot, each fold asks about a stretch of as_ofs and learns from all rows whose
labels had closed before it began. A stretch is as short as its conversions allow, so that there are as many folds as
the data hold. The running example: with a monthly grid and a horizon of thirty days, the fold of June learns from the
snapshots up to May, whose labels had closed by then.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from models.splits import Split, lead_folds, scramble

if TYPE_CHECKING:
    from models.splits import Ints, Moments

LEAST_SHARE: Final = 0.05
"""A fold holds at least this share of all converting leads: more folds than twenty only repeat each other."""
MOST_GROUPS: Final = 5
"""Where nothing is later than anything: each lead is judged once, by one of so many models."""
RANDOM_SHARE: Final = 0.25
RANDOM_SEED: Final = 303


@dataclass(frozen=True)
class Needs:
    """What a fold must hold.

    Attributes:
        train_leads: Distinct converting leads, and as many others, to learn from.
        test_leads: Distinct converting leads, and as many others, to be judged on.
    """

    train_leads: int = 30
    test_leads: int = 25


def walk_back(moments: Moments, needs: Needs, *, most: int | None = None, seed: int = 0) -> tuple[Split, ...]:
    """Return the folds of a backtest, oldest first.

    Args:
        moments: Ripe rows only.
        needs: What each fold must hold.
        most: At most so many, the newest; None = as many as the data hold.
        seed: Deals the leads where no label closed before a later as_of.

    Returns:
        Forward folds; groups of leads, without a ``test_from``, where all labels were open at the newest as_of; none
        where the data hold not even one.
    """
    starts = np.unique(moments.as_of)
    if moments.decided_at.min() > starts[-1]:
        return _by_lead(moments, needs, most=most, seed=seed)
    least = max(needs.test_leads, int(np.ceil(LEAST_SHARE * moments.converting_leads(moments.converted))))
    found: list[Split] = []
    end = len(starts)
    while end and (most is None or len(found) < most):
        begin = _latest_start(moments, starts[:end], least, needs.test_leads)
        if begin is None:
            break
        split = _forward(moments, int(starts[begin]), int(starts[end - 1]))
        if not _is_enough(moments, split.train, needs.train_leads):
            break
        found.append(split)
        end = begin
    return tuple(reversed(found))


def random_rows(moments: Moments) -> Split:
    """Return a split of rows at random, people and time on both sides: what an honest judge never does.

    It is there for one figure: how much better a model looks when it is judged so. A row's side is decided by its lead
    and as_of alone, so the order of rows changes nothing.
    """
    drawn = scramble(moments.lead + moments.as_of.astype(np.uint64), RANDOM_SEED)
    is_test = drawn < np.uint64(int(RANDOM_SHARE * 2.0**64))
    return Split(np.flatnonzero(~is_test), np.flatnonzero(is_test), None)


def _latest_start(moments: Moments, starts: Ints, converting: int, others: int) -> int | None:
    """Return the place of the latest start from which the rows up to the last of *starts* hold enough of both."""
    last = starts[-1]
    low, high = 0, len(starts) - 1
    if not _holds(moments, (moments.as_of >= starts[0]) & (moments.as_of <= last), converting, others):
        return None
    while low < high:
        middle = (low + high + 1) // 2
        inside = (moments.as_of >= starts[middle]) & (moments.as_of <= last)
        low, high = (middle, high) if _holds(moments, inside, converting, others) else (low, middle - 1)
    return low


def _forward(moments: Moments, start: int, last: int) -> Split:
    before = (moments.decided_at <= start) & (moments.as_of < start)
    inside = (moments.as_of >= start) & (moments.as_of <= last)
    return Split(np.flatnonzero(before), np.flatnonzero(inside), start)


def _by_lead(moments: Moments, needs: Needs, *, most: int | None, seed: int) -> tuple[Split, ...]:
    """Return groups of leads, as many as the conversions allow, each judged by a model of the others."""
    fewest = min(moments.converting_leads(moments.converted), moments.other_leads(~moments.converted))
    groups = min(MOST_GROUPS, fewest // needs.test_leads)
    if groups < 2:
        return ()
    folds = lead_folds(moments, groups=groups, judged=groups, seed=seed)
    splits = [Split(fold.fit, fold.judge, None) for fold in folds]
    return tuple(split for split in splits if _is_enough(moments, split.train, needs.train_leads))[:most]


def _is_enough(moments: Moments, rows: Ints, leads: int) -> bool:
    return _holds(moments, rows, leads, leads)


def _holds(moments: Moments, rows: Ints | npt.NDArray[np.bool_], converting: int, others: int) -> bool:
    return moments.converting_leads(rows) >= converting and moments.other_leads(rows) >= others
