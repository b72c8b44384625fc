"""Which features a model may read: those that can tell leads apart tomorrow as they did in training.

A constant or empty column says nothing. A calendar feature whose level occurred at one as_of alone ("December") is
that as_of's name: the model would learn one campaign's luck as if it were the season. So is, where as_ofs are few,
a number that differs between them rather than between leads: the length of the campaign, the age of customers who all
came in one quarter. It was seen a handful of times, however many rows there are, and tomorrow it takes values that were
never seen. It is told by

    share between as_ofs = variance of the as_ofs' mean ranks / variance of all ranks.

docs/decisions/0009 says what was measured.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from models.encoding import LEAST_ROWS_OF_LEVEL, ONE_HOT_LEVELS, level_counts, numbers
from models.metrics import average_ranks

if TYPE_CHECKING:
    from features.catalog import Feature
    from features.matrix import FeatureTable

LEAST_AS_OFS: Final = 2
MOST_BETWEEN_AS_OFS: Final = 0.5
"""A number whose ranks vary more between as_ofs than within them names the as_of."""
FEW_AS_OFS: Final = 12
"""With more as_ofs than these, what differs between them was seen often enough to be learned from."""
RANKED_ROWS: Final = 100_000
"""About so many rows tell the share between as_ofs well enough."""


@dataclass(frozen=True)
class Dropped:
    """A feature that the model will not read, and why, in words for the training report."""

    feature: str
    reason: str


def usable(table: FeatureTable, as_of: npt.NDArray[np.int64]) -> tuple[tuple[Feature, ...], tuple[Dropped, ...]]:
    """Return the features of *table* worth learning from, and those dropped.

    Args:
        table: Training rows.
        as_of: Their as_ofs, shape ``(n_rows,)``, us.
    """
    starts, moment = np.unique(as_of, return_inverse=True)
    is_few = 1 < len(starts) <= FEW_AS_OFS
    reasons = {
        feature.name: _reason_to_drop(feature, table.columns[feature.name], as_of)
        or (_reason_of_as_ofs(feature, table.columns[feature.name], moment) if is_few else "")
        for feature in table.features
    }
    kept = tuple(feature for feature in table.features if not reasons[feature.name])
    return kept, tuple(Dropped(name, reason) for name, reason in reasons.items() if reason)


def only(table: FeatureTable, features: tuple[Feature, ...]) -> FeatureTable:
    """Return *table* with the columns of *features* alone, without a copy."""
    return replace(table, columns=table.columns.select([feature.name for feature in features]), features=features)


def _reason_to_drop(feature: Feature, values: pa.ChunkedArray, as_of: npt.NDArray[np.int64]) -> str:
    if feature.kind == "number":
        x = numbers(values)
        present = ~np.isnan(x)
        if not present.any():
            return "no value in any training snapshot"
        if present.all() and x.min() == x.max():
            return "the same value in every training snapshot"
    else:
        reason = _reason_to_drop_category(values)
        if reason:
            return reason
    if feature.family == "calendar":
        return reason_of_calendar(values, as_of)
    return ""


def _reason_to_drop_category(values: pa.ChunkedArray) -> str:
    levels, rows = level_counts(values)
    if not levels:
        return "no value in any training snapshot"
    if len(levels) == 1 and values.null_count == 0:
        return "the same value in every training snapshot"
    if len(levels) > ONE_HOT_LEVELS and rows.max() < LEAST_ROWS_OF_LEVEL:
        return f"no value in {LEAST_ROWS_OF_LEVEL} or more training snapshots"
    return ""


def reason_of_calendar(values: pa.ChunkedArray, as_of: npt.NDArray[np.int64]) -> str:
    """Return a reason to drop a calendar feature, unless every level occurs at two or more as_ofs.

    Args:
        values: The feature, shape ``(n_rows,)``.
        as_of: Each row's as_of (us).
    """
    plain = values.cast(values.type.value_type) if pa.types.is_dictionary(values.type) else values
    pairs = pa.table({"level": plain, "as_of": as_of}).group_by(["level", "as_of"]).aggregate([])
    as_ofs = pairs.group_by("level").aggregate([("as_of", "count")])
    seldom = as_ofs.filter(pc.less(as_ofs["as_of_count"], LEAST_AS_OFS))["level"]
    if not len(seldom):
        return ""
    levels = sorted(seldom.drop_null().to_pylist())[:5]
    named = ", ".join(level if isinstance(level, str) else f"{level:g}" for level in levels)
    return f"seen at fewer than {LEAST_AS_OFS} moments of training: {named}"


def _reason_of_as_ofs(feature: Feature, values: pa.ChunkedArray, moment: npt.NDArray[np.int64]) -> str:
    """Return a reason where a number tells as_ofs apart rather than leads."""
    if feature.kind != "number" or feature.family == "calendar":
        return ""
    share = share_between(numbers(values), moment)
    if share < MOST_BETWEEN_AS_OFS:
        return ""
    return f"it tells the moments of training apart, not the leads: {share:.0%} of its spread lies between them"


def share_between(values: npt.NDArray[np.float64], moment: npt.NDArray[np.int64]) -> float:
    """Return how much of the variance of the ranks of *values* lies between moments, 0 to 1; missing ones are left out.

    Args:
        values: A number feature, shape ``(n_rows,)``.
        moment: Each row's moment, 0, 1, 2, …
    """
    here = np.flatnonzero(~np.isnan(values))
    here = here[:: max(len(here) // RANKED_ROWS, 1)]
    rank = average_ranks(values[here]) - (len(here) + 1) / 2
    total = float((rank**2).sum())
    rows, sums = np.bincount(moment[here]), np.bincount(moment[here], rank)
    between = float((sums[rows > 0] ** 2 / rows[rows > 0]).sum())
    return between / total if total else 0.0
