"""The shop's calendar: 26 periods of four weeks, from one local midnight to another.

All moments inside the generator are whole seconds since the opening (int64). Each period begins
at a Monday's midnight in New York, where the shop stands: exactly where a grid of
``every: 28d`` puts its as-ofs. Two of a year's periods are an hour longer or shorter than 28
times 24 hours (daylight saving), while a horizon of 28 days is not. The checkout is closed from
23:00 to 01:00, so no order falls into the hour by which they differ.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

import numpy as np

from pipeline.synthetic.draws import (
    Bools,
    Draw,
    Floats,
    Ints,
    Keys,
    choose,
    choose_by_row,
    uniforms,
)

ZONE = "America/New_York"
OPENING = date(2023, 1, 23)
PERIODS = 26
PERIOD_DAYS = 28
SETTLE_DAYS = 7
DAY = 86_400
NEVER = 2**62
"""Later than everything that happens in this shop."""

_WEEKDAYS = (1.05, 0.95, 0.95, 1.0, 1.1, 1.3, 1.25)
_PRIVATE_HOURS = (2, 1, 1, 0, 0, 0, 1, 3, 4, 4, 5, 5, 6, 6, 5, 5, 5, 6, 8, 10, 12, 11, 7, 4)
_OFFICE_HOURS = (0, 0, 0, 0, 0, 0, 0, 2, 8, 12, 13, 12, 8, 11, 12, 12, 10, 6, 2, 1, 1, 1, 0, 0)
_CHECKOUT_HOURS = range(1, 23)


@cache
def starts() -> Ints:
    """Return the first second of each period and the end of the last, shape ``(27,)``."""
    days = [PERIOD_DAYS * k for k in range(PERIODS + 1)]
    return np.array([_seconds(day, 0) for day in days], dtype=np.int64)


def end() -> int:
    """Return the moment of the export: nothing known later is in the files."""
    return int(starts()[-1])


def opening_us() -> int:
    """Return the opening in microseconds since the epoch (UTC)."""
    return int(_local(0, 0).timestamp()) * 1_000_000


def to_us(seconds: Ints) -> Ints:
    """Return seconds since the opening as microseconds since the epoch (UTC)."""
    return seconds * 1_000_000 + opening_us()


def first_period_after(moments: Ints) -> Ints:
    """Return the first period that begins after each moment; 27 where none does."""
    return np.searchsorted(starts(), moments, side="right").astype(np.int64)


def period_of(moments: Ints) -> Ints:
    """Return the period in which each moment lies; a period holds its own first second."""
    return first_period_after(moments) - 1


def draw_moments(keys: Keys, periods: Ints, *, at_work: Bools) -> Ints:
    """Return a moment of the given period per key, by the rhythm of seasons, week and day."""
    private = choose(keys, Draw.HOUR, np.array(_PRIVATE_HOURS, dtype=np.float64))
    office = choose(keys, Draw.HOUR, np.array(_OFFICE_HOURS, dtype=np.float64))
    return _moments(keys, periods, hours=np.where(at_work, office, private))


def draw_checkout_moments(keys: Keys, periods: Ints) -> Ints:
    """Return a moment per key at which the checkout is open (01:00 to 23:00 local)."""
    weights = np.array(_PRIVATE_HOURS, dtype=np.float64)
    weights[[hour for hour in range(24) if hour not in _CHECKOUT_HOURS]] = 0.0
    return _moments(keys, periods, hours=choose(keys, Draw.HOUR, weights))


def mailing_moments(keys: Keys, periods: Ints) -> Ints:
    """Return when the newsletter leaves: ten o'clock local on one of the period's Tuesdays."""
    weeks = np.minimum((uniforms(keys, Draw.DAY) * 4).astype(np.int64), 3)
    spread = (uniforms(keys, Draw.SECOND) * 1800).astype(np.int64)
    return _hours()[(periods * PERIOD_DAYS + weeks * 7 + 1) * 24 + 10] + spread


@cache
def season() -> Floats:
    """Return how busy each day is beside the average day: week, year's end, slow summer."""
    days = [OPENING + timedelta(days=d) for d in range(PERIODS * PERIOD_DAYS)]
    weekly = np.array([_WEEKDAYS[day.weekday()] for day in days])
    yearly = np.array([(day.timetuple().tm_yday - 335) / 365.25 for day in days])
    return np.asarray(weekly * (1.0 + 0.25 * np.cos(2 * np.pi * yearly)))


@cache
def period_season() -> Floats:
    """Return how busy each period is beside the average period, shape ``(26,)``."""
    by_period = season().reshape(PERIODS, PERIOD_DAYS).mean(axis=1)
    return np.asarray(by_period / by_period.mean())


def _moments(keys: Keys, periods: Ints, *, hours: Ints) -> Ints:
    weights = season().reshape(PERIODS, PERIOD_DAYS)
    days = periods * PERIOD_DAYS + choose_by_row(keys, Draw.DAY, weights, rows=periods)
    return _hours()[days * 24 + hours] + (uniforms(keys, Draw.SECOND) * 3600).astype(np.int64)


@cache
def _hours() -> Ints:
    """The second at which each local hour of each day begins."""
    numbers = range(PERIODS * PERIOD_DAYS * 24)
    return np.array([_seconds(n // 24, n % 24) for n in numbers], dtype=np.int64)


def _seconds(day: int, hour: int) -> int:
    return int(_local(day, hour).timestamp()) - int(_local(0, 0).timestamp())


def _local(day: int, hour: int) -> datetime:
    on = OPENING + timedelta(days=day)
    # Through UTC: an hour that daylight saving skips moves forward.
    moment = datetime(on.year, on.month, on.day, hour, tzinfo=ZoneInfo(ZONE))
    return moment.astimezone(UTC)
