"""Which pieces of the history to merge, so that there are few, and each row is merged seldom.

Every published run is a piece of level 0. Four pieces of one level become one of the next, so the pieces of n nights
are as many as the digits of n in base four add up to: six for 90 nights, twelve at most in the first 255. A row is
merged log₄ n times.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from pipeline.published.history_pieces import Piece

PIECES_PER_LEVEL: Final = 4
_STALE_SHARE: Final = 0.5


def to_merge(pieces: Sequence[Piece], *, since: int) -> list[Piece]:
    """Return the pieces to make one of, in order of publication; empty = all is well.

    What a merge leads to is done at once: four of level 0 that are the fourth of level 1 become one of level 2.

    Args:
        pieces: All pieces, in order of publication.
        since: Runs of moments before it (microseconds, UTC) have to go; a piece goes when half of its runs have.
    """
    chosen: list[Piece] = []
    level = 0
    while True:
        here = [piece for piece in pieces if piece.level == level]
        if len(here) + bool(chosen) < PIECES_PER_LEVEL:
            break
        chosen = [*here, *chosen]
        level += 1
    chosen += [piece for piece in pieces if piece not in chosen and _is_stale(piece, since)]
    return [piece for piece in pieces if piece in chosen]


def level_of(merged: Sequence[Piece]) -> int:
    """Return the level of what pieces become: so high that so many runs are as rarely merged again."""
    runs, level = sum(len(piece.runs) for piece in merged), 0
    while PIECES_PER_LEVEL ** (level + 1) <= runs:
        level += 1
    return level


def _is_stale(piece: Piece, since: int) -> bool:
    gone = sum(run.as_of < since for run in piece.runs)
    return gone >= _STALE_SHARE * len(piece.runs)
