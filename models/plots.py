"""Pictures of a hold-out, in one style, for people who have never seen a ROC curve.

Every function takes a curve of `models.plots_curves` and returns a figure; nothing is drawn on a screen, and no global
state of matplotlib is touched. The colours stay apart for colour-blind eyes (Okabe and Ito, 2008).
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from models.plots_curves import LEAST_AXIS, MARKED_SHARE

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from models.plots_curves import Calibration, Curves, Gains, PrecisionRecall, Roc

MODEL: Final = "#0072B2"
IDEAL: Final = "#009E73"
MARK: Final = "#D55E00"
CHANCE: Final = "#8A8A8A"
INK: Final = "#222222"
GRID: Final = "#E6E6E6"
SIZE: Final = (7.2, 5.4)
DOTS_PER_INCH: Final = 144


def figures(curves: Curves) -> dict[str, Figure]:
    """Return every picture of *curves* by file name, without the ending."""
    return {
        "roc": roc(curves.roc),
        "precision_recall": precision_recall(curves.precision_recall),
        "gains": gains(curves.gains),
        "calibration": calibration(curves.calibration),
    }


def save(figure: Figure, path: Path) -> None:
    """Write *figure* as PNG, the same bytes for the same figure."""
    # No software name and no date: they alone would make two equal pictures differ.
    figure.savefig(path, format="png", dpi=DOTS_PER_INCH, metadata={"Software": None})


def gains(curve: Gains) -> Figure:
    """Draw what share of the conversions is reached by contacting the best leads first."""
    found = curve.found_at(MARKED_SHARE)
    figure, axes = canvas(
        f"The best {MARKED_SHARE:.0%} of leads hold {found:.0%} of the conversions",
        "Leads contacted, best score first",
        "Conversions reached",
    )
    axes.fill_between(curve.share_contacted, curve.low, curve.high, color=MODEL, alpha=0.15, linewidth=0)
    axes.plot([0, curve.base_rate, 1], [0, 1, 1], color=IDEAL, linestyle=(0, (4, 2)), label="Perfect ranking")
    axes.plot(
        curve.share_contacted, curve.share_found, color=MODEL, linewidth=2.4, label="This model (band: 95% interval)"
    )
    axes.plot([0, 1], [0, 1], color=CHANCE, linestyle=(0, (1, 1.5)), label="Random order")
    _read_off(axes, MARKED_SHARE, found)
    _shares(axes)
    axes.legend(loc="lower right", frameon=False)
    return figure


def roc(curve: Roc) -> Figure:
    """Draw the share of converting leads found against the share of the others that are bothered for it."""
    figure, axes = canvas(
        f"A converting lead outranks another lead {curve.area:.0%} of the time",
        "Other leads contacted on the way (false positive rate)",
        "Converting leads reached (true positive rate)",
    )
    axes.plot(
        curve.share_of_others,
        curve.share_found,
        color=MODEL,
        linewidth=2.4,
        label=f"This model (area {curve.area:.3f})",
    )
    axes.plot([0, 1], [0, 1], color=CHANCE, linestyle=(0, (1, 1.5)), label="Random order (area 0.500)")
    _shares(axes)
    axes.legend(loc="lower right", frameon=False)
    return figure


def precision_recall(curve: PrecisionRecall) -> Figure:
    """Draw how many of those contacted convert, against how many of all conversions that reaches."""
    figure, axes = canvas(
        f"Reaching half of the conversions, {_rate_at_half(curve):.0%} of contacts convert",
        "Conversions reached (recall)",
        "Contacted leads that convert (precision)",
    )
    axes.plot(
        curve.share_found,
        curve.conversion_rate,
        color=MODEL,
        linewidth=2.4,
        label=f"This model (average precision {curve.average_precision:.3f})",
    )
    axes.axhline(
        curve.base_rate,
        color=CHANCE,
        linestyle=(0, (1, 1.5)),
        label=f"Random order (conversion rate {curve.base_rate:.3f})",
    )
    _shares(axes)
    axes.legend(loc="upper right", frameon=False)
    return figure


def calibration(curve: Calibration) -> Figure:
    """Draw observed conversion rates over predicted probabilities, and how the predictions are spread."""
    predicted, observed = _overall(curve)
    figure = blank(SIZE)
    above, below = figure.subplots(2, height_ratios=(5, 1), sharex=True)
    dress(above, f"Predicted {predicted:.1%} on average, {observed:.1%} converted", "", "Leads that converted")
    dress(below, "", "Predicted probability of converting", "Leads")
    edge = max(float(curve.predicted.max()), float(curve.high.max()), LEAST_AXIS) * 1.05
    above.plot([0, edge], [0, edge], color=CHANCE, linestyle=(0, (1, 1.5)), label="Predictions that come true")
    above.errorbar(
        curve.predicted,
        curve.observed,
        yerr=[curve.observed - curve.low, curve.high - curve.observed],
        color=MODEL,
        marker="o",
        markersize=6,
        linewidth=1.6,
        elinewidth=1.4,
        capsize=3,
        label="A tenth of the leads each (bars: 95% interval)",
    )
    _percent(above, (0, edge), (0, edge))
    above.legend(loc="upper left", frameon=False)
    below.stairs(curve.histogram, curve.edges, fill=True, color=MODEL, alpha=0.45)
    below.set_yticks([])
    return figure


def canvas(title: str, x: str, y: str, *, size: tuple[float, float] = SIZE) -> tuple[Figure, Axes]:
    """Return an empty figure and its axes in the one style of all pictures.

    Args:
        title: What the picture says, as a sentence.
        x: What lies along the bottom; may be empty.
        y: What rises on the left; may be empty.
        size: Width and height in inches.
    """
    figure = blank(size)
    axes = figure.add_subplot()
    dress(axes, title, x, y)
    return figure, axes


def dress(axes: Axes, title: str, x: str, y: str) -> None:
    """Give *axes* its words, and the quiet frame and grid of all pictures."""
    axes.set_title(title, loc="left", fontsize=12, fontweight="bold", color=INK, pad=12)
    axes.set_xlabel(x, color=INK)
    axes.set_ylabel(y, color=INK)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        axes.spines[side].set_color(CHANCE)
    axes.grid(color=GRID, linewidth=0.8)
    axes.set_axisbelow(True)
    axes.tick_params(colors=INK, length=0, pad=6)


def blank(size: tuple[float, float]) -> Figure:
    """Return a figure without axes, *size* inches wide and high, laid out by itself."""
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    return Figure(figsize=size, layout=ConstrainedLayoutEngine(w_pad=0.12, h_pad=0.12), facecolor="white")


def _shares(axes: Axes) -> None:
    _percent(axes, (0, 1), (0, 1.02))


def _percent(axes: Axes, x: tuple[float, float], y: tuple[float, float]) -> None:
    """Write both axes in per cent, with a decimal where the range is narrow."""
    from matplotlib.ticker import PercentFormatter

    axes.set_xlim(*x)
    axes.set_ylim(*y)
    axes.xaxis.set_major_formatter(PercentFormatter(1.0, decimals=0 if x[1] > 0.1 else 1))
    axes.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0 if y[1] > 0.1 else 1))


def _read_off(axes: Axes, x: float, y: float) -> None:
    """Mark the point (x, y) with lines to both axes."""
    axes.plot([x, x, 0], [0, y, y], color=MARK, linewidth=1.2)
    axes.plot([x], [y], marker="o", markersize=7, color=MARK, clip_on=False)
    axes.annotate(f"{x:.0%} → {y:.0%}", (x, y), textcoords="offset points", xytext=(12, -12), color=MARK)


def _rate_at_half(curve: PrecisionRecall) -> float:
    return float(curve.conversion_rate[np.searchsorted(curve.share_found, 0.5)])


def _overall(curve: Calibration) -> tuple[float, float]:
    """Return the mean prediction and the conversion rate over all rows."""
    share = curve.rows / curve.rows.sum()
    return float(share @ curve.predicted), float(share @ curve.observed)
