"""Which features move the scores, and in which direction: one dot per lead and feature, drawn by `shap`.

Values are shown in points of the score instead of log-odds: ten points double the odds.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from models.encoding import level_codes, numbers
from models.plots import INK, canvas
from models.points import HUNDREDTHS_PER_LOG_ODDS

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from features.catalog import Feature
    from features.matrix import FeatureTable
    from models.explain import Contributions
    from models.model import LeadModel

Floats = npt.NDArray[np.float64]

MOST_LEADS: Final = 2000
"""More dots than this make the picture no clearer."""
MOST_FEATURES: Final = 15
INCHES_PER_FEATURE: Final = 0.36
LOW: Final = "#0072B2"
HIGH: Final = "#D55E00"


@dataclass(frozen=True)
class ShapSummary:
    """What each feature does to the scores of a sample of leads.

    Attributes:
        features: The model's features, in its order.
        points: Points each adds to each lead, shape ``(n_leads, n_features)``.
        heights: How high each value is: numbers as they are, a category's levels from the one that
            lowers scores most to the one that raises them most; NaN = missing. ``(n_leads, n_features)``.
    """

    features: tuple[Feature, ...]
    points: Floats
    heights: Floats

    def rows(self) -> list[dict[str, object]]:
        """Return one row per feature, the most important first: mean points, and what high values do."""
        mean = np.abs(self.points).mean(axis=0)
        return [
            {
                "feature": self.features[place].name,
                "family": self.features[place].family,
                "mean_absolute_points": round(float(mean[place]), 4),
                "high_values": _direction(self.features[place], self.heights[:, place], self.points[:, place]),
            }
            for place in np.argsort(-mean, kind="stable")
        ]


def shap_sample(n_rows: int) -> npt.NDArray[np.int64]:
    """Return at most `MOST_LEADS` positions spread evenly over *n_rows*."""
    return np.unique(np.linspace(0, n_rows - 1, min(n_rows, MOST_LEADS)).round().astype(np.int64))


def shap_summary(model: LeadModel, table: FeatureTable, contributions: Contributions) -> ShapSummary:
    """Return what each feature of *model* does to the leads of *table*.

    Args:
        model: The model.
        table: The leads; a few thousand are plenty (`shap_sample`).
        contributions: Of these leads, by this model (`models.explain`).
    """
    points = contributions.values * HUNDREDTHS_PER_LOG_ODDS / 100
    heights = [
        _heights(feature, table.columns[feature.name], points[:, place]) for place, feature in enumerate(model.features)
    ]
    return ShapSummary(model.features, points, np.column_stack(heights))


def beeswarm(summary: ShapSummary) -> Figure:
    """Draw the most important features, one dot per lead, coloured by the feature's value."""
    from matplotlib.colors import LinearSegmentedColormap

    shown = min(len(summary.features), MOST_FEATURES)
    figure, axes = canvas("", "", "", size=(9.0, 1.9 + INCHES_PER_FEATURE * shown))
    names = [_label(feature) for feature in summary.features]
    colours = LinearSegmentedColormap.from_list("low to high", [LOW, "#B9B9C9", HIGH])
    with _undisturbed():
        from shap import Explanation
        from shap.plots import beeswarm as draw

        values = Explanation(values=summary.points, data=summary.heights, feature_names=names)
        draw(values, max_display=shown, ax=axes, show=False, plot_size=None, color=colours, s=9, color_bar_label="")
    axes.set_title("What moves the scores most", loc="left", fontsize=12, fontweight="bold", color=INK, pad=12)
    axes.set_xlabel("Points added to the score (10 points double the odds)", color=INK, fontsize=10)
    axes.tick_params(labelsize=9, colors=INK)
    bar = figure.axes[-1]
    bar.set_yticklabels(["low value", "high value"], fontsize=9, color=INK)
    return figure


@contextmanager
def _undisturbed() -> Iterator[None]:
    """Let `shap`, which draws from numpy's global generator, draw the same each time and leave no trace."""
    state = np.random.get_state()  # noqa: NPY002 - theirs, not ours
    np.random.seed(0)  # noqa: NPY002
    try:
        with warnings.catch_warnings():
            # Calls that matplotlib has announced to change, and columns missing in the whole sample.
            warnings.simplefilter("ignore")
            yield
    finally:
        np.random.set_state(state)  # noqa: NPY002


def _label(feature: Feature) -> str:
    return feature.name.replace("_", " ")


def _heights(feature: Feature, column: pa.ChunkedArray, points: Floats) -> Floats:
    if feature.kind == "number":
        return numbers(column)
    levels = tuple(sorted(set(column.cast(pa.string()).drop_null().to_pylist())))
    codes = level_codes(column, levels)
    rows = np.bincount(codes, minlength=len(levels) + 2)
    mean = np.bincount(codes, points, minlength=len(levels) + 2) / np.maximum(rows, 1)
    heights = np.full(len(levels) + 2, np.nan)
    heights[np.argsort(mean[: len(levels)], kind="stable")] = np.arange(len(levels))
    return heights[codes]


def _direction(feature: Feature, heights: Floats, points: Floats) -> str:
    """Return what higher values do on the whole: ``raise``, ``lower`` or ``mixed`` (rank correlation below ½)."""
    if feature.kind == "category":
        return "by level"
    known = ~np.isnan(heights)
    x, y = _ranks(heights[known]), _ranks(points[known])
    spread = x.std() * y.std() if len(x) else 0.0
    if not spread:
        return "mixed"
    correlation = float(((x - x.mean()) * (y - y.mean())).mean() / spread)
    return "mixed" if abs(correlation) < 0.5 else "raise" if correlation > 0 else "lower"


def _ranks(values: Floats) -> Floats:
    """Return the mean rank of each value."""
    _, place, count = np.unique(values, return_inverse=True, return_counts=True)
    return (np.cumsum(count) - (count - 1) / 2)[place]
