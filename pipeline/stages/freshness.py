"""Whether the data are fit to be scored: how old each table is, and how much of its usual volume came.

A table that stopped is found by its age, one that lost part of its rows by its volume. Its newest day is held against
the same weekday of the four weeks before: weekends, seasons and one bad day among the four do not count. A table with
few rows a day is held against weeks; one with few rows a week is not judged, for chance alone would stop the night.

Days are those of the shop's clock, so that a table of dates loses no day where the clocks change.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Final

from features import moments
from features.local_time import days_before
from features.timeline import Coverage

Window = tuple[int, int]
"""From a moment until before another, microseconds (UTC)."""
Count = Callable[[Sequence[Window]], Sequence[int]]
"""Returns how many rows occurred in each window."""

_SPANS: Final = (1, 7)
"""Days that are compared, the shortest that has enough rows."""
_WEEKS: Final = 4
_LEAST_WEEKS: Final = 2
"""With one week to compare with, nothing says what is usual."""


@dataclass(frozen=True)
class Rules:
    """When data are fit to be scored.

    Attributes:
        max_age_days: How long before the run a table may end; 0 = it does not matter.
        least_volume: Least share of the usual rows; 0 = it does not matter.
        from_rows: Rows that a usual day, or week, must have for its volume to be judged.
        max_age_days_of: As `max_age_days`, for single tables.
        least_volume_of: As `least_volume`, for single tables.
    """

    max_age_days: float
    least_volume: float
    from_rows: int
    max_age_days_of: Mapping[str, float] = field(default_factory=dict)
    least_volume_of: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Volume:
    """What came of a table, and what usually comes.

    Attributes:
        days: Over how many days.
        rows: Rows of the newest.
        usual: Median of the same days in the weeks before.
        least_share: The share of the usual that is asked for.
    """

    days: int
    rows: int
    usual: float
    least_share: float

    @property
    def is_thin(self) -> bool:
        """Whether too few came."""
        return self.rows < self.least_share * self.usual


@dataclass(frozen=True)
class Freshness:
    """How one table stands.

    Attributes:
        table: Its name.
        data_until: Until when it tells what happened, microseconds (UTC).
        age_days: Days from there to the run; below 0 where the run asks for a moment before.
        max_age_days: Days that are allowed; 0 = it does not matter.
        is_stale: Whether it is older.
        volume: Its newest rows; None where they are not judged.
    """

    table: str
    data_until: int
    age_days: float
    max_age_days: float
    is_stale: bool
    volume: Volume | None

    @property
    def is_fit(self) -> bool:
        """Whether the table may be scored on."""
        return not self.is_stale and not (self.volume is not None and self.volume.is_thin)


def freshness(
    table: str, span: Coverage, count: Count | None, *, at: int, as_of: int, zone: str, rules: Rules
) -> Freshness:
    """Return how a table stands.

    Args:
        table: Its name.
        span: What its data cover.
        count: Counts its rows; None where they have no days.
        at: The moment at which its age counts, microseconds (UTC): that of the run.
        as_of: The moment that is to be scored; later rows do not count.
        zone: The shop's.
        rules: What is asked for.
    """
    allowed = rules.max_age_days_of.get(table, rules.max_age_days)
    share = rules.least_volume_of.get(table, rules.least_volume)
    # What came after the table ended is not missing from it: its newest day is the last that it covers.
    until = span.data_until if moments.is_past(span.data_until, as_of) else as_of
    is_judged = count is not None and share > 0
    return Freshness(
        table=table,
        data_until=span.data_until,
        age_days=(at - span.data_until) / moments.DAY,
        max_age_days=allowed,
        is_stale=moments.is_before_window(span.data_until, moments.window_start(at, round(allowed * moments.DAY))),
        volume=_volume(count, until, span.data_from, zone, share, rules.from_rows) if is_judged and count else None,
    )


def _volume(count: Count, until: int, data_from: int, zone: str, share: float, from_rows: int) -> Volume | None:
    """Return the volume over the shortest span of days that usually has enough rows; None where none has."""
    for days in _SPANS:
        newest, *before = _windows(until, days, zone=zone)
        covered = [
            window for window in before if moments.is_window_covered(window[1], window[1] - window[0], data_from)
        ]
        if len(covered) < _LEAST_WEEKS:
            return None
        rows, *counts = count([newest, *covered])
        usual = float(median(counts))
        if usual >= from_rows:
            return Volume(days, rows, usual, share)
    return None


def _windows(until: int, days: int, *, zone: str) -> list[Window]:
    """Return the newest *days* days, and the same days of the weeks before."""
    ends = [until, *(days_before(until, 7 * week, zone=zone) for week in range(1, _WEEKS + 1))]
    return [(days_before(end, days, zone=zone), end) for end in ends]
