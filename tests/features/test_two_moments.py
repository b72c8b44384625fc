"""Leads at two moments: what each reading in between holds, against the slow oracle."""

from dataclasses import replace

import numpy as np
import oracle
import pyarrow as pa
import worlds
from hypothesis import given, settings
from hypothesis import strategies as st
from worlds import DAY, START

from features.asked_again import asked_again
from features.catalog import Measure
from features.deleting import differing
from features.labels import Conversion
from features.snapshots import Grid, Trigger, at_triggers
from features.timeline import timestamps
from features.training_table import Question
from features.two_moments import two_moments

CATALOG = [
    *worlds.every_measure((2, 0)),
    # What the lead did since what is known about it changed: of both kinds at once.
    worlds.number("since_plan", Measure("open_count", "events", since_table="attributes")),
]
EVERYWHERE = tuple(worlds.CONTENT)


def known_before(world, cut, tables):
    """Return the world without what became known of each lead at its cut or later, in *tables* alone."""

    def past(row):
        until = None if row["until"] is None or row["until"] >= cut[row["lead"]] else row["until"]
        return {**row, "until": until}

    rows = {
        name: [past(row) for row in rows if row["known"] < cut[row["lead"]]] if name in tables else rows
        for name, rows in world.rows.items()
    }
    return replace(world, rows=rows)


def by_hand(world, snapshots, feature):
    """Return one feature of each snapshot by a loop over the rows."""
    asked = zip(snapshots.lead_no.tolist(), snapshots.as_of.tolist(), snapshots.ends_at.tolist(), strict=True)
    return [oracle.feature(feature.measure, feature.kind, (lead, at, end, None), world) for lead, at, end in asked]


def read(world, pairs, days):
    """Return one snapshot per lead, the same some days later, and what is read between them."""
    old = worlds.snapshots_of(sorted(dict(pairs).items()))
    new = replace(old, as_of=old.as_of + days * DAY, ends_at=old.ends_at + days * DAY)
    return old, new, two_moments(world.timelines(), old, new, features=CATALOG, newer=CATALOG, zone=world.zone)


@settings(max_examples=15)
@given(world=worlds.timeline_worlds(), pairs=worlds.asked(), days=st.integers(0, 3))
def test_each_reading_is_what_the_oracle_makes_of_the_rows_that_it_may_see(world, pairs, days):
    """Then and aged see what was known then, acted all but later attributes, informed everything."""
    old, new, found = read(world, pairs, days)
    cut = dict(zip(old.lead_no.tolist(), old.as_of.tolist(), strict=True))
    cut |= dict.fromkeys(set(range(worlds.N_LEADS)) - cut.keys(), START)
    past = known_before(world, cut, EVERYWHERE)
    expected = {
        "then": (past, old),
        "aged": (past, new),
        "acted": (known_before(world, cut, ("attributes",)), new),
        "informed": (world, new),
        "now": (world, new),
    }
    for name, (seen, snapshots) in expected.items():
        for feature in CATALOG:
            got = getattr(found, name).columns[feature.name].to_pylist()
            np.testing.assert_array_equal(got, by_hand(seen, snapshots, feature), err_msg=f"{name} {feature.name}")


@settings(max_examples=10)
@given(world=worlds.timeline_worlds(), pairs=worlds.asked())
def test_at_one_moment_all_readings_are_the_same(world, pairs):
    """A trigger has its own moment in every run: nothing that became known later is read there."""
    _, _, found = read(world, pairs, 0)
    for other in (found.aged, found.acted, found.informed, found.now):
        assert differing(found.then, other) == {}


@settings(max_examples=10)
@given(world=worlds.timeline_worlds(), pairs=worlds.asked(), days=st.integers(1, 3), table=st.sampled_from(EVERYWHERE))
def test_what_nobody_learned_since_moves_nothing(world, pairs, days, table):
    """Where one table alone brings news, attributes move the facts and every other table the activity."""
    cut = dict.fromkeys(range(worlds.N_LEADS), START) | dict(pairs)
    others = tuple(name for name in EVERYWHERE if name != table)
    _, _, found = read(known_before(world, cut, others), pairs, days)
    if table == "attributes":
        assert differing(found.aged, found.acted) == {}
    else:
        assert differing(found.acted, found.informed) == {}


