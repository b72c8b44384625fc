"""A clock moved on purpose moves what reads it, and nothing else."""

import worlds
from hypothesis import given, settings
from hypothesis import strategies as st
from worlds import DAY

from features.deleting import differing
from features.shifting import shifted, sources
from features.sweeping import compute
from features.timeline import microseconds

CATALOG = worlds.every_measure((2, 0))
CLOCKS = ("occurred_at", "known_at", "superseded_at")


@given(world=worlds.timeline_worlds(), name=st.sampled_from(sorted(worlds.CONTENT)))
def test_every_clock_of_one_table_moves_and_no_other(world, name):
    """All three times of the table are a day later, never is still never, and other tables are untouched."""
    before = world.timelines()
    after = shifted(before, name, by=DAY)
    for table in before.tables:
        for clock in CLOCKS:
            were, are = (microseconds(t.tables[table][clock], missing=-1).tolist() for t in (before, after))
            assert are == [time + DAY * (table == name and time != -1) for time in were]


@settings(max_examples=15)
@given(world=worlds.timeline_worlds(), pairs=worlds.asked(), name=st.sampled_from(sorted(worlds.CONTENT)))
def test_the_sweep_follows_the_declared_sources_alone(world, pairs, name):
    """A feature that does not name the shifted table has the same bits."""
    timelines, asked = world.timelines(), worlds.snapshots_of(pairs)
    moved = differing(compute(timelines, asked, CATALOG), compute(shifted(timelines, name, by=DAY), asked, CATALOG))
    declared = {feature.name: sources(feature) for feature in CATALOG}
    assert {feature for feature in moved if name not in declared[feature]} == set()
