"""Labels: what counts as a conversion, when it is decided, and which labels are ripe."""

import oracle
import pyarrow as pa
import pytest
import worlds
from hypothesis import given, settings
from hypothesis import strategies as st
from worlds import DAY, START

from features.conditions import parse
from features.errors import LeadlightError
from features.labels import Conversion, label
from features.snapshots import Trigger, at_triggers
from features.timeline import Coverage, Timelines

NOON = START + DAY // 2


def timelines_of(rows, *, table="orders", span=(START, START + 30 * DAY)):
    """Return timelines of one lead with (occurred, known, until, id, overrides) rows."""
    blank = {"amount": 10_000, "discount": None, "items": 1, "category": "a", "is_cancelled": False,
             "type": "download", "value": None, "campaign": None, "weight": None,
             "ends_on": START + 9 * DAY}  # fmt: skip
    full = [
        {"lead": 0, "occurred": o, "known": k, "until": u, "bits": 0, "id": i, **blank, **more}
        for o, k, u, i, more in rows
    ]
    world = worlds.TimelineWorld({table: full}, {table: span}, [START - DAY])
    return world.timelines()


def converted(rows, *, conversion=None, days=2, settle=0, as_of=START):
    """Return whether one lead asked at *as_of* is labelled as converted."""
    asked = worlds.snapshots_of([(0, as_of)], days=days)
    found = label(timelines_of(rows), asked, conversion or Conversion("orders"), settle_days=settle)
    return found["converted"][0].as_py()


@pytest.mark.parametrize(
    ("occurred", "expected"),
    [(START - 1, False), (START, True), (START + 2 * DAY - 1, True), (START + 2 * DAY, False)],
)
def test_the_label_window_holds_its_start_and_not_its_end(occurred, expected):
    """A conversion counts from as_of on, and no longer at as_of + horizon."""
    assert converted([(occurred, occurred, None, "o", {})]) is expected


@pytest.mark.parametrize(("known", "settle", "expected"), [(1, 0, True), (2, 0, False), (2, 1, True), (3, 1, False)])
def test_late_news_counts_only_until_the_label_is_decided(known, settle, expected):
    """A conversion known at or after as_of + horizon + settle does not count."""
    assert converted([(NOON, START + known * DAY, None, "o", {})], settle=settle) is expected


@pytest.mark.parametrize(
    ("cancelled_after", "expected"), [(DAY, False), (2 * DAY - 1, False), (2 * DAY, True), (3 * DAY, True)]
)
def test_a_conversion_cancelled_before_the_decision_is_none(cancelled_after, expected):
    """A sale cancelled by the time the label is decided is no conversion; cancelled later it is one."""
    when = START + cancelled_after
    rows = [(NOON, NOON, when, "o", {}), (NOON, when, None, "o", {"is_cancelled": True})]
    assert converted(rows) is expected


@pytest.mark.parametrize(("bits", "expected"), [(0, True), (1, False)])
def test_a_link_made_exactly_at_the_decision_is_too_late(bits, expected):
    """Features grant a link its own moment, so it is stored a microsecond early; labels take that back."""
    rows = [(NOON, START + 2 * DAY - 1, None, "o", {"bits": bits})]
    assert converted(rows) is expected


@pytest.mark.parametrize(("bits", "expected"), [(0, False), (2, True)])
def test_a_row_lost_to_a_link_made_exactly_at_the_decision_still_counts(bits, expected):
    """What a better link takes away at the decision was still the lead's when it was decided."""
    rows = [(NOON, NOON, START + 2 * DAY - 1, "o", {"bits": bits})]
    assert converted(rows) is expected


def test_a_minimum_amount_is_in_the_shops_currency():
    """Conditions on money speak of currency units, not of stored ones."""
    rows = [(NOON, NOON, None, "o", {"amount": 49_9999})]
    assert not converted(rows, conversion=Conversion("orders", parse({"amount": {"min": 50}})))
    assert converted(rows, conversion=Conversion("orders", parse({"amount": {"min": 49.9999}})))


def test_ripeness_needs_data_from_as_of_to_the_decision():
    """A label is ripe when the table covers as_of and as_of + horizon + settle, both included."""
    span = (START, START + 5 * DAY)
    pairs = [(0, START - 1), (0, START), (0, START + 2 * DAY), (0, START + 2 * DAY + 1)]
    found = label(timelines_of([], span=span), worlds.snapshots_of(pairs), Conversion("orders"), settle_days=1)
    assert found["is_ripe"].to_pylist() == [False, True, True, False]
    assert found["decided_at"].cast("int64").to_pylist() == [as_of + 3 * DAY for _, as_of in pairs]


