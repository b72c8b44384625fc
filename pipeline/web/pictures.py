"""Charts as SVG, drawn here: no script, and colours from the page's own style sheet.

Words and numbers stand beside a picture as text, never in it: they wrap on a phone and are read aloud.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

from markupsafe import Markup

from pipeline.published.rows import HistoryPoint
from pipeline.web.waterfall import Step

_RADIUS: Final = 52.0
_ROUND: Final = 2 * math.pi * _RADIUS
_WIDTH, _HEIGHT = 1000.0, 100.0


def ring(score: int, top: int, grade: str) -> Markup:
    """Return a ring that is filled as far as *score* is on the way to *top*; the number stands beside it."""
    share = min(max(score / top, 0.0), 1.0) if top else 0.0
    filled = share * _ROUND
    return Markup(
        '<svg class="ring grade-{grade}" viewBox="0 0 120 120" width="120" height="120" aria-hidden="true" '
        'focusable="false"><circle class="ring-track" cx="60" cy="60" r="52" fill="none" stroke-width="10"/>'
        '<circle class="ring-fill" cx="60" cy="60" r="52" fill="none" stroke-width="10" stroke-linecap="round" '
        'stroke-dasharray="{filled:.1f} {rest:.1f}" transform="rotate(-90 60 60)"/></svg>'
    ).format(grade=grade.lower(), filled=filled, rest=_ROUND - filled + 1)


def span(steps: Sequence[Step]) -> tuple[int, int]:
    """Return the ends of the scale on which all lines of a sum can be drawn."""
    ends = [end for step in steps for end in (step.before, step.after)]
    return min(0, *ends), max(100, *ends)


def step_bar(step: Step, ends: tuple[int, int]) -> Markup:
    """Return one line of a waterfall: where the sum was, and where it is now."""
    low, high = ends
    scale = _WIDTH / (high - low)
    left, right = sorted((step.before, step.after))
    x, width = (left - low) * scale, max((right - left) * scale, 4.0)
    edge = (step.after - low) * scale
    return Markup(
        '<svg class="step {kind}" viewBox="0 0 1000 100" preserveAspectRatio="none" aria-hidden="true" '
        'focusable="false"><line class="grid" x1="{middle:.0f}" x2="{middle:.0f}" y1="0" y2="100"/>'
        '<rect x="{x:.1f}" y="22" width="{width:.1f}" height="56" rx="3"/>'
        '<line class="edge" x1="{edge:.1f}" x2="{edge:.1f}" y1="50" y2="100"/></svg>'
    ).format(kind=step.kind, middle=(50 - low) * scale, x=x, width=width, edge=edge)


def share_bar(share: float, kind: str = "") -> Markup:
    """Return a bar that is filled to *share* (0–1) of its length."""
    return Markup(
        '<svg class="bar {kind}" viewBox="0 0 1000 100" preserveAspectRatio="none" aria-hidden="true" '
        'focusable="false"><rect class="track" width="1000" height="100" rx="40"/>'
        '<rect class="fill" width="{width:.0f}" height="100" rx="40"/></svg>'
    ).format(kind=kind, width=min(max(share, 0.0), 1.0) * _WIDTH)


def history_chart(points: Sequence[HistoryPoint]) -> Markup:
    """Return the scores over time as a line; a dashed line stands where another model took over."""
    scored = [point for point in points if point.score is not None]
    if not scored:
        return Markup("")
    first, last = scored[0].as_of.timestamp(), scored[-1].as_of.timestamp()
    wide = (last - first) or 1.0
    at = [((point.as_of.timestamp() - first) / wide * _WIDTH, _HEIGHT - (point.score or 0)) for point in scored]
    line = " ".join(f"{x:.1f},{y:.1f}" for x, y in at)
    area = f"0,100 {line} {at[-1][0]:.1f},100"
    grid = Markup("").join(
        Markup('<line class="grid" x1="0" x2="1000" y1="{y}" y2="{y}"/>').format(y=y) for y in (0, 25, 50, 75, 100)
    )
    taken_over = Markup("").join(
        Markup('<line class="model-change" x1="{x:.1f}" x2="{x:.1f}" y1="0" y2="100"/>').format(x=at[place][0])
        for place in range(1, len(scored))
        if scored[place].model_version != scored[place - 1].model_version
    )
    dot = Markup('<line class="dot" x1="{x:.1f}" x2="{x:.1f}" y1="{y:.1f}" y2="{y:.1f}"/>').format(
        x=at[-1][0], y=at[-1][1]
    )
    return Markup(
        '<svg class="history" viewBox="0 0 1000 100" preserveAspectRatio="none" aria-hidden="true" focusable="false">'
        '{grid}<polygon class="area" points="{area}"/>{taken_over}<polyline points="{line}"/>{dot}</svg>'
    ).format(grid=grid, area=area, taken_over=taken_over, line=line, dot=dot)
