"""The one convention for time: what is past, what is future, what can be judged.

All moments are int64 microseconds since the epoch (UTC). With as_of the moment of prediction:

* feature window ``[as_of - w, as_of)``, label window ``[as_of, as_of + horizon)``: a row exactly
  at as_of belongs to the future;
* two clocks: *known* decides visibility, *occurred* decides windows, order and labels;
* a label is decided by what is known before ``as_of + horizon + settle`` and is ripe when the
  table that defines the conversion covers ``[as_of, as_of + horizon + settle]``.

The comparisons are plain functions of integers, so that the kernel compiles the very same code.
Example: a lead asked about at 2024-03-01 with a horizon of 30 days is judged by the orders of
``[2024-03-01, 2024-03-31)``; its 7-day window is ``[2024-02-23, 2024-03-01)``.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import numpy as np

SECOND = 1_000_000
MILLISECOND = 1_000
DAY = 86_400 * SECOND
NEVER = 2**63 - 1
"""Later than everything: a row that nothing has superseded."""
ALWAYS = -(2**63) + 1
"""Earlier than everything; also the length of no window."""
EVER = 0
"""The window length that stands for "since the data begin"."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# A Monday, so that weekly grids fall on Mondays and stay put when more data arrive.
_GRID_ORIGIN = date(1970, 1, 5)


def is_visible(known: int, superseded: int, as_of: int) -> bool:
    """Whether a row that is current in ``[known, superseded)`` can be seen at *as_of*."""
    return known < as_of <= superseded


def are_visible(known: np.ndarray, superseded: np.ndarray, as_of: int) -> np.ndarray:
    """Whether each row can be seen at *as_of*; see `is_visible`."""
    return (known < as_of) & (as_of <= superseded)


def is_past(occurred: int, as_of: int) -> bool:
    """Whether *occurred* lies before *as_of*; exactly at *as_of* is the future."""
    return occurred < as_of


def window_start(as_of: int, length: int) -> int:
    """The first moment of the feature window ``[as_of - length, as_of)``."""
    return ALWAYS if length == EVER else as_of - length


def is_before_window(occurred: int, start: int) -> bool:
    """Whether *occurred* lies before the window that begins at *start*."""
    return occurred < start


def is_unclosed(occurred: int, closed_at: int) -> bool:
    """Whether what happened at *occurred* came after the latest closing, which closes its own moment too."""
    return occurred > closed_at


def is_window_covered(as_of: int, length: int, data_from: int) -> bool:
    """Whether the table's data reach back over the whole window; else it is missing, not zero.

    A window without length means "since the data begin" and needs one moment of data.
    """
    if length == EVER:
        return data_from < as_of
    return as_of - length >= data_from


def exists(exists_from: np.ndarray, as_of: int | np.ndarray) -> np.ndarray:
    """Whether leads exist at *as_of*: being created exactly then counts."""
    return exists_from <= as_of


def is_in_label_window(occurred: int, as_of: int, ends_at: int) -> bool:
    """Whether a conversion at *occurred* falls in ``[as_of, ends_at)``."""
    return as_of <= occurred < ends_at


def are_in_label_windows(occurred: np.ndarray, as_of: np.ndarray, ends_at: np.ndarray) -> np.ndarray:
    """Whether each conversion falls in its own label window; see `is_in_label_window`."""
    return (as_of <= occurred) & (occurred < ends_at)


def is_decided(known: int, superseded: int, decided_at: int) -> bool:
    """Whether a row counts when labels are decided: known before, not replaced before."""
    return known < decided_at <= superseded


def is_ripe(as_of: np.ndarray, decided_at: np.ndarray, *, data_from: int, data_until: int) -> np.ndarray:
    """Whether labels can be judged: ``data_from <= as_of`` and ``decided_at <= data_until``.

    Args:
        as_of: Moments of prediction, shape ``(n,)``.
        decided_at: ``as_of + horizon + settle``, shape ``(n,)``.
        data_from: First moment covered by the table that defines the conversion.
        data_until: Last moment covered by it.

    Returns:
        Booleans, shape ``(n,)``. Unripe snapshots train and test nothing.
    """
    return (data_from <= as_of) & (decided_at <= data_until)


