"""Fresh and full: ages, volumes beside the same weekday, and days of the clock, beside a slow and obvious count."""

from datetime import UTC, date, datetime, timedelta
from statistics import median
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.local_time import days_before
from features.moments import DAY, local_midnight, to_us
from features.timeline import Coverage
from pipeline.settings import parse
from pipeline.settings_run import RunSettings
from pipeline.stages.data_gate import newest_data
from pipeline.stages.freshness import Rules, freshness
from pipeline.stages.ingest import ingest
from pipeline.stages.missed_nights import missed_nights
from pipeline.stages.row_counts import row_counts
from support.night_shop import FIRST_DAY, HISTORY, NightShop, before_dawn

ZONE = "Europe/Warsaw"
RULES = Rules(max_age_days=3, least_volume=0.3, from_rows=50)
LAST_MOMENT = timedelta(microseconds=1)


def local(*parts):
    """Return a moment of the shop's clock in microseconds."""
    return to_us(datetime(*parts, tzinfo=ZoneInfo(ZONE)))


def counting(rows):
    """Return what counts moments in windows."""
    return lambda windows: [sum(begin <= row < end for row in rows) for begin, end in windows]


def days_of(first, counts):
    """Return one moment per row: so many at each local midnight from *first* on."""
    days = (local_midnight(first + timedelta(days=number), ZONE) for number in range(len(counts)))
    return [day for day, count in zip(days, counts, strict=True) for _ in range(count)]


def judged(rows, until, *, at=None, as_of=None, rules=RULES, data_from=None):
    """Return how a table with *rows* stands that ends at *until*."""
    span = Coverage(min(rows, default=until) if data_from is None else data_from, until)
    moment = until if as_of is None else as_of
    asked = until if at is None else at
    return freshness("events", span, counting(rows), at=asked, as_of=moment, zone=ZONE, rules=rules)


def test_a_table_is_stale_once_it_is_older_than_allowed():
    """Three days are allowed to the microsecond; zero allows any age."""
    until = local(2024, 5, 6)
    assert not judged([], until, at=until + 3 * DAY).is_stale
    assert judged([], until, at=until + 3 * DAY + 1).is_stale
    never = Rules(max_age_days=0, least_volume=0, from_rows=50)
    assert judged([], until, at=until + 3000 * DAY, rules=never).is_fit


def test_a_table_has_rules_of_its_own():
    """What is said of one table counts for that one."""
    until = local(2024, 5, 6)
    own = Rules(3, 0.3, 50, max_age_days_of={"events": 10, "orders": 1})
    assert not judged([], until, at=until + 9 * DAY, rules=own).is_stale
    rows = days_of(date(2024, 4, 1), [100] * 35 + [5])
    lenient = Rules(3, 0.3, 50, least_volume_of={"events": 0.01})
    assert judged(rows, local(2024, 5, 7), rules=lenient).is_fit
    assert not judged(rows, local(2024, 5, 7)).is_fit


def test_a_quiet_weekend_is_usual():
    """A Sunday with a tenth of a weekday's rows is held against Sundays."""
    week = [100, 100, 100, 100, 100, 60, 55]
    rows = days_of(date(2024, 4, 1), week * 5)
    found = judged(rows, local(2024, 5, 6))
    assert (found.volume.days, found.volume.rows, found.volume.usual) == (1, 55, 55)
    assert found.is_fit


def test_one_bad_day_of_the_past_is_not_the_usual_one():
    """The median of four weeks forgets a day on which nothing came, and a day of a sale."""
    counts = [100] * 36
    counts[28], counts[21] = 0, 5000
    assert judged(days_of(date(2024, 4, 1), counts), local(2024, 5, 7)).volume.usual == 100


def test_few_rows_a_day_are_judged_by_the_week():
    """Ten a day: a day without any is chance, a week without any is not."""
    assert judged(days_of(date(2024, 4, 1), [10] * 41 + [0]), local(2024, 5, 13)).is_fit
    found = judged(days_of(date(2024, 4, 1), [10] * 35 + [0] * 7), local(2024, 5, 13))
    assert (found.volume.days, found.volume.rows, found.volume.usual) == (7, 0, 70)
    assert not found.is_fit


