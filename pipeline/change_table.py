"""The table of what changed: one row per lead and trigger of two runs, with its steps, or why there are none."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from features.errors import LeadlightError
from features.two_moments import TwoMoments
from models import what_changed as why
from models.what_changed import STEPS, Stored, split
from pipeline.replay import ReadAgain

if TYPE_CHECKING:
    from models.rescoring import Scorer

CHANGES: Final = pa.schema(
    {
        "lead_id": pa.string(),
        "trigger_id": pa.string(),
        "old_score": pa.int64(),
        "new_score": pa.int64(),
        "old_hundredths": pa.int64(),
        "new_hundredths": pa.int64(),
        **dict.fromkeys(STEPS, pa.int64()),
        "why_not": pa.string(),
    }
)
"""One row per lead and trigger of either run. Steps are hundredths, and null where ``why_not`` says why."""


@dataclass(frozen=True)
class Scorers:
    """What gave the scores; None where it is gone, and then *why_not* says which."""

    old: Scorer | None
    new: Scorer | None
    why_not: str


def told(pairs: pa.Table, scorers: Scorers, read: Callable[[pa.Table, Scorer, Scorer], ReadAgain | None]) -> pa.Table:
    """Return `CHANGES` of *pairs*, reading those again that have a score in both runs."""
    codes, steps = _without_steps(pairs), np.zeros((len(pairs), len(STEPS)), dtype=np.int64)
    both = np.flatnonzero(codes == "")
    codes[both] = scorers.why_not
    if scorers.old is not None and scorers.new is not None and len(both):
        codes[both] = why.ROWS_GONE
        keys = pairs.select(["lead_id", "trigger_id", "old_as_of", "new_as_of"]).take(pa.array(both))
        try:
            again = read(keys, scorers.old, scorers.new)
        except LeadlightError:  # tables or columns that the models read are no longer there
            again = None
        if again is not None and len(again[1]):
            at = both[again[1]]
            codes[at], steps[at] = _steps(pairs.take(pa.array(at)), again[0], scorers.old, scorers.new)
    is_told = codes == ""
    columns = {name: pairs[name] for name in ("lead_id", "trigger_id", "old_score", "new_score")}
    columns |= {f"{which}_hundredths": pairs[f"{which}_points_total"] for which in ("old", "new")}
    columns |= {name: pa.array(steps[:, place], mask=~is_told) for place, name in enumerate(STEPS)}
    columns["why_not"] = pa.array(codes, pa.string(), mask=is_told)
    return pa.table(columns).select(CHANGES.names).cast(CHANGES)


def _without_steps(pairs: pa.Table) -> npt.NDArray[np.object_]:
    """Return why leads have nothing to split, one code each; empty for those that have."""
    has = {name: np.asarray(pairs[name], dtype=np.bool_) for name in ("in_old", "in_new")}
    lacks = {
        name: np.asarray(pc.is_null(pairs[name]), dtype=np.bool_)
        for name in ("old_points_total", "new_points_total", "old_features_hash", "new_features_hash")
    }
    conditions = [
        (~has["in_old"], why.NOT_SCORED_THEN),
        (~has["in_new"], why.NOT_SCORED_NOW),
        (lacks["old_points_total"], why.UNSCORED_THEN),
        (lacks["new_points_total"], why.UNSCORED_NOW),
        (lacks["old_features_hash"] | lacks["new_features_hash"], why.RUN_GONE),
    ]
    codes = np.full(len(pairs), "", dtype=object)
    for applies, code in reversed(conditions):
        codes[applies] = code
    return codes


def _steps(
    pairs: pa.Table, read: TwoMoments, by: Scorer, newer: Scorer
) -> tuple[npt.NDArray[np.object_], npt.NDArray[np.int64]]:
    """Return why leads have no steps after all, one code each, and the steps."""
    old, new = (
        Stored(np.asarray(pairs[f"{which}_points_total"], dtype=np.int64), pairs[f"{which}_features_hash"])
        for which in ("old", "new")
    )
    found = split(read, old, new, by=by, newer=newer)
    codes = np.full(len(pairs), "", dtype=object)
    codes[~found.read_now] = why.ROWS_CHANGED_NOW
    codes[~found.read_then] = why.ROWS_CHANGED_THEN
    return codes, found.steps