def is_known_before(known: np.ndarray, moment: np.ndarray | int) -> np.ndarray:
    """Whether rows were known before *moment*; what was known exactly then belongs to the future.

    The certificate deletes the future by this and nothing else: it shares no code with the sweep that it checks.
    """
    return known < moment


def happened_within(occurred: int, begin: int, end: int) -> bool:
    """Whether *occurred* lies in ``[begin, end)``: the certificate's own words for a label window."""
    return begin <= occurred and not end <= occurred


def closed_by(decided_at: np.ndarray, moment: int) -> np.ndarray:
    """Whether label windows had closed by *moment*; one that closes exactly then has."""
    return decided_at <= moment


def is_asked_from(as_of: np.ndarray, moment: int) -> np.ndarray:
    """Whether snapshots are asked at *moment* or later."""
    return as_of >= moment


def is_collected(moment: np.ndarray, *, data_from: int, data_until: int) -> np.ndarray:
    """Whether *moment* lies in the span in which a table was collected, both ends included."""
    return (data_from <= moment) & (moment <= data_until)


def is_open(as_of: np.ndarray, ends_at: np.ndarray, *, now: int) -> np.ndarray:
    """Whether label windows have begun by *now* and have not ended: those are scored."""
    return (as_of <= now) & (now < ends_at)


def is_pulled(known: np.ndarray, as_of: np.ndarray, *, now: int) -> np.ndarray:
    """Whether triggers have been pulled as far as is known at *now*; one pulled exactly then has."""
    return (known < now) | (as_of == now)


def to_us(moment: datetime) -> int:
    """Return an aware datetime as microseconds since the epoch, exactly."""
    return (moment - _EPOCH) // timedelta(microseconds=1)


def from_us(moment: int) -> datetime:
    """Return microseconds since the epoch as an aware UTC datetime."""
    return _EPOCH + timedelta(microseconds=moment)


def local_midnight(day: date, zone: str) -> int:
    """Return the first moment of *day* in *zone*; a midnight skipped by DST moves forward."""
    midnight = datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(zone))
    return to_us(midnight.astimezone(UTC))


def local_date(moment: int, zone: str) -> date:
    """Return the calendar day of *moment* in *zone*."""
    return from_us(moment).astimezone(ZoneInfo(zone)).date()


def is_day(moment: int, zone: str) -> bool:
    """Whether *moment* is the 00:00 of a local day: that is how a date is kept."""
    local = from_us(moment).astimezone(ZoneInfo(zone))
    return local.time() == time() or moment == local_midnight(local.date(), zone)


def end_of_day(moments: np.ndarray, zone: str) -> np.ndarray:
    """Return the first moment after each moment's local day: a date includes that day."""
    days, places = np.unique(moments, return_inverse=True)
    ends = [local_midnight(local_date(int(day), zone) + timedelta(days=1), zone) for day in days]
    return np.asarray(ends, dtype=np.int64)[places]


def grid_days(first: date, last: date, *, days: int, origin: date | None = None) -> list[date]:
    """Return every *days*-th day within ``[first, last]``, counted from a fixed origin."""
    start = origin or _GRID_ORIGIN
    skipped = -(-(first - start).days // days)
    begin = start + timedelta(days=skipped * days)
    return [begin + timedelta(days=k * days) for k in range((last - begin).days // days + 1)]


def grid_months(first: date, last: date, *, months: int) -> list[date]:
    """Return every *months*-th first of a month within ``[first, last]``, counted from January."""
    numbers = range(first.year * 12 + first.month - 1, last.year * 12 + last.month)
    starts = [date(n // 12, n % 12 + 1, 1) for n in numbers if n % months == 0]
    return [day for day in starts if first <= day <= last]
