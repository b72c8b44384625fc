"""One feature cut into a few bins whose conversion rate rises or falls throughout: what a rule of a card can ask.

Numbers are cut at round values (two digits): a tree of one feature, bound to one direction, chooses among them. The
levels of a category are ranked by their smoothed rate and cut likewise. A missing value is a bin of its own. The tree
learns from counts, so the order of rows changes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from features.conditions import Condition, Conditions, canonical
from features.dictionary import ZERO_WITHOUT_ROWS
from models.encoding import numbers

if TYPE_CHECKING:
    from features.catalog import Feature

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

MOST_EDGES: Final = 40
"""Values at which a number may be cut: its quantiles, rounded."""
LEAST_SHARE: Final = 0.02
"""A bin holds at least this share of the rows, and `LEAST_ROWS`."""
LEAST_ROWS: Final = 50
SMOOTHING: Final = 20.0
"""Rows of the overall rate that are added to each bin and level: few rows say little."""
MOST_LEVELS: Final = 60
"""A category of more levels is left to the model: nobody reads such a rule."""


@dataclass(frozen=True)
class Binned:
    """One feature in bins.

    Attributes:
        feature: The feature.
        tests: What each bin asks: ascending values, or levels by rate; the last may be the missing one.
        code: Bin of each row, ``(n_rows,)``; a row in none of them has -1.
        log_odds: Smoothed log-odds of each bin less those of all rows.
        rows: Rows of each bin.
    """

    feature: Feature
    tests: tuple[Conditions, ...]
    code: Ints
    log_odds: Floats
    rows: Ints

    @property
    def reference(self) -> int:
        """The bin with the most rows: it gives no points, a typical lead is in it.

        Where values are not parted at all, the missing ones alone are worth a rule.
        """
        values = [place for place, tests in enumerate(self.tests) if not _asks_for_missing(tests)]
        return values[0] if len(values) == 1 else int(np.argmax(self.rows))

    @property
    def evidence(self) -> Floats:
        """Log-odds of each bin less those of the reference, 0 for rows in no bin: the last place."""
        return np.append(self.log_odds - self.log_odds[self.reference], 0.0)


def binned(feature: Feature, values: pa.ChunkedArray, converted: Bools, *, most: tuple[int, ...]) -> tuple[Binned, ...]:
    """Return *feature* in bins, coarser and finer, each number of bins once; none where it parts nothing.

    Args:
        feature: The feature.
        values: Its column.
        converted: The labels.
        most: Bins at most, beside the missing one, each >= 2.
    """
    if feature.kind == "number":
        x = numbers(values)
        place, edges = _places(x)
        names: list[str] = []
    else:
        place, names = _ranked(values, converted)
        edges = np.arange(1.0, len(names))
    found: dict[int, Binned] = {}
    for leaves in most:
        cuts = _cuts(place, len(edges) + 1, converted, most=leaves, direction=feature.monotone)
        tests = _level_tests(feature, names, cuts) if names else _number_tests(feature, edges, cuts)
        one = _in_bins(feature, tests, place, cuts, converted)
        if len(one.tests) > 1:
            found.setdefault(len(one.tests), one)
    return tuple(found.values())


def _in_bins(feature: Feature, tests: tuple[Conditions, ...], place: Ints, cuts: Ints, converted: Bools) -> Binned:
    """Return the bins that begin at *cuts*, and one of missing values where those are many enough."""
    code = np.where(place < 0, len(cuts) + 1, np.searchsorted(cuts, place, side="right"))
    n_bins = len(cuts) + 1
    if int((place < 0).sum()) >= _least(len(place)) and not _is_missing_by_date(feature):
        tests, n_bins = (*tests, (Condition(feature.name, "missing", (True,)),)), n_bins + 1
    else:
        code = np.where(place < 0, -1, code)
    rows = np.bincount(code[code >= 0], minlength=n_bins)
    won = np.asarray(np.bincount(code[code >= 0], converted[code >= 0], minlength=n_bins), dtype=np.float64)
    return Binned(feature, tests, code, _log_odds(won, rows, converted), rows)


def _is_missing_by_date(feature: Feature) -> bool:
    """Return whether a missing value says only that the window reaches before the data: no rule of a lead's doing."""
    return feature.measure is not None and feature.measure.kind in ZERO_WITHOUT_ROWS


def _places(x: Floats) -> tuple[Ints, Floats]:
    """Return where each number stands among round edges, -1 = missing, and the edges."""
    present = x[~np.isnan(x)]
    if not len(present):
        return np.full(len(x), -1), np.empty(0)
    quantiles = np.quantile(present, np.linspace(0, 1, MOST_EDGES + 1)[1:], method="nearest")
    edges = np.unique([_round(float(one)) for one in quantiles])
    edges = edges[(edges > present.min()) & (edges <= present.max())]
    return np.where(np.isnan(x), -1, np.searchsorted(edges, x, side="right")), edges


