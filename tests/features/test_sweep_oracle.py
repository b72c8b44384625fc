"""The sweep against the slow oracle, on random timelines: equal means equal to the last bit."""

import random

import numpy as np
import oracle
import worlds
from hypothesis import given, settings
from hypothesis import strategies as st

from features import families
from features.catalog import Measure
from features.conditions import parse
from features.sweeping import compute


def assert_agrees(world, pairs, catalog):
    """Compare every feature of every snapshot with the oracle's."""
    snapshots = worlds.snapshots_of(pairs)
    table = compute(world.timelines(), snapshots, catalog, zone=world.zone)
    ends = snapshots.ends_at.tolist()
    for feature in catalog:
        expected = [
            oracle.feature(feature.measure, feature.kind, (lead, as_of, end, None), world)
            for (lead, as_of), end in zip(pairs, ends, strict=True)
        ]
        got = table.columns[feature.name].to_pylist()
        if feature.kind == "number":
            np.testing.assert_array_equal(got, expected, err_msg=feature.name)
        else:
            assert got == expected, feature.name


@settings(max_examples=60)
@given(world=worlds.timeline_worlds(tables=("orders", "events", "attributes")), pairs=worlds.asked())
def test_every_measure_agrees_with_the_oracle(world, pairs):
    """Every measure over every window is what a loop over the visible rows gives, bit for bit."""
    assert_agrees(world, pairs, worlds.every_measure())


@given(
    world=worlds.timeline_worlds(tables=("orders", "events", "attributes")),
    pairs=worlds.asked(),
    windows=st.sampled_from([(1,), (2,), (1, 5)]),
)
def test_rows_that_no_window_reaches_are_left_out_rightly(world, pairs, windows):
    """Without a window that reaches back for ever, what is too old is never looked at again."""
    assert_agrees(world, pairs, [f for f in worlds.every_measure(windows) if f.measure.window or not f.measure.table])


@settings(max_examples=10)
@given(world=worlds.timeline_worlds(tables=("orders",)), pairs=worlds.asked())
def test_more_signals_than_one_walk_holds_agree_with_the_oracle(world, pairs):
    """What needs several walks of one table is measured as if it were one."""
    where = [parse({"amount": {"min": least}}) for least in range(150)]
    catalog = [worlds.number(f"n{k}", Measure("count", "orders", where[k], window=5)) for k in range(len(where))]
    assert_agrees(world, pairs, catalog)


@given(world=worlds.timeline_worlds(), pairs=worlds.asked())
def test_the_built_in_families_agree_with_the_oracle(world, pairs):
    """Every built-in feature is what a loop over the visible rows gives, bit for bit."""
    available = {name: set(table.column_names) for name, table in world.timelines().tables.items()}
    choice = families.Choice(windows=(1, 2, 5))
    catalog = families.catalog(available, choice, attributes={"plan": "text", "age": "number"})
    assert_agrees(world, pairs, catalog)


@given(seed=worlds.seeds)
def test_many_late_and_replaced_rows_agree_with_the_oracle(seed):
    """Several rows that come late or go at one snapshot are put right together."""
    how = random.Random(seed)
    rows = worlds.timeline_rows(how, "orders", n=40, n_leads=1)
    world = worlds.TimelineWorld(
        {"orders": rows}, {"orders": (worlds.START - worlds.DAY, worlds.START)}, [worlds.START]
    )
    moments = sorted(how.sample(worlds.MOMENTS, 8))
    catalog = [f for f in worlds.every_measure((1, 5, 0)) if f.measure.table == "orders" and "all" in f.name]
    assert_agrees(world, [(0, moment) for moment in moments], catalog)
