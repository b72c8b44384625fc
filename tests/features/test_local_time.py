"""Local clocks agree with the time zone database on every naive time."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.errors import LeadlightError
from features.local_time import days_before, instant, local_clock, local_iso
from features.moments import from_us, to_us
from features.parsing import clock_notes, utc_microseconds

ZONES = ["UTC", "America/New_York", "Europe/Lisbon", "Australia/Lord_Howe", "Asia/Kolkata", "America/Sao_Paulo"]
FIRST, LAST = datetime(1985, 1, 1), datetime(2035, 1, 1)


def as_meant(naive: datetime, zone: str) -> tuple[datetime, int]:
    """Return the instant of a naive time, and whether it does not exist (1) or happens twice (2)."""
    place = ZoneInfo(zone)
    early, late = (naive.replace(tzinfo=place, fold=fold).astimezone(UTC) for fold in (0, 1))
    if early == late:
        return early, 0
    # In a gap the zone database's earlier reading uses the offset before it: that moves the time forward.
    return (early, 1) if early > late else (late, 2)


def micros(naive: datetime) -> int:
    """Return a naive time as microseconds since 1970."""
    return (naive - datetime(1970, 1, 1)) // timedelta(microseconds=1)


def near_changes(zone: str) -> list[datetime]:
    """Return naive times around every change of the zone's offset."""
    clock = local_clock(zone)
    hours = [timedelta(minutes=step) for step in (-90, -31, -30, -1, 0, 1, 29, 30, 59, 60, 61, 120)]
    base = datetime(1970, 1, 1)
    edges = [base + timedelta(microseconds=change.at + change.before) for change in clock.changes]
    return [edge + hour for edge in edges for hour in hours if FIRST <= edge <= LAST]


@pytest.mark.parametrize("zone", ZONES)
def test_times_around_every_change_of_the_clock_are_as_the_zone_says(zone):
    """Missing times move forward by the gap, ambiguous ones take the later instant."""
    clock = local_clock(zone)
    for naive in near_changes(zone):
        assert clock.to_utc(micros(naive)) == to_us(as_meant(naive, zone)[0]), naive


@given(zone=st.sampled_from(ZONES), naive=st.datetimes(FIRST, LAST))
def test_any_naive_time_is_as_the_zone_says(zone, naive):
    """The step function agrees with the time zone database at random times."""
    assert local_clock(zone).to_utc(micros(naive)) == to_us(as_meant(naive, zone)[0])


@pytest.mark.parametrize("said", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00", "0024-03-01", "1969-12-31"])
def test_a_moment_far_from_all_data_is_refused(said):
    """A year that no shop has data of is said back, with how to write one."""
    with pytest.raises(LeadlightError, match=r"outside the years 1970 to 2200.*\n\nHint: write the year"):
        instant(datetime.fromisoformat(said), "Europe/Lisbon")


@pytest.mark.parametrize("zone", ["America/New_York", "Australia/Lord_Howe"])
def test_the_sql_gives_the_same_instants_and_notes(zone):
    """Nested comparisons in SQL find the same offset, and tell missing and ambiguous times apart."""
    clock, times = local_clock(zone), near_changes(zone)
    query = f"SELECT {utc_microseconds('t', 'TRUE', clock=clock)}, {clock_notes('t', 'TRUE', clock=clock)} FROM times"
    with duckdb.connect() as connection:
        connection.execute("CREATE TABLE times (t BIGINT)")
        connection.execute("INSERT INTO times SELECT unnest(?)", [[micros(naive) for naive in times]])
        found = connection.execute(query).fetchall()
    assert found == [(to_us(instant), note) for instant, note in (as_meant(naive, zone) for naive in times)]


def test_a_clock_over_less_time_is_the_same_there():
    """Reducing a clock to a span changes no time within the span."""
    clock = local_clock("Europe/Lisbon")
    first, last = micros(datetime(2020, 1, 1)), micros(datetime(2021, 1, 1))
    less = clock.between(first, last)
    assert len(less.changes) <= 4
    for hour in range(0, 366 * 24, 7):
        assert less.to_utc(first + hour * 3_600_000_000) == clock.to_utc(first + hour * 3_600_000_000)


def test_a_day_that_a_person_says_is_the_shops_day():
    """A naive moment is the shop's clock, an aware one is itself, and both read back on that clock."""
    said = datetime(2024, 5, 1)
    assert local_iso(instant(said, "Europe/Warsaw"), "Europe/Warsaw") == "2024-05-01T00:00:00+02:00"
    assert instant(said.replace(tzinfo=UTC), "Europe/Warsaw") == to_us(said.replace(tzinfo=UTC))


def test_an_unknown_zone_is_refused_with_the_nearest():
    """A misspelled zone is named beside the one that was likely meant."""
    with pytest.raises(LeadlightError, match="no time zone 'Europe/Warsow'; did you mean 'Europe/Warsaw'"):
        local_clock("Europe/Warsow")


def test_days_before_keep_the_time_of_the_clock():
    """Across both changes of the clocks noon stays noon, and the last moment of a day stays the last."""
    for day in ((2024, 4, 2), (2024, 10, 29)):
        noon = datetime(*day, 12, tzinfo=ZoneInfo("Europe/Warsaw"))
        found = from_us(days_before(to_us(noon), 5, zone="Europe/Warsaw")).astimezone(ZoneInfo("Europe/Warsaw"))
        assert found.replace(tzinfo=None) == datetime(*day, 12) - timedelta(days=5)
        night = noon.replace(hour=23, minute=59, second=59, microsecond=999_999)
        last = from_us(days_before(to_us(night), 5, zone="Europe/Warsaw")).astimezone(ZoneInfo("Europe/Warsaw"))
        assert last.replace(tzinfo=None) == night.replace(tzinfo=None) - timedelta(days=5)