def test_few_rows_a_week_are_not_judged():
    """Three a week say nothing."""
    assert judged(days_of(date(2024, 4, 1), [1, 0, 0] * 14), local(2024, 5, 13)).volume is None


def test_a_young_table_is_not_judged():
    """With one week behind it nothing says what is usual; with two it does."""
    assert judged(days_of(date(2024, 4, 1), [100] * 14), local(2024, 4, 15)).volume is None
    assert judged(days_of(date(2024, 4, 1), [100] * 15), local(2024, 4, 16)).volume is not None


def test_what_lies_behind_the_end_of_a_table_is_not_missing_from_it():
    """Asked for a moment half a day after the data end, the newest whole day is that of the data."""
    rows = days_of(date(2024, 4, 1), [100] * 36)
    until = local(2024, 5, 7)
    assert judged(rows, until, as_of=until + DAY // 2).volume.rows == 100


def test_a_day_on_which_clocks_change_is_a_day():
    """A table of dates loses no midnight on the night of 25 hours, nor on that of 23."""
    for last in (date(2024, 10, 27), date(2024, 3, 31)):
        first = last - timedelta(days=35)
        until = local_midnight(last + timedelta(days=1), ZONE) - 1
        found = judged(days_of(first, [100] * 36), until)
        assert (found.volume.rows, found.volume.usual) == (100, 100), last


@given(
    st.lists(st.integers(0, 12), min_size=20, max_size=45),
    st.integers(0, 400),
    st.integers(0, 23),
    st.sampled_from([0.0, 0.3, 1.0]),
)
def test_volumes_are_those_of_a_slow_count(counts, start, hour, share):
    """Day by day on the wall clock, without windows: the same rows, the same usual, the same verdict."""
    first = date(2024, 1, 1) + timedelta(days=start)
    rows = days_of(first, counts)
    end = datetime.combine(first + timedelta(days=len(counts)), datetime.min.time()) + timedelta(hours=hour)
    until = days_before(to_us(end.replace(tzinfo=ZoneInfo(ZONE)).astimezone(UTC)), 0, zone=ZONE)
    rules = Rules(0, share, from_rows=5)
    found = judged(rows, until, rules=rules, data_from=local_midnight(first, ZONE)).volume
    assert (None if found is None else (found.days, found.rows, found.usual)) == slow_volume(counts, first, end, share)


def slow_volume(counts, first, end, share):
    """Return days, rows and usual rows, counted from a calendar of days."""
    if share == 0:
        return None
    calendar = {first + timedelta(days=number): count for number, count in enumerate(counts)}

    def came(last, days):
        # Midnights in the local days before *last*: that of its own day, if it lies before it.
        midnights = [datetime.combine(day, datetime.min.time()) for day in calendar]
        inside = [one for one in midnights if last - timedelta(days=days) <= one < last]
        return sum(calendar[one.date()] for one in inside)

    for days in (1, 7):
        ends = [end - timedelta(days=7 * week) for week in range(1, 5)]
        zone = ZoneInfo(ZONE)
        before = []
        for last in ends:
            exact = to_us(last.replace(tzinfo=zone)) - to_us((last - timedelta(days=days)).replace(tzinfo=zone))
            if to_us(last.replace(tzinfo=zone)) - exact >= local_midnight(first, ZONE):
                before.append(came(last, days))
        if len(before) < 2:
            return None
        if median(before) >= 5:
            return days, came(end, days), median(before)
    return None


def test_missed_nights_lie_between_the_last_and_this_one():
    """Each local day has one, at the time at which the newest data end, whatever the clocks did."""
    newest, scored = local(2024, 4, 2, 23, 50), local(2024, 3, 29, 23, 58)
    assert missed_nights(scored, newest, zone=ZONE) == (
        local(2024, 3, 30, 23, 50),
        local(2024, 3, 31, 23, 50),
        local(2024, 4, 1, 23, 50),
    )


def test_no_night_was_missed_where_one_follows_another():
    """The next night, the same night again, and a night of the past have none before them."""
    newest = local(2024, 5, 3, 22)
    for scored in (local(2024, 5, 2, 20), local(2024, 5, 2, 23, 59), newest, local(2024, 5, 9)):
        assert missed_nights(scored, newest, zone=ZONE) == ()


def test_rows_are_counted_as_the_loads_brought_them(tmp_path):
    """Three loads, an order that changed and one that is gone: each order counts once, on the day it occurred."""
    shop = NightShop(tmp_path / "shop")
    columns = {"lead_id": "who", "order_id": "id", "ordered_at": {"column": "day", "type": "date"}, "status": "state"}
    orders = {"path": "all-orders.csv", "columns": columns, "mode": "full"}
    events = {"path": "events-*.csv", "columns": {"lead_id": "who", "occurred_at": {"column": "day", "type": "date"}}}
    shop.configure(tables={"orders": orders, "events": events})
    day = [str(FIRST_DAY + timedelta(days=number)) for number in range(3)]
    exports = (
        [f"1,A,{day[0]},5,open", f"2,B,{day[0]},5,open"],
        [f"1,A,{day[0]},5,paid", f"2,B,{day[0]},5,open", f"3,A,{day[1]},5,open"],
        [f"1,A,{day[0]},5,paid", f"3,A,{day[1]},5,paid"],
    )
    for number, rows in enumerate(exports):
        (shop.folder / "all-orders.csv").write_text("\n".join(["id,who,day,amount,state", *rows]) + "\n")
        ingest(shop.settings, now=before_dawn(HISTORY + number))
    begin = local_midnight(FIRST_DAY, "UTC")
    with row_counts(shop.settings) as count_of:
        assert list(count_of("orders")([(begin, begin + DAY), (begin + DAY, begin + 2 * DAY)])) == [2, 1]
        assert list(count_of("events")([(begin, begin + 2 * DAY)])) == [120]
        assert count_of("sessions") is None


def lead_table_in(folder, counts):
    """Read a table of leads with so many a day, before dawn of the day that it names last, and return its config."""
    days = [FIRST_DAY + timedelta(days=number) for number, count in enumerate(counts) for _ in range(count)]
    rows = [f"L{number},{day},{('', 0, 1)[number % 3]},PL" for number, day in enumerate(days)]
    (folder / "leads.csv").write_text("\n".join(["id,day,won,country", *rows]) + "\n")
    (folder / "points.yaml").write_text(
        "base: 0\ncaps: {fit: 50, engagement: 50, total: 100}\ngrades: {a: 60, b: 40, c: 20}\n"
        "temperatures: {hot: 50, warm: 25}\nrules:\n"
        "  - {name: near, group: fit, points: 15, attribute: country, is: PL}\n"
    )
    table = {"path": "leads.csv", "lead_id": "id", "label": {"column": "won"}, "date": "day"}
    raw = {"shop": {"name": "Table"}, "lead_table": table, "points": {"card": "points.yaml"}}
    settings = parse(raw, place=folder / "leadlight.yaml")
    ingest(settings, now=before_dawn(len(counts) - 2))
    return settings


def test_a_lead_table_is_judged_by_its_last_whole_day(tmp_path):
    """The day that has just begun says nothing; the one before it, with a tenth of its leads, does."""
    now = before_dawn(35)
    for name, counts, is_fit in (("whole", [60] * 36 + [1], True), ("poor", [60] * 35 + [6, 1], False)):
        (tmp_path / name).mkdir()
        (found,) = newest_data(lead_table_in(tmp_path / name, counts), as_of=None, now=now).tables
        assert (found.table, found.volume.rows, found.volume.usual) == ("lead_table", counts[35], 60)
        assert found.is_fit == is_fit


@pytest.mark.parametrize("setting", ["max_age_days_of", "least_volume_of"])
def test_a_table_that_there_is_not_is_refused(setting):
    """A misspelt table would silently have no rule."""
    with pytest.raises(ValueError, match="did you mean 'orders'"):
        RunSettings(**{setting: {"order": 0.5}})
