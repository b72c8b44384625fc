"""Is a lead like those that the model learned from? One value at a time, in words a person can check.

A number strays by how far it lies beyond the smallest and the largest of training, in robust spreads:

    stray(x) = max(low - s(x), s(x) - high, 0) / spread,     s(x) = sign(x)·log(1 + |x|)
    spread   = max(interquartile range, a quarter of the range)   of s(x) in training

A level never seen, or a value missing where none was, strays by `UNSEEN`, unless training shows that new ones come up
all the time (landing pages do, countries do not). A lead is as strange as its value that strays most, and *unlike
training* beyond

    threshold = max(LEAST_STRAY, the 1 - HELD_OUT_SHARE quantile over held-out leads)

where each group of leads was held against the ranges of all the others: among leads of the same kind, at most about
`ALARMS` of new ones pass it, however many features there are. An unusual combination of usual values is not seen.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from models.encoding import level_codes, level_counts, numbers
from models.linear import signed_log1p
from models.splits import lead_groups

if TYPE_CHECKING:
    from features.catalog import Feature
    from features.matrix import FeatureTable
    from models.splits import Moments

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]
_Ranges: TypeAlias = Mapping[str, tuple[float, float, float]]
"""By feature: low, high and spread of s(x)."""

UNSEEN: Final = 1e3
"""How far a level strays that was never seen: beyond every number that may happen."""
LEAST_STRAY: Final = 0.5
"""Half a spread beyond the range is no news, whatever held-out leads say."""
HELD_OUT_SHARE: Final = 0.005
"""Share of held-out leads whose numbers may pass the threshold."""
OPEN_SHARE: Final = 0.0025
"""Share of held-out leads that may have a level, or a gap, that all others lack."""
ALARMS: Final = 0.01
"""What both shares come to, with room for the luck of the draw."""
GROUPS: Final = 5
GROUP_SEED: Final = 0
SILENCE: Final = "days_since_last"
"""The measure that tells when a lead last gave a sign of life."""

_OF_EVERYONE: Final = frozenset({"lead_age", "weekday", "month", "day_of_month", "trigger_days"})
_COUNTED: Final = frozenset({"count", "sum", "distinct", "share", "rate", "trend", "open_count", "open_sum"})


@dataclass(frozen=True)
class Seen:
    """What training held of one feature.

    Attributes:
        feature: Its name.
        low, high: Range of s(x); both 0 for categories, and for numbers without any value.
        spread: What strays are measured in.
        levels: The levels, in alphabetical order; empty for numbers.
        watches_levels: Whether a level not among them is news.
        watches_gaps: Whether a missing value is news.
    """

    feature: str
    low: float
    high: float
    spread: float
    levels: tuple[str, ...]
    watches_levels: bool
    watches_gaps: bool

    @property
    def edges(self) -> tuple[float, float]:
        """The smallest and the largest number of training."""
        low, high = np.copysign(np.expm1(np.abs([self.low, self.high])), [self.low, self.high]).tolist()
        return low, high

    def strays(self, values: pa.ChunkedArray) -> Floats:
        """Return how far each value strays, shape ``(n_rows,)``, from 0 = as in training."""
        gap = UNSEEN if self.watches_gaps else 0.0
        if pa.types.is_dictionary(values.type):
            new = UNSEEN if self.watches_levels else 0.0
            return np.array([*np.zeros(len(self.levels)), new, gap])[level_codes(values, self.levels)]
        x = signed_log1p(numbers(values))
        return np.where(np.isnan(x), gap, _beyond(x, self.low, self.high) / self.spread)


@dataclass(frozen=True)
class Familiarity:
    """What training held of all features, and how far a new lead may stray.

    Attributes:
        seen: Per feature that counts, in the model's order.
        threshold: A lead with a value that strays further is unlike training.
        longest_silence: The most days, in training, since the last sign of life of any kind; None where no feature
            counts such days, or no lead had any.
        blank_leads: Distinct training leads of whom nothing was known (`is_blank`).
    """

    seen: tuple[Seen, ...]
    threshold: float
    longest_silence: float | None
    blank_leads: int

    def strays(self, table: FeatureTable) -> Floats:
        """Return how far each value of each row strays, shape ``(n_rows, n_seen)``."""
        out = np.empty((table.columns.num_rows, len(self.seen)))
        for place, one in enumerate(self.seen):
            out[:, place] = one.strays(table.columns[one.feature])
        return out

    def is_unlike(self, table: FeatureTable) -> Bools:
        """Return which rows are unlike training, shape ``(n_rows,)``."""
        return np.asarray((self.strays(table) > self.threshold).any(axis=1))


def days_silent(table: FeatureTable) -> Floats:
    """Return the days since each lead's last sign of life of any kind, shape ``(n_rows,)``; NaN where it has none."""
    least = np.full(table.columns.num_rows, np.inf)
    for feature in table.features:
        if feature.measure is not None and feature.measure.kind == SILENCE:
            least = np.fmin(least, numbers(table.columns[feature.name]))
    return np.where(np.isinf(least), np.nan, least)


def is_blank(table: FeatureTable) -> Bools:
    """Return the rows of which nothing is known, shape ``(n_rows,)``: no attribute, and not one row of any table.

    That a lead exists, since when, and what day it is, are known of everyone.
    """
    telling = [one for one in table.features if one.measure is None or one.measure.kind not in _OF_EVERYONE]
    blank = np.full(table.columns.num_rows, bool(telling))
    for feature in telling:
        values = table.columns[feature.name]
        blank_here = _is_missing(feature, values)
        if feature.kind == "number" and feature.measure is not None and feature.measure.kind in _COUNTED:
            blank_here |= numbers(values) == 0
        blank &= blank_here
    return blank


