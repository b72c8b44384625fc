"""Snapshots: which lead is asked about, and when."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest
import worlds
from hypothesis import given, settings
from hypothesis import strategies as st
from worlds import DAY, START

from features import moments
from features.conditions import parse
from features.errors import LeadlightError
from features.snapshots import Grid, Trigger, at_triggers, grid_as_ofs, on_grid
from features.timeline import Coverage

NEW_YORK = "America/New_York"
HOUR = DAY // 24


def local(moment, zone):
    """Return microseconds as a local datetime."""
    return moments.from_us(moment).astimezone(ZoneInfo(zone))


@pytest.mark.parametrize("zone", ["UTC", NEW_YORK, "Australia/Lord_Howe", "Asia/Kathmandu"])
def test_a_grid_stands_at_local_midnights_across_daylight_saving(zone):
    """Every moment of a weekly grid is a Monday at 00:00 local, in winter and in summer."""
    coverage = Coverage(START - 30 * DAY, START + 30 * DAY)
    found = [local(moment, zone) for moment in grid_as_ofs(Grid(days=7), zone=zone, coverage=coverage).tolist()]
    assert len(found) in (8, 9)
    assert {(moment.isoweekday(), moment.hour, moment.minute) for moment in found} == {(1, 0, 0)}


def test_a_grid_stays_put_when_more_data_arrive():
    """The moments that two coverages share are the same."""
    short = grid_as_ofs(Grid(days=5), zone=NEW_YORK, coverage=Coverage(START, START + 20 * DAY))
    long = grid_as_ofs(Grid(days=5), zone=NEW_YORK, coverage=Coverage(START - 11 * DAY, START + 33 * DAY))
    assert set(short.tolist()) == {moment for moment in long.tolist() if START <= moment <= START + 20 * DAY}


def test_a_grid_holds_both_ends_of_its_coverage():
    """A moment exactly at the first or the last covered one is asked; one a microsecond outside is not."""
    first, last = (moments.local_midnight(date(2024, 3, day), NEW_YORK) for day in (4, 11))
    for begin, end, expected in ((first, last, [first, last]), (first + 1, last, [last]), (first, last - 1, [first])):
        assert grid_as_ofs(Grid(days=7), zone=NEW_YORK, coverage=Coverage(begin, end)).tolist() == expected


def test_a_grid_of_months_stands_on_firsts():
    """Months are counted from January, so that quarters are quarters."""
    coverage = Coverage(START - 40 * DAY, START + 200 * DAY)
    found = [
        local(moment, NEW_YORK) for moment in grid_as_ofs(Grid(months=3), zone=NEW_YORK, coverage=coverage).tolist()
    ]
    assert [(moment.month, moment.day, moment.hour) for moment in found] == [(4, 1, 0), (7, 1, 0)]


def test_a_grid_may_say_its_first_and_last_day():
    """A grid with a first day counts from there."""
    grid = Grid(days=2, first=date(2024, 3, 9), last=date(2024, 3, 13))
    found = grid_as_ofs(grid, zone=NEW_YORK, coverage=Coverage(START - 9 * DAY, START + 9 * DAY))
    assert [local(moment, NEW_YORK).day for moment in found.tolist()] == [9, 11, 13]
    assert np.diff(found).tolist() == [2 * DAY - HOUR, 2 * DAY]


@pytest.mark.parametrize("grid", [Grid(), Grid(days=-1), Grid(days=1, months=1)])
def test_a_grid_without_a_step_is_refused(grid):
    """Days or months, not neither and not both."""
    with pytest.raises(LeadlightError, match="has no moments"):
        grid_as_ofs(grid, zone="UTC", coverage=Coverage(START, START + DAY))


def test_a_lead_is_asked_from_the_moment_it_exists():
    """A lead that came to exist exactly at as_of is asked, one a microsecond later is not."""
    world = worlds.TimelineWorld({}, {}, [START - 1, START, START + 1])
    asked = on_grid(world.timelines(), np.asarray([START, START + DAY]), horizon_days=30)
    pairs = list(zip(asked.lead_no.tolist(), asked.as_of.tolist(), strict=True))
    assert pairs == [(0, START), (0, START + DAY), (1, START), (1, START + DAY), (2, START + DAY)]
    assert (asked.ends_at - asked.as_of == 30 * DAY).all()


@given(world=worlds.timeline_worlds(tables=("events",)), until=st.sampled_from(["", "ends_on"]), few_ids=st.booleans())
@settings(max_examples=100)
def test_triggers_agree_with_a_loop_over_the_rows(world, until, few_ids):
    """One snapshot per lead and fact, as first known, its label window ending where the row says."""
    for row in world.rows["events"]:
        row["id"] = row["id"][-1] if few_ids else row["id"]
    where = {"type": ["email_sent", "cart_add"], "value": {"missing": False, "min": 1}}
    trigger = Trigger("events", parse(where), until=until)
    asked = at_triggers(world.timelines(), trigger, zone=NEW_YORK, horizon_days=3)
    ids = asked.trigger["row_id"].to_pylist()
    found = zip(asked.lead_no.tolist(), asked.as_of.tolist(), ids, asked.ends_at.tolist(), strict=True)
    assert list(found) == triggers_by_hand(world.rows["events"], until)


def triggers_by_hand(rows, until):
    """Return (lead, as_of, row id, end) of the rows that pull, by the rules."""
    firsts = {}
    for row in sorted(rows, key=worlds.sort_key):
        fact = (row["lead"], row["id"])
        if fact not in firsts or row["known"] < firsts[fact]["known"]:
            firsts[fact] = row
    found = []
    for row in firsts.values():
        pulls = row["type"] in ("email_sent", "cart_add") and row["value"] is not None and row["value"] >= 10_000
        if pulls and not row["bits"] & 1:
            end = included(row["ends_on"]) if until else row["occurred"] + 3 * DAY
            found.append((row["lead"], row["occurred"], row["id"], end))
    return sorted(found)


def included(end):
    """Return the end of the day of a date, and any other moment as it is."""
    there = local(end, NEW_YORK)
    if (there.hour, there.minute) != (0, 0):
        return end
    next_day = there.date() + timedelta(days=1)
    return moments.to_us(datetime(next_day.year, next_day.month, next_day.day, tzinfo=ZoneInfo(NEW_YORK)))


def test_a_date_until_includes_that_day():
    """A campaign that ends on a date counts that whole local day, 23 hours long at the change of the clocks."""
    midnight = moments.local_midnight(date(2024, 3, 10), NEW_YORK)
    assert included(midnight) == midnight + 23 * HOUR
    assert moments.end_of_day(np.asarray([midnight]), NEW_YORK).tolist() == [midnight + 23 * HOUR]


@pytest.mark.parametrize(
    ("zone", "day"),
    [("America/Sao_Paulo", date(2018, 11, 4)), ("Atlantic/Azores", date(2024, 10, 27)), (NEW_YORK, date(2024, 3, 10))],
)
def test_a_date_is_known_as_one_where_midnight_is_odd(zone, day):
    """A midnight that is skipped or happens twice still means the day."""
    midnight = moments.local_midnight(day, zone)
    assert moments.is_day(midnight, zone)
    assert moments.local_date(midnight, zone) == day
    assert moments.local_date(midnight - 1, zone) == day - timedelta(days=1)
    assert not moments.is_day(midnight + 5 * HOUR, zone)


def test_the_second_of_two_midnights_is_a_date_too():
    """A date read at the door means the later of two equal local times."""
    midnight = moments.local_midnight(date(2024, 10, 27), "Atlantic/Azores")
    assert moments.is_day(midnight + HOUR, "Atlantic/Azores")


def test_what_a_trigger_needs_is_named_when_it_is_not_there():
    """A table or column that is not there, or an end that is missing, is refused with its name."""
    rows = [{"lead": 0, "occurred": START, "known": START, "until": None, "bits": 0, "id": "a", "type": "email_sent",
             "value": 1, "campaign": None, "weight": None, "ends_on": None}]  # fmt: skip
    timelines = worlds.TimelineWorld({"events": rows}, {}, [START]).timelines()
    for trigger, words in (
        (Trigger("outcomes"), "'outcomes' is not in the workspace"),
        (Trigger("events", parse({"kind": "x"}), match="shop"), r"(?s)kind.*shop"),
        (Trigger("events", until="ends_on"), "1 trigger rows have no end"),
    ):
        with pytest.raises(LeadlightError, match=words):
            at_triggers(timelines, trigger, zone="UTC", horizon_days=1)


def test_taking_snapshots_takes_their_triggers_along():
    """A mask and positions select the same snapshots, each with the row that pulled it; no row pulls nothing."""
    blank = {"until": None, "bits": 0, **dict.fromkeys(worlds.CONTENT["events"])}
    rows = [{**blank, "lead": lead, "occurred": START, "known": START, "id": name} for lead, name in enumerate("abc")]
    world = worlds.TimelineWorld({"events": rows}, {}, [START] * 3)
    asked = at_triggers(world.timelines(), Trigger("events"), zone="UTC", horizon_days=1)
    for chosen in (np.asarray([True, False, True]), np.asarray([0, 2])):
        taken = asked.take(chosen)
        assert taken.lead_no.tolist() == [0, 2]
        assert taken.trigger["row_id"].to_pylist() == ["a", "c"]
    nothing = worlds.TimelineWorld({"events": []}, {}, [START]).timelines()
    assert len(at_triggers(nothing, Trigger("events"), zone="UTC", horizon_days=1)) == 0
