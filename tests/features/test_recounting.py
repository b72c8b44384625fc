"""Labels counted row by row are the labels of the kernel."""

import numpy as np
import pytest
import worlds
from hypothesis import given
from hypothesis import strategies as st

from features.conditions import parse
from features.labels import Conversion, label
from features.recounting import converted
from features.snapshots import Trigger, at_triggers

CONVERSIONS = [Conversion("orders"), Conversion("orders", parse({"amount": {"min": 1}})), Conversion("events")]


@given(
    world=worlds.timeline_worlds(),
    pairs=worlds.asked(),
    conversion=st.sampled_from(CONVERSIONS),
    settle=st.integers(0, 2),
)
def test_a_label_counted_by_hand_is_the_kernel_s(world, pairs, conversion, settle):
    """The slow loop and the kernel agree on every snapshot of a grid."""
    timelines, asked = world.timelines(), worlds.snapshots_of(pairs)
    found = label(timelines, asked, conversion, settle_days=settle)["converted"].to_pylist()
    assert converted(timelines, asked, conversion, settle_days=settle).tolist() == found


@given(world=worlds.timeline_worlds(), match=st.sampled_from(["", "campaign"]), settle=st.integers(0, 1))
def test_so_is_one_asked_at_a_trigger(world, match, settle):
    """At triggers the key must be shared, and the row that pulled it counts for nothing."""
    trigger, conversion = Trigger("events", parse({"type": "email_sent"}), match, "ends_on"), Conversion("events")
    timelines = world.timelines()
    asked = at_triggers(timelines, trigger, zone="UTC", horizon_days=1)
    found = label(timelines, asked, conversion, settle_days=settle)["converted"].to_pylist()
    assert converted(timelines, asked, conversion, settle_days=settle).tolist() == found


@pytest.mark.parametrize("wrong", [0, 1])
def test_the_two_differ_where_one_is_broken(monkeypatch, wrong):
    """A loop whose window begins a day late no longer agrees: the comparison above can fail."""
    import random

    from features import recounting

    how = random.Random(3)
    rows = {"orders": worlds.timeline_rows(how, "orders", n=60)}
    world = worlds.TimelineWorld(rows, {"orders": (worlds.START, worlds.START + 9 * worlds.DAY)}, [0, 0, 0])
    asked = worlds.snapshots_of([(lead, worlds.START + k * worlds.DAY) for lead in range(3) for k in range(6)])
    true = recounting.moments.happened_within
    monkeypatch.setattr(
        recounting.moments, "happened_within", lambda at, begin, end: true(at, begin + wrong * worlds.DAY, end)
    )
    found = label(world.timelines(), asked, Conversion("orders"))["converted"].to_numpy()
    again = converted(world.timelines(), asked, Conversion("orders"), settle_days=0)
    assert bool(np.any(found != again)) == bool(wrong)
