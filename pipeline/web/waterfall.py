"""A score as a sum, line by line: from the start, by every reason, to the number shown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from models.points import shown
from models.reasons import Reason, read_reasons
from models.wording import begun
from pipeline.languages import Language
from pipeline.web.words import Scorer


@dataclass(frozen=True)
class Step:
    """One line of the sum from the start to the score.

    Attributes:
        kind: ``start``, ``for``, ``against``, ``rest``, ``limits`` or ``score``.
        text: The sentence of a reason; empty for the other kinds, which the page words.
        points: Whole points.
        before, after: The sum before and after it; outside 0–100 where the scale cuts it off later.
    """

    kind: str
    text: str
    points: int
    before: int
    after: int


def steps_of(row: Mapping[str, Any], scorer: Scorer, *, currency: str, language: Language) -> list[Step]:
    """Return the lines of the sum: what speaks for the lead first, then what speaks against it."""
    reasons = read_reasons(row["reasons"] or [], scorer.features, currency=currency, language=language)
    points = shown(
        [reason.points_hundredths for reason in reasons],
        total_hundredths=row["points_total"],
        score=row["score"],
        start=scorer.start,
        top=scorer.top,
    )
    lines = _sides(reasons, points.lines)
    lines += [("rest", "", points.everything_else)] if points.everything_else else []
    lines += [("limits", "", points.limits)] if points.limits else []
    steps, sum_so_far = [Step("start", "", scorer.start, 0, scorer.start)], scorer.start
    for kind, text, worth in lines:
        steps.append(Step(kind, text, worth, sum_so_far, sum_so_far + worth))
        sum_so_far += worth
    return [*steps, Step("score", "", row["score"], 0, row["score"])]


def _sides(reasons: Sequence[Reason], points: Sequence[int]) -> list[tuple[str, str, int]]:
    told_for = [
        (r.direction, begun(r.text), worth) for r, worth in zip(reasons, points, strict=True) if r.direction == "for"
    ]
    against = [
        (r.direction, begun(r.text), worth) for r, worth in zip(reasons, points, strict=True) if r.direction != "for"
    ]
    return [*told_for, *against]