def test_features_that_the_newer_model_measures_otherwise_are_measured_anew():
    """One name may mean something else to the next model."""
    rows = {"orders": [], "sessions": [], "events": [], "attributes": []}
    how = {"lead": 0, "until": None, "bits": 0, "amount": 10_000, "discount": None, "items": 1, "category": "a",
           "is_cancelled": False}  # fmt: skip
    rows["orders"] = [{**how, "occurred": START + k * DAY, "known": START + k * DAY, "id": str(k)} for k in range(4)]
    span = dict.fromkeys(rows, (START - 90 * DAY, START + 90 * DAY))
    world = worlds.TimelineWorld(rows, span, [START] * worlds.N_LEADS)
    asked = worlds.snapshots_of([(0, START + 5 * DAY)])
    catalog = worlds.every_measure((1, 5))
    older = [feature for feature in catalog if feature.name == "count_all_5"]
    newer = [replace(older[0], measure=replace(older[0].measure, window=2)),
             *(feature for feature in catalog if feature.name == "count_all_1")]  # fmt: skip
    found = two_moments(world.timelines(), asked, asked, features=older, newer=newer, zone="UTC")
    assert found.informed.columns.to_pydict() == {"count_all_5": [4.0]}
    assert found.now.columns.to_pydict() == {"count_all_5": [1.0], "count_all_1": [0.0]}


def keys_of(lead_ids, old, new, triggers=None):
    """Return keys as stored runs have them."""
    return pa.table({
        "lead_id": pa.array(lead_ids, pa.string()),
        "trigger_id": pa.array(triggers or [None] * len(lead_ids), pa.string()),
        "old_as_of": timestamps(np.asarray(old)),
        "new_as_of": timestamps(np.asarray(new)),
    })  # fmt: skip


@given(world=worlds.timeline_worlds(), order=st.permutations(range(worlds.N_LEADS)))
def test_leads_are_found_again_in_any_order_and_nobody_else(world, order):
    """The order of the keys changes nothing, and a lead that the tables do not hold is left out."""
    question = Question(Conversion("orders"), Grid(days=1))
    ids = [f"lead-{no}" for no in order]
    keys = keys_of(["nobody", *ids], [START] * 4, [START + DAY] * 4)
    old, new, places = asked_again(world.timelines(), question, keys)
    assert old.lead_no.tolist() == sorted(order)
    assert [keys["lead_id"][place].as_py() for place in places.tolist()] == [f"lead-{no}" for no in sorted(order)]
    assert (new.as_of - old.as_of == DAY).all()
    assert (new.ends_at - new.as_of == old.ends_at - old.as_of).all()


@given(world=worlds.timeline_worlds(), draw=st.randoms(use_true_random=False))
def test_triggers_are_found_again_by_lead_and_id(world, draw):
    """Each trigger comes back with its own row, moment and end; a key of a grid finds none."""
    question = Question(Conversion("orders"), Trigger("events", until="ends_on"), zone=world.zone)
    timelines = world.timelines()
    every = at_triggers(timelines, question.snapshots, zone=world.zone, horizon_days=30)
    chosen = sorted(draw.sample(range(len(every)), len(every) // 2))
    wanted = every.take(np.asarray(chosen, dtype=np.int64))
    ids = [f"lead-{no}" for no in wanted.lead_no.tolist()]
    keys = keys_of([*ids, "lead-0"], [*wanted.as_of, START], [*wanted.as_of, START],
                   [*wanted.trigger["row_id"].to_pylist(), None])  # fmt: skip
    shuffled = draw.sample(range(len(keys)), len(keys))
    old, new, places = asked_again(timelines, question, keys.take(pa.array(shuffled, pa.int64())))
    assert sorted(places.tolist()) == [at for at, place in enumerate(shuffled) if place < len(ids)]
    for snapshots in (old, new):
        assert snapshots.lead_no.tolist() == wanted.lead_no.tolist()
        assert snapshots.as_of.tolist() == wanted.as_of.tolist()
        assert snapshots.ends_at.tolist() == wanted.ends_at.tolist()
        assert snapshots.trigger["row_id"].to_pylist() == wanted.trigger["row_id"].to_pylist()