def test_the_first_of_several_conversions_is_the_one():
    """converted_at is the earliest conversion that counts, and null without one."""
    rows = [(NOON + k, NOON + k, None, f"o{k}", {"is_cancelled": k == 0}) for k in range(3)]
    found = label(timelines_of(rows), worlds.snapshots_of([(0, START), (0, START + 9 * DAY)]), Conversion("orders"))
    assert found["converted_at"].cast("int64").to_pylist() == [NOON + 1, None]


def test_the_row_that_pulled_the_trigger_is_no_conversion():
    """An order at as_of that pulled the trigger is not its own conversion; a second one is."""
    trigger, conversion = Trigger("orders"), Conversion("orders")
    rows = [(START, START, None, "pulls", {}), (START, START, None, "other", {})]
    for given_rows, expected in ((rows[:1], [False]), (rows, [True, True])):
        timelines = timelines_of(given_rows)
        asked = at_triggers(timelines, trigger, zone="UTC", horizon_days=2)
        assert label(timelines, asked, conversion)["converted"].to_pylist() == expected


@pytest.mark.parametrize(("sent", "redeemed", "expected"), [("x", "x", True), ("x", "y", False), (None, None, False)])
def test_only_a_conversion_with_the_triggers_key_counts(sent, redeemed, expected):
    """The campaign sent must be the campaign redeemed; two unknown campaigns are not the same one."""
    rows = [(START, START, None, "s", {"type": "email_sent", "campaign": sent}),
            (NOON, NOON, None, "r", {"campaign": redeemed})]  # fmt: skip
    timelines = timelines_of(rows, table="events")
    trigger = Trigger("events", parse({"type": "email_sent"}), match="campaign")
    asked = at_triggers(timelines, trigger, zone="UTC", horizon_days=2)
    found = label(timelines, asked, Conversion("events", parse({"type": "download"})))
    assert found["converted"].to_pylist() == [expected]


@given(
    world=worlds.timeline_worlds(tables=("orders", "events")),
    match=st.sampled_from(["", "campaign"]),
    until=st.sampled_from(["", "ends_on"]),
    table=st.sampled_from(["orders", "events"]),
    settle=st.sampled_from([0, 1]),
)
@settings(max_examples=150)
def test_labels_at_triggers_agree_with_the_oracle(world, match, until, table, settle):
    """Matching, the trigger's own row, its end, late news and replaced rows: as a loop over the rows finds."""
    table = "events" if match else table
    timelines = world.timelines()
    asked = at_triggers(timelines, Trigger("events", match=match, until=until), zone=world.zone, horizon_days=2)
    found = label(timelines, asked, Conversion(table), settle_days=settle)
    expected = []
    for lead, as_of, ends_at, row_id, key in zip(
        asked.lead_no.tolist(), asked.as_of.tolist(), asked.ends_at.tolist(),
        asked.trigger["row_id"].to_pylist(), asked.trigger["campaign"].to_pylist(), strict=True,
    ):  # fmt: skip
        snapshot = (lead, as_of, ends_at, {"table": "events", "id": row_id, "campaign": key})
        expected.append(oracle.label(Conversion(table), snapshot, world, match=match, settle=settle * DAY))
    assert found["converted_at"].cast("int64").to_pylist() == expected


def test_no_snapshots_and_no_rows_give_no_labels():
    """Nothing asked gives an empty table of the same columns."""
    found = label(timelines_of([]), worlds.snapshots_of([]), Conversion("orders"))
    assert found.num_rows == 0
    assert found.schema.field("is_ripe").type == pa.bool_()


def test_a_conversion_that_cannot_be_read_is_refused():
    """A table or column that is not there is named."""
    asked = worlds.snapshots_of([(0, START)])
    with pytest.raises(LeadlightError, match="'outcomes' is not in the workspace"):
        label(timelines_of([]), asked, Conversion("outcomes"))
    with pytest.raises(LeadlightError, match="shop_size"):
        label(timelines_of([]), asked, Conversion("orders", parse({"shop_size": 1})))
    empty = Timelines(timelines_of([]).leads, {}, {"orders": Coverage(0, 1)})
    with pytest.raises(LeadlightError, match="'orders' is not in the workspace"):
        label(empty, asked, Conversion("orders"))