def _round(value: float) -> float:
    """Return *value* with two digits, whole where it is whole and small: people read these."""
    return value if value == int(value) and abs(value) < 100 else float(f"{value:.2g}")


def _ranked(values: pa.ChunkedArray, converted: Bools) -> tuple[Ints, list[str]]:
    """Return each row's level by ascending smoothed rate, -1 = missing, and the levels in that order."""
    coded = values.cast(pa.string()).combine_chunks().dictionary_encode()
    code = np.asarray(coded.indices.fill_null(-1).to_numpy(zero_copy_only=False), dtype=np.int64)
    levels = coded.dictionary.to_pylist()
    if not 0 < len(levels) <= MOST_LEVELS:
        return np.full(len(code), -1), []
    is_known = code >= 0
    rows = np.bincount(code[is_known], minlength=len(levels))
    won = np.bincount(code[is_known], converted[is_known], minlength=len(levels))
    rate = (won + SMOOTHING * converted.mean()) / (rows + SMOOTHING)
    order = sorted(range(len(levels)), key=lambda one: (rate[one], levels[one]))
    place = np.empty(len(levels) + 1, dtype=np.int64)
    place[order] = np.arange(len(levels))
    place[-1] = -1
    return place[code], [levels[one] for one in order]


def _cuts(place: Ints, n_places: int, converted: Bools, *, most: int, direction: int) -> Ints:
    """Return the places at which bins begin, of the direction that parts better."""
    known = place >= 0
    if n_places < 2 or not known.any():
        return np.empty(0, dtype=np.int64)
    rows = np.bincount(place[known], minlength=n_places).astype(np.float64)
    won = np.asarray(np.bincount(place[known], converted[known], minlength=n_places), dtype=np.float64)
    directions = (direction,) if direction else (1, -1)
    trees = [_tree(rows, won, most=most, direction=one, n_rows=len(place)) for one in directions]
    best = max(trees, key=lambda tree: tree[0])
    return best[1]


def _tree(rows: Floats, won: Floats, *, most: int, direction: int, n_rows: int) -> tuple[float, Ints]:
    """Return how much a monotone tree of at most *most* leaves gains in log-loss, and where it cuts."""
    from sklearn.tree import DecisionTreeClassifier

    places = np.arange(len(rows), dtype=np.float64)
    tree = DecisionTreeClassifier(
        max_leaf_nodes=most,
        min_weight_fraction_leaf=min(0.5, _least(n_rows) / rows.sum()),
        monotonic_cst=[direction],
        random_state=0,
    )
    x, y = np.concatenate([places, places])[:, None], np.repeat([1, 0], len(places))
    tree.fit(x, y, sample_weight=np.concatenate([won, rows - won]))
    cuts = np.sort(np.ceil(tree.tree_.threshold[tree.tree_.feature >= 0])).astype(np.int64)
    leaf = np.searchsorted(cuts, places, side="right")
    in_leaf, won_leaf = (np.asarray(np.bincount(leaf, one), dtype=np.float64) for one in (rows, won))
    return _likelihood(won_leaf, in_leaf) - _likelihood(won.sum(keepdims=True), rows.sum(keepdims=True)), cuts


def _asks_for_missing(tests: Conditions) -> bool:
    return tests[0].operator == "missing" and bool(tests[0].operands[0])


def _likelihood(won: Floats, rows: Floats) -> float:
    rate = np.clip(won / np.maximum(rows, 1.0), 1e-12, 1 - 1e-12)
    return float((won * np.log(rate) + (rows - won) * np.log1p(-rate)).sum())


def _least(n_rows: int) -> float:
    return max(LEAST_ROWS, LEAST_SHARE * n_rows)


def _log_odds(won: Floats, rows: Ints, converted: Bools) -> Floats:
    """Return smoothed log-odds of bins less those of all rows."""
    rate = float(converted.mean())
    return np.log((won + SMOOTHING * rate) / (rows - won + SMOOTHING * (1 - rate))) - np.log(rate / (1 - rate))


def _number_tests(feature: Feature, edges: Floats, cuts: Ints) -> tuple[Conditions, ...]:
    """Return what each bin asks: a cut at place k begins at the edge before it."""
    bounds = [float(edges[cut - 1]) for cut in cuts]
    if not bounds:
        return ((Condition(feature.name, "missing", (False,)),),)
    return tuple(between(feature.name, low, high) for low, high in zip([None, *bounds], [*bounds, None], strict=True))


def between(name: str, low: float | None, high: float | None) -> Conditions:
    """Return the conditions ``low <= value < high``; None = no bound."""
    found = [Condition(name, "min", (low,))] if low is not None else []
    found += [Condition(name, "below", (high,))] if high is not None else []
    return canonical(found)


def _level_tests(feature: Feature, levels: list[str], cuts: Ints) -> tuple[Conditions, ...]:
    bounds = [0, *(int(cut) for cut in cuts), len(levels)]
    return tuple((Condition(feature.name, "in", tuple(sorted(levels[low:high]))),) for low, high in pairwise(bounds))
