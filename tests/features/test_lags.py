"""How long before and after a signal's rows the lead converts."""

import math

import pytest
import worlds
from hypothesis import given
from hypothesis import strategies as st
from worlds import DAY, START

from features.attribute_changes import added, changes_after_conversion
from features.catalog import Measure
from features.conditions import parse
from features.labels import Conversion
from features.lags import Signal, lags, signals

ORDERS = Conversion("orders")
EMAILS = Signal("mails", "events", parse({"type": "email_sent"}))


@given(world=worlds.timeline_worlds(), signal=st.sampled_from([EMAILS, Signal("visits", "sessions")]))
def test_the_neighbouring_conversions_are_those_a_person_would_find(world, signal):
    """Days to the next conversion and since the last are those of a loop over all rows."""
    found = lags(world.timelines(), signal, ORDERS)
    sales = {(r["lead"], r["occurred"]) for r in world.rows["orders"] if not r["is_cancelled"]}
    rows = {
        (r["lead"], r["occurred"]) for r in world.rows[signal.table] if not signal.where or r["type"] == "email_sent"
    }
    expected = []
    for lead, at in sorted(rows):
        later = [(t // 10**6 - at // 10**6) / 86_400 for who, t in sales if who == lead and t // 10**6 >= at // 10**6]
        before = [(at // 10**6 - t // 10**6) / 86_400 for who, t in sales if who == lead and t // 10**6 < at // 10**6]
        expected.append((lead, min(later, default=math.inf), min(before, default=math.inf)))
    assert found.lead.tolist() == [lead for lead, _, _ in expected]
    assert found.to_next.tolist() == pytest.approx([days for _, days, _ in expected])
    assert found.since_last.tolist() == pytest.approx([days for _, _, days in expected])


def test_conversions_are_no_signal_of_themselves():
    """Where the signal's table holds the conversions, those rows are left out."""
    blank = {"until": None, "bits": 0, "value": None, "campaign": None, "ends_on": START, "weight": None}
    rows = [
        {"lead": 0, "occurred": START + k * DAY, "known": START + k * DAY, "id": str(k), "type": kind, **blank}
        for k, kind in enumerate(["cart_add", "download", "cart_add"])
    ]
    world = worlds.TimelineWorld({"events": rows}, {"events": (START, START + 9 * DAY)}, [START])
    found = lags(world.timelines(), Signal("events", "events"), Conversion("events", parse({"type": "download"})))
    assert (found.to_next.tolist(), found.since_last.tolist()) == ([1.0, math.inf], [math.inf, 1.0])


def test_signals_are_named_once_with_all_that_look_at_them():
    """Two features of the same rows share a signal, and a rate looks at two."""
    sent, opened = parse({"type": "email_sent"}), parse({"type": ["email_opened", "open"]})
    features = [
        worlds.number("sent", Measure("count", "events", sent, window=1)),
        worlds.number("rate", Measure("rate", "events", sent, window=1, of=opened)),
        worlds.number("month", Measure("month")),
        worlds.category("plan", Measure("last", "attributes", (), "plan")),
    ]
    found = {one.name: one.features for one in signals(features)}
    assert found == {
        "events with type = email_sent": ("sent", "rate"),
        "events with type = email_opened or open": ("rate",),
        "a change of plan": ("plan",),
    }


def _attribute_world():
    """One lead whose plan changes a day after it bought, one that changes without buying, one that does neither."""

    def plan(lead, day, value):
        moment = START + day * DAY
        return {"lead": lead, "occurred": moment, "known": moment, "until": None, "bits": 0, "id": f"{lead}{day}",
                "plan": value, "age": None}  # fmt: skip

    order = {"lead": 0, "occurred": START + 2 * DAY, "known": START + 2 * DAY, "until": None, "bits": 0, "id": "o",
             "amount": 1, "discount": None, "items": 1, "category": None, "is_cancelled": False}  # fmt: skip
    changing = [plan(0, 0, "a"), plan(0, 3, "b"), plan(1, 0, "a"), plan(1, 9, "b"), plan(2, 0, "a"), plan(2, 5, "a")]
    return worlds.TimelineWorld(
        {"attributes": changing, "orders": [order]}, {"orders": (START, START + 20 * DAY)}, [START] * 3
    ).timelines()


def test_changes_are_counted_after_conversions_and_otherwise():
    """A change a day after the order is counted for it; a version that says the same is no change."""
    (one,) = changes_after_conversion(_attribute_world(), ["plan"], ORDERS, days=5)
    assert (one.versions, one.converting, one.changed) == (2, 1, 1)
    assert (one.others, one.others_changed, one.others_days) == (2, 1, 40.0)
    (soon,) = changes_after_conversion(_attribute_world(), ["plan"], ORDERS, days=0.5)
    assert soon.changed == 0


def test_counts_of_buckets_add_up():
    """Two buckets together have the sum of both."""
    one = changes_after_conversion(_attribute_world(), ["plan", "age"], ORDERS, days=5)
    both = added([one, one])
    assert [(c.attribute, c.changed, c.others_days) for c in both] == [("plan", 2, 80.0), ("age", 0, 80.0)]
