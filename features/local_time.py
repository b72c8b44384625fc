"""Local clocks: from naive local times to UTC, across daylight saving.

A zone's offset is a step function of the local time. At a change of the offset from *o1* to *o2*
at the instant T (UTC), local times before ``T + o2`` use *o1*, all others *o2*:

* clocks go forward (o2 > o1): ``[T + o1, T + o2)`` does not exist and moves forward by the gap;
* clocks go back (o2 < o1): ``[T + o2, T + o1)`` happens twice and means the later instant.

Example (New York, 2024): 10 March 02:30 does not exist and becomes 03:30 daylight time;
3 November 01:30 happens twice and means 01:30 standard time.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from features.errors import LeadlightError, nearest, wrong_input
from features.moments import DAY, from_us, to_us

_FIRST_YEAR, _LAST_YEAR = 1970, 2100
_LAST_YEAR_SAID = 2200


@dataclass(frozen=True)
class Change:
    """One change of a zone's offset.

    Attributes:
        at: The instant of the change, microseconds since the epoch (UTC).
        before: Offset from UTC before it, microseconds.
        after: Offset from UTC from it on, microseconds.
    """

    at: int
    before: int
    after: int

    @property
    def unusual(self) -> tuple[int, int]:
        """The naive local times, as microseconds, that do not exist or happen twice: [from, until)."""
        ends = self.at + self.before, self.at + self.after
        return min(ends), max(ends)

    @property
    def is_gap(self) -> bool:
        """Whether the unusual times do not exist (else they happen twice)."""
        return self.after > self.before


@dataclass(frozen=True)
class LocalClock:
    """A zone's offsets over a span of time.

    Attributes:
        zone: The zone's name, such as ``America/New_York``.
        first_offset: Offset before the first change, microseconds.
        changes: The changes in order of time.
    """

    zone: str
    first_offset: int
    changes: tuple[Change, ...]

    def between(self, first: int, last: int) -> LocalClock:
        """Return the clock reduced to the changes near the local times ``[first, last]`` (microseconds)."""
        # A change is an instant, *first* and *last* are local: no zone is two days from UTC.
        begin, end = first - 2 * DAY, last + 2 * DAY
        near = tuple(change for change in self.changes if begin <= change.at <= end)
        earlier = [change for change in self.changes if change.at < begin]
        return LocalClock(self.zone, earlier[-1].after if earlier else self.first_offset, near)

    def to_utc(self, local: int) -> int:
        """Return the instant of a naive local time, both in microseconds."""
        offset = self.first_offset
        for change in self.changes:
            if local >= change.at + change.after:
                offset = change.after
        return local - offset


@lru_cache
def local_clock(zone: str) -> LocalClock:
    """Return the clock of *zone* from 1970 to 2100.

    Raises:
        LeadlightError: The zone has no such name.
    """
    place = _zone(zone)
    days = [datetime(_FIRST_YEAR, 1, 1, tzinfo=UTC) + timedelta(days=k) for k in range(_days())]
    offsets = [day.astimezone(place).utcoffset() for day in days]
    changes = [
        _change(place, day) for day, before, after in zip(days, offsets, offsets[1:], strict=False) if before != after
    ]
    return LocalClock(zone, _offset(place, days[0]), tuple(changes))


def instant(said: datetime, zone: str) -> int:
    """Return a moment that a person said, in microseconds since the epoch: naive ones are the clock of *zone*.

    Raises:
        LeadlightError: The year is before 1970 or after 2200: such a moment is a slip of the pen.
    """
    if not _FIRST_YEAR <= said.year <= _LAST_YEAR_SAID:
        raise _out_of_range(said)
    if said.tzinfo is not None:
        return to_us(said)
    return local_clock(zone).to_utc(to_us(said.replace(tzinfo=UTC)))


def days_before(moment: int, days: int, *, zone: str) -> int:
    """Return the same time of the clock of *zone*, *days* days earlier; moments are microseconds (UTC).

    A day on which the clocks change counts as a day, so that a midnight stays a midnight.
    """
    local = from_us(moment).astimezone(_zone(zone)).replace(tzinfo=None)
    return instant(local - timedelta(days=days), zone)


def local_iso(moment: int, zone: str) -> str:
    """Return microseconds since the epoch as ISO text of the clock of *zone*, with its offset."""
    return from_us(moment).astimezone(_zone(zone)).isoformat()


def _zone(zone: str) -> ZoneInfo:
    try:
        return ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, IsADirectoryError) as error:
        raise _unknown_zone(zone) from error


def _days() -> int:
    return (datetime(_LAST_YEAR, 1, 1, tzinfo=UTC) - datetime(_FIRST_YEAR, 1, 1, tzinfo=UTC)).days


def _offset(place: ZoneInfo, moment: datetime) -> int:
    offset = moment.astimezone(place).utcoffset() or timedelta()
    return offset // timedelta(microseconds=1)


def _change(place: ZoneInfo, day: datetime) -> Change:
    """Halve the day until the second of the change is found."""
    low, high = 0, 86_400
    before = _offset(place, day)
    while high - low > 1:
        middle = (low + high) // 2
        if _offset(place, day + timedelta(seconds=middle)) == before:
            low = middle
        else:
            high = middle
    at = day + timedelta(seconds=high)
    return Change(to_us(at), before, _offset(place, at))


def _out_of_range(said: datetime) -> LeadlightError:
    fact = f"The moment {said.isoformat()} lies outside the years {_FIRST_YEAR} to {_LAST_YEAR_SAID}."
    return wrong_input(fact, hint="write the year with four digits, such as 2024-03-01T09:00.")


def _unknown_zone(zone: str) -> LeadlightError:
    near = nearest(zone, available_timezones())
    fact = f"There is no time zone '{zone}'" + (f"; did you mean '{near}'?" if near else ".")
    return wrong_input(fact, hint="shop.time_zone is a name such as Europe/Lisbon or UTC.")
