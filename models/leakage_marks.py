"""Marks that the outcome itself may have set: when one is a leak, and how it is told.

A mark is anything that some leads have and others lack: a value that is filled, one level of an attribute, being a
member of the cohort. It is a leak where two signs meet: among leads that are alike, its odds differ at least
`MARK_ODDS`-fold between who converts later and who never does; and among those who have it (or lack it), at most
`MOST_LEFT_OVER` of the usual share is left of one kind. An honest reason may show either sign, hardly both.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from models.leakage_bounds import TINY, left_over

Bools = npt.NDArray[np.bool_]

MARK_ODDS: Final = 4.0
"""Odds ratio (bound) from which on a mark may come from the outcome."""
MOST_LEFT_OVER: Final = 0.25
"""... if, besides, so little of the other kind is left among those who have it (or have it not)."""


def reached(bound: float, decided: Sequence[tuple[Bools, Bools]]) -> float:
    """Return how far a mark is on its way from nothing (0) to a leak (1): as far as the weaker of two signs.

    Args:
        bound: Of the odds ratio among leads that are alike.
        decided: Groups of leads, each with the kind of which hardly anyone may be left in it.
    """
    left = max(min(left_over(group, kind) for group, kind in decided), TINY)
    return float(min(abs(np.log(bound)) / np.log(MARK_ODDS), np.log(left) / np.log(MOST_LEFT_OVER)))


def marked_words(word: str, marked: Bools, converts: Bools, ratio: float) -> str:
    """Return how often a mark is found among leads that convert later and among those that never do.

    Args:
        word: The mark, in words.
        marked: Whether each lead has it, shape ``(n_leads,)``.
        converts: Whether it converts later.
        ratio: The odds ratio, told as a number above 1 whichever way it goes.
    """
    return (
        f"{word} for {marked[converts].mean():.1%} of the leads that convert later and "
        f"{marked[~converts].mean():.1%} of those that never do (odds {max(ratio, 1 / ratio):.1f}-fold)"
    )
