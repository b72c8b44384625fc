"""Lift where scores tie: what the best leads of a list bring at worst, on average, and at best.

A points card gives hundreds of leads the same score, and where the cut goes through them the list says nothing about
who is inside. Lift is therefore told three times: as if all converting leads of the tied group fell outside (worst), as
many inside as their share (expected), as many inside as fit (best).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from models.metrics import SHARES


@dataclass(frozen=True)
class Lift:
    """Lift of the best share of a list: conversion rate there over the conversion rate of all.

    Attributes:
        share: The share, 0–1.
        worst, expected, best: However ties at the cut fall.
    """

    share: float
    worst: float
    expected: float
    best: float


def tie_aware_lift(
    log_odds: npt.NDArray[np.float64], converted: npt.NDArray[np.bool_], *, shares: tuple[float, ...] = SHARES
) -> tuple[Lift, ...]:
    """Return the lift at each of *shares*.

    Args:
        log_odds: Scores, shape ``(n_rows,)``; only their order counts.
        converted: The labels, shape ``(n_rows,)``.
        shares: Shares of the list, 0–1.
    """
    levels, group = np.unique(-log_odds, return_inverse=True)
    rows = np.bincount(group, minlength=len(levels)).astype(np.float64)
    won = np.bincount(group, converted, minlength=len(levels)).astype(np.float64)
    return tuple(_at(share, rows, won) for share in shares)


def _at(share: float, rows: npt.NDArray[np.float64], won: npt.NDArray[np.float64]) -> Lift:
    total, conversions = float(rows.sum()), float(won.sum())
    if not conversions:
        return Lift(share, float("nan"), float("nan"), float("nan"))
    # Round up, as everywhere: a team told "the best 10 %" of 5 leads still contacts one.
    contacted = int(np.ceil(round(share * total, 9)))
    ends = np.cumsum(rows)
    tied = int(np.searchsorted(ends, contacted))
    before = float(won[:tied].sum())
    room = contacted - float(ends[tied - 1] if tied else 0)
    inside = (
        max(0.0, room - (rows[tied] - won[tied])),
        won[tied] * room / rows[tied],
        min(room, won[tied]),
    )
    worst, expected, best = ((before + found) / contacted * total / conversions for found in inside)
    return Lift(share, float(worst), float(expected), float(best))
