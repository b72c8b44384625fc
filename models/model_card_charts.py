"""Two pictures as inline SVG: they follow the page into the dark and onto paper, and weigh a few kilobytes."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from models.model_card_numbers import whole
from models.model_card_page import shown
from models.plots_curves import LEAST_AXIS, MARKED_SHARE, Gains

if TYPE_CHECKING:
    from models.plots_curves import Calibration

WIDTH, HEIGHT = 440, 320
LEFT, RIGHT, TOP, BOTTOM = 66, 22, 12, 44
STEPS: Final = (0.01, 0.02, 0.05, 0.1, 0.2, 0.25)

Floats = npt.NDArray[np.float64]


def svg(curve: Gains | Calibration, *, title: str) -> str:
    """Return the picture of *curve* as one SVG element; its colours come from the page's classes."""
    drawn = _gains(curve) if isinstance(curve, Gains) else _calibration(curve)
    # Escaped, as every text of a card may come from outside.
    label = escape(shown(title), quote=True)
    return (
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{label}" xmlns="http://www.w3.org/2000/svg">'
        f"<title>{label}</title>{''.join(drawn)}</svg>"
    )


def _gains(curve: Gains) -> list[str]:
    place = _Axes(1.0)
    found = curve.found_at(MARKED_SHARE)
    said = f'<text class="said" x="{place.x(MARKED_SHARE) + 9:.1f}" y="{place.y(found) + 14:.1f}">'
    band = np.concatenate([curve.low, curve.high[::-1]])
    across = np.concatenate([curve.share_contacted, curve.share_contacted[::-1]])
    return [
        *place.frame("leads contacted, best score first", "conversions reached"),
        f'<polygon class="band" points="{place.points(across, band)}"/>',
        f'<polyline class="ideal" points="{place.points([0, curve.base_rate, 1], [0, 1, 1])}"/>',
        f'<polyline class="chance" points="{place.points([0, 1], [0, 1])}"/>',
        f'<polyline class="model" points="{place.points(curve.share_contacted, curve.share_found)}"/>',
        f'<polyline class="read" points="{place.points([MARKED_SHARE, MARKED_SHARE, 0], [0, found, found])}"/>',
        f'<circle class="dot" cx="{place.x(MARKED_SHARE):.1f}" cy="{place.y(found):.1f}" r="4"/>',
        f"{said}{whole(MARKED_SHARE)} → {whole(found)}</text>",
    ]


def _calibration(curve: Calibration) -> list[str]:
    edge = max(float(curve.predicted.max()), float(curve.high.max()), LEAST_AXIS) * 1.05
    place = _Axes(edge)
    bars = [
        f'<line class="bar" x1="{place.x(x):.1f}" x2="{place.x(x):.1f}" y1="{place.y(a):.1f}" y2="{place.y(b):.1f}"/>'
        for x, a, b in zip(curve.predicted, curve.low, curve.high, strict=True)
    ]
    dots = [
        f'<circle class="dot" cx="{place.x(x):.1f}" cy="{place.y(y):.1f}" r="4"/>'
        for x, y in zip(curve.predicted, curve.observed, strict=True)
    ]
    return [
        *place.frame("predicted probability", "share that converted"),
        f'<polyline class="chance" points="{place.points([0, edge], [0, edge])}"/>',
        f'<polyline class="thin" points="{place.points(curve.predicted, curve.observed)}"/>',
        *bars,
        *dots,
    ]


class _Axes:
    """A square of rates from 0 to *edge*, and where its points lie in the picture."""

    def __init__(self, edge: float) -> None:
        self._edge = edge

    def x(self, value: float) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * float(value) / self._edge

    def y(self, value: float) -> float:
        return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * float(value) / self._edge

    def points(self, xs: Iterable[float] | Floats, ys: Iterable[float] | Floats) -> str:
        return " ".join(f"{self.x(x):.1f},{self.y(y):.1f}" for x, y in zip(xs, ys, strict=True))

    def frame(self, across: str, upwards: str) -> list[str]:
        """Return grid, ticks and the names of both axes."""
        step = next((one for one in STEPS if self._edge / one <= 5.5), STEPS[-1])
        ticks = np.arange(0, self._edge + 1e-9, step)
        drawn = []
        for tick in ticks:
            said, across_at, up_at = whole(tick), f"{self.x(tick):.1f}", self.y(tick)
            drawn += [
                f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{up_at:.1f}" y2="{up_at:.1f}"/>',
                f'<text x="{LEFT - 8}" y="{up_at + 4:.1f}" text-anchor="end">{said}</text>',
                f'<text x="{across_at}" y="{HEIGHT - BOTTOM + 17}" text-anchor="middle">{said}</text>',
            ]
        middle = f"{(TOP + HEIGHT - BOTTOM) / 2:.1f}"
        turned = f'text-anchor="middle" transform="rotate(-90 13 {middle})"'
        drawn += [
            f'<text x="{(LEFT + WIDTH - RIGHT) / 2:.1f}" y="{HEIGHT - 8}" text-anchor="middle">{across}</text>',
            f'<text x="13" y="{middle}" {turned}>{upwards}</text>',
        ]
        return drawn