def fit_familiarity(table: FeatureTable, moments: Moments) -> Familiarity:
    """Learn what leads look like.

    Args:
        table: The rows that a model learns from, with the features that it reads.
        moments: Their leads.
    """
    group = lead_groups(moments, count=GROUPS, seed=GROUP_SEED)
    watched = [feature for feature in table.features if feature.family != "calendar"]
    ranges = {feature.name: _range_of(feature, table.columns[feature.name]) for feature in watched}
    silence = days_silent(table)
    return Familiarity(
        seen=_seen(table, watched, ranges, group),
        threshold=max(LEAST_STRAY, _usual_stray(table, watched, ranges, group)),
        longest_silence=None if np.isnan(silence).all() else float(np.nanmax(silence)),
        blank_leads=int(np.unique(moments.lead[is_blank(table)]).size),
    )


def _seen(table: FeatureTable, watched: Sequence[Feature], ranges: _Ranges, group: Ints) -> tuple[Seen, ...]:
    """Return what training held of each feature, and of which of them a new level or a gap is news."""
    alarmed = np.zeros(len(table), dtype=np.bool_)
    has_gap: dict[str, bool] = {}
    new_levels: dict[str, Bools] = {}
    for feature in watched:
        values = table.columns[feature.name]
        is_gap = _is_missing(feature, values)
        has_gap[feature.name] = bool(is_gap.any())
        alarmed |= _in_one_group(is_gap, group)
        if feature.kind != "number":
            new_levels[feature.name] = _new_levels(values, group)
    watches_gaps = bool(alarmed.mean() <= OPEN_SHARE / 2)
    closed = _closed(new_levels, alarmed=alarmed & watches_gaps)
    return tuple(
        Seen(
            feature.name,
            *ranges[feature.name],
            levels=level_counts(table.columns[feature.name])[0] if feature.name in closed else (),
            watches_levels=feature.name in closed,
            watches_gaps=watches_gaps and not has_gap[feature.name],
        )
        for feature in watched
    )


def _usual_stray(table: FeatureTable, watched: Sequence[Feature], ranges: _Ranges, group: Ints) -> float:
    """Return how far all but `HELD_OUT_SHARE` of the rows stray, by numbers, from the leads of the other groups."""
    furthest = np.zeros(len(table))
    for feature in watched:
        if feature.kind == "number":
            x, (_, _, spread) = signed_log1p(numbers(table.columns[feature.name])), ranges[feature.name]
            furthest = np.maximum(furthest, _held_out(x, group, spread=spread))
    # The next higher value, not one between two: what half a tie passes, all of it passes.
    return float(np.quantile(furthest, 1 - HELD_OUT_SHARE, method="higher"))


def _is_missing(feature: Feature, values: pa.ChunkedArray) -> Bools:
    if feature.kind == "number":
        return np.isnan(numbers(values))
    return np.asarray(values.is_null().to_numpy(), dtype=np.bool_)


def _range_of(feature: Feature, values: pa.ChunkedArray) -> tuple[float, float, float]:
    """Return low, high and spread of s(x); (0, 0, 1) for categories, and for numbers without any value."""
    x = signed_log1p(numbers(values)) if feature.kind == "number" else np.empty(0)
    x = x[~np.isnan(x)]
    if not len(x):
        return 0.0, 0.0, 1.0
    low, high = float(x.min()), float(x.max())
    quarter, three_quarters = np.quantile(x, [0.25, 0.75])
    return low, high, max(float(three_quarters - quarter), (high - low) / 4) or 1.0


def _held_out(x: Floats, group: Ints, *, spread: float) -> Floats:
    """Return how far each value strays from the range of the other groups; 0 where it is missing."""
    strays, there = np.zeros(len(x)), ~np.isnan(x)
    for one in range(GROUPS):
        others, rows = x[there & (group != one)], there & (group == one)
        if len(others):
            strays[rows] = _beyond(x[rows], others.min(), others.max()) / spread
    return strays


def _in_one_group(rows: Bools, group: Ints) -> Bools:
    """Return *rows* where they all are of one group, for then no other group had any; else none."""
    return rows if len(np.unique(group[rows])) == 1 else np.zeros_like(rows)


def _closed(new: Mapping[str, Bools], *, alarmed: Bools) -> set[str]:
    """Return the categories of which a new level is news.

    They are taken in order of how seldom a group has a level that no other has, while few held-out rows have any.

    Args:
        new: Per category: the rows that hold such a level.
        alarmed: Rows that hold news already.
    """
    chosen: set[str] = set()
    for name in sorted(new, key=lambda one: (int(new[one].sum()), one)):
        together = alarmed | new[name]
        if together.mean() > OPEN_SHARE:
            break
        chosen.add(name)
        alarmed = together
    return chosen


def _new_levels(values: pa.ChunkedArray, group: Ints) -> Bools:
    """Return which rows hold a level that no other group has."""
    levels, _ = level_counts(values)
    codes = level_codes(values, levels)
    groups_with = np.zeros((len(levels) + 2, GROUPS), dtype=np.bool_)
    groups_with[codes, group] = True
    is_alone = groups_with.sum(axis=1) == 1
    return np.asarray(is_alone[codes] & (codes < len(levels)))


def _beyond(x: Floats, low: float, high: float) -> Floats:
    return np.maximum(np.maximum(low - x, x - high), 0.0)
