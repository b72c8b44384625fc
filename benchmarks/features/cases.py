"""The three questions that the feature benchmark asks, and their quick forms."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

MICROSECONDS_PER_DAY = 86_400_000_000
WINDOW_DAYS = (7, 30, 90)
THREADS = 2  # of every contestant
DATA_FROM = datetime(2025, 1, 1, tzinfo=UTC)
DATA_UNTIL = datetime(2026, 1, 1, tzinfo=UTC)
EVENTS_PER_LEAD = 20

COUNTS = ("count_all", "count_view", "count_cart", "count_purchase", "distinct_category")
SUMS = ("sum_value_all", "sum_value_purchase")
DAYS = ("mean_gap_days", "days_since_last", "days_since_first")
SOURCES = ("first_source", "last_source")
MEASURES = COUNTS + SUMS + DAYS + SOURCES


def feature_names() -> tuple[str, ...]:
    """Return the 36 column names, measure by measure within each window."""
    return tuple(f"{measure}_{days}d" for days in WINDOW_DAYS for measure in MEASURES)


def microseconds(moment: datetime) -> int:
    """Return an aware datetime as whole microseconds since 1970."""
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


@dataclass(frozen=True)
class Case:
    """One benchmark case: how many leads, at which moments.

    Args:
        name: Name in the printed table and in the JSON line.
        leads: Number of leads; each has `EVENTS_PER_LEAD` events on average.
        as_of: The snapshot moments (UTC), ascending; every lead has a row at each.
        bucket_leads: Leads per Parquet file.
        superseded_share: Share of rows that are replaced later (0 in the full form).
        floor: The ratio to the best peer that the project promises.
    """

    name: str
    leads: int
    as_of: tuple[datetime, ...]
    bucket_leads: int
    superseded_share: float
    floor: float

    @property
    def as_of_us(self) -> list[int]:
        """Return the snapshot moments in microseconds since 1970."""
        return [microseconds(moment) for moment in self.as_of]

    @property
    def rows(self) -> int:
        """Return the rows of the finished frame: leads times snapshots."""
        return self.leads * len(self.as_of)


def _monthly() -> tuple[datetime, ...]:
    return tuple(datetime(2025, month, 1, tzinfo=UTC) for month in range(7, 13))


def _every(step: timedelta, *, times: int) -> tuple[datetime, ...]:
    last = DATA_UNTIL - timedelta(days=1)
    return tuple(last - step * back for back in reversed(range(times)))


def cases(*, quick: bool) -> dict[str, Case]:
    """Return the cases by name; the quick ones are small and hold superseded rows."""
    many, few, bucket, share = (600, 300, 200, 0.03) if quick else (1_000_000, 200_000, 50_000, 0.0)
    week, day = timedelta(days=7), timedelta(days=1)
    listed = (
        Case("monthly6", many, _monthly(), bucket, share, 4.0),
        Case("weekly26", few, _every(week, times=26), bucket, share, 8.0),
        Case("daily90", few, _every(day, times=90), bucket, share, 5.0),
    )
    return {case.name: case for case in listed}
