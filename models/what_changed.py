"""Why a score moved between two runs: the difference of the stored hundredths, split into four steps.

    new - old = (aged - old) + (acted - aged) + (informed - acted) + (new - informed)
                     time         activity             facts             model

*Old* and *new* are stored. *Aged*, *acted* and *informed* are what the old model says of the lead at the new moment:
of what was known then; of that and what the lead did, as known since; of all that is known (`features.two_moments`).
Each step starts where the one before it ended, so the four sum to the difference exactly, whatever was rounded.

The order is fixed, and says what each step means: what the clock did comes first, what the new model did comes last.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt
import pyarrow.compute as pc

from features.matrix import concat
from models.languages import N_
from models.points import shown

if TYPE_CHECKING:
    import pyarrow as pa

    from features.two_moments import TwoMoments
    from models.rescoring import Scorer

Int64Array = npt.NDArray[np.int64]

STEPS: Final = ("time", "activity", "facts", "model")
WORDS: Final[Mapping[str, str]] = {
    "time": N_("time passed"),
    "activity": N_("what the lead did"),
    "facts": N_("what we know about the lead"),
    "model": N_("the model"),
}
NOT_SCORED_THEN, NOT_SCORED_NOW = "not_scored_then", "not_scored_now"
UNSCORED_THEN, UNSCORED_NOW = "unscored_then", "unscored_now"
RUN_GONE, MODEL_GONE, NEW_MODEL_GONE = "run_gone", "model_gone", "new_model_gone"
ROWS_GONE, ROWS_CHANGED_THEN, ROWS_CHANGED_NOW = "rows_gone", "rows_changed_then", "rows_changed_now"
WHY_NOT: Final[Mapping[str, str]] = {
    NOT_SCORED_THEN: N_("The lead was not scored then: it was not known yet, or was not among those asked about."),
    NOT_SCORED_NOW: N_("The lead is not scored now: it is no longer among those asked about."),
    UNSCORED_THEN: N_("The lead had no score then; a reason code says why."),
    UNSCORED_NOW: N_("The lead has no score now; a reason code says why."),
    RUN_GONE: N_("Of the score then only the total is kept, so it cannot be said what moved it."),
    MODEL_GONE: N_("The model that scored then is gone, so it cannot be said what moved the score."),
    NEW_MODEL_GONE: N_("The model that scored now is gone, so it cannot be said what moved the score."),
    ROWS_GONE: N_("The data that the scores were made of are gone, so it cannot be said what moved the score."),
    ROWS_CHANGED_THEN: N_("The data of then read differently today, so it cannot be said what moved the score."),
    ROWS_CHANGED_NOW: N_("The data were changed since the lead was scored, so it cannot be said what moved the score."),
}
"""Why a change has no steps, in words to translate; the first four stand where there is no total either."""


@dataclass(frozen=True)
class Split:
    """The steps of many leads.

    Attributes:
        steps: Hundredths, in the order of `STEPS`, int64 ``(n, 4)``; each row sums to new - old.
        read_then: Whether what was known then still reads as it was scored, ``(n,)``; true where no history is kept.
        read_now: Whether what is known now reads as it was scored, ``(n,)``.
    """

    steps: Int64Array
    read_then: npt.NDArray[np.bool_]
    read_now: npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Stored:
    """What is stored of many leads in one run.

    Attributes:
        hundredths: ``points_total``, int64 ``(n,)``.
        hashes: ``features_hash``, text ``(n,)``.
    """

    hundredths: Int64Array
    hashes: pa.ChunkedArray


@dataclass(frozen=True)
class End:
    """A stored score at one end of a change.

    Attributes:
        score: 0–100.
        hundredths: ``points_total``.
        start: Where its points begin: 50, or the base of a points card.
        top: Where its scale ends: 100, or the top of a points card.
    """

    score: int
    hundredths: int
    start: int = 50
    top: int = 100


@dataclass(frozen=True)
class ShownSteps:
    """A change in whole points for a person: ``old + sum(lines) + limits = new``.

    Attributes:
        old: The old score as it was shown.
        lines: What each step shows.
        limits: What the ends of the scale cut off now, less what they cut off then.
        new: The new score as it is shown.
    """

    old: int
    lines: tuple[int, ...]
    limits: int
    new: int


def split(read: TwoMoments, old: Stored, new: Stored, *, by: Scorer, newer: Scorer) -> Split:
    """Return the steps from the *old* to the *new* stored scores.

    Args:
        read: What the two scorers read of the leads, between the two moments.
        old: The leads' older scores, in the same order.
        new: The leads' newer scores.
        by: What gave the older ones.
        newer: What gave the newer ones.
    """
    # Where no history is kept nothing but the facts can have moved.
    told = [one for one in (read.aged, read.acted, read.informed) if one is not None]
    between = by.hundredths(concat(told)).reshape(len(told), -1)
    at = np.stack([*[old.hundredths] * (4 - len(told)), *between, new.hundredths], axis=1)
    everywhere = np.ones(len(old.hundredths), dtype=np.bool_)
    return Split(
        steps=at[:, 1:] - at[:, :-1],
        read_then=everywhere if read.then is None else _same(by.hashes(read.then), old.hashes),
        read_now=_same(newer.hashes(read.now), new.hashes),
    )


def shown_steps(steps: Sequence[int], old: End, new: End) -> ShownSteps:
    """Return *steps* as whole numbers that add up between two scores as they are shown.

    A step of nothing shows nothing; any other is rounded down or up, whichever lets the lines add up with the least
    error (largest remainder).

    Args:
        steps: Hundredths that sum to ``new.hundredths - old.hundredths``: the four, or the total alone.
        old: The older score.
        new: The newer score; where it counts from another start than the older, the last step bears the difference.
    """
    before, after = (shown((), total_hundredths=end.hundredths, score=end.score, start=end.start, top=end.top)
                     for end in (old, new))  # fmt: skip
    moved = [*steps[:-1], steps[-1] + 100 * (new.start - old.start)]
    total = (new.start + after.everything_else) - (old.start + before.everything_else)
    return ShownSteps(old.score, _whole(moved, total), after.limits - before.limits, new.score)


def _whole(hundredths: Sequence[int], total: int) -> tuple[int, ...]:
    """Return hundredths as whole points that sum to *total*, which is their sum rounded at either end."""
    whole = [step // 100 for step in hundredths]
    by_remainder = sorted(range(len(whole)), key=lambda place: -(hundredths[place] % 100))
    open_places = [place for place in by_remainder if hundredths[place] % 100]
    missing = total - sum(whole)
    for place in open_places[: max(missing, 0)]:
        whole[place] += 1
    # Two halves can be rounded apart: what no fraction explains goes where it shows least, or to the last step.
    largest = max(range(len(whole)), key=lambda place: (abs(hundredths[place]), place))
    whole[largest] += total - sum(whole)
    return tuple(whole)


def _same(hashes: pa.StringArray, stored: pa.ChunkedArray) -> npt.NDArray[np.bool_]:
    return np.asarray(pc.fill_null(pc.equal(stored, hashes), False), dtype=np.bool_)
