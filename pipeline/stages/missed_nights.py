"""Nights on which nothing was scored: one per day of the shop's clock, at the time of day at which the newest data end.

A night scores as of the end of the data. Where each night's data end at the same time of the clock, as tables of whole
days do, the moments that are named here are the very moments that the missed nights would have scored.
"""

from __future__ import annotations

from typing import Final

from features import moments
from features.local_time import days_before

_MOST: Final = 400
"""Nights that are looked back at."""


def missed_nights(scored: int, newest: int, *, zone: str) -> tuple[int, ...]:
    """Return the moments of the nights that were missed, oldest first; all are microseconds (UTC).

    Args:
        scored: The newest moment that was scored.
        newest: The moment that is to be scored now.
        zone: The shop's.

    Returns:
        Moments between the two, none within half a day of *scored*: data end a little earlier or later each night.
    """
    found: list[int] = []
    for days in range(1, _MOST + 1):
        moment = days_before(newest, days, zone=zone)
        if not moments.is_past(scored + moments.DAY // 2, moment):
            break
        found.append(moment)
    return tuple(reversed(found))
