"""Deleting the future: the plain rule, and what the sweep must not notice of it."""

import numpy as np
import worlds
from hypothesis import given, settings
from hypothesis import strategies as st
from worlds import DAY, START

from features import moments
from features.deleting import asked_at, cuts, differing, only_leads, without_future
from features.sweeping import compute
from features.timeline import microseconds

CATALOG = worlds.every_measure((1, 0))


@given(world=worlds.timeline_worlds(), draw=st.randoms(use_true_random=False))
def test_what_is_left_was_known_before_each_lead_s_own_cut(world, draw):
    """The rows left are those known before the cut of their lead, told of no replacement that comes later."""
    cut = np.asarray([draw.choice(worlds.MOMENTS) for _ in range(worlds.N_LEADS)])
    past = without_future(world.timelines(), cut)
    for name, rows in world.rows.items():
        expected = [
            (r["lead"], r["id"], None if r["until"] is None or r["until"] >= cut[r["lead"]] else r["until"])
            for r in sorted(rows, key=worlds.sort_key)
            if r["known"] < cut[r["lead"]]
        ]
        left = past.tables[name]
        until = [None if u == moments.NEVER else u for u in microseconds(left["superseded_at"]).tolist()]
        found = list(zip(left["lead_no"].to_pylist(), left["row_id"].to_pylist(), until, strict=True))
        assert found == expected


@settings(max_examples=15)
@given(world=worlds.timeline_worlds(), pairs=worlds.asked(), draw=st.randoms(use_true_random=False))
def test_the_sweep_does_not_notice_that_the_future_is_gone(world, pairs, draw):
    """Features at a lead's cut are the same to the bit with and without what came after it."""
    if not pairs:
        return
    timelines, snapshots = world.timelines(), worlds.snapshots_of(pairs)
    chosen = np.asarray([draw.random() for _ in range(worlds.N_LEADS)])
    cut = cuts(snapshots, n_leads=worlds.N_LEADS, first_lead_no=0, chosen=chosen)
    asked = snapshots.take(asked_at(snapshots, cut, first_lead_no=0))
    assert len(asked) >= len({lead for lead, _ in pairs})
    full, past = (compute(t, asked, CATALOG) for t in (timelines, without_future(timelines, cut)))
    assert differing(past, full) == {}


def test_each_lead_is_cut_at_the_as_of_that_was_chosen():
    """0 chooses a lead's first as_of, 1 its last; a lead that is never asked about loses everything."""
    snapshots = worlds.snapshots_of([(0, START), (0, START + DAY), (0, START + 2 * DAY), (2, START)])
    for chosen, expected in ((0.0, START), (0.4, START + DAY), (1.0, START + 2 * DAY)):
        cut = cuts(snapshots, n_leads=3, first_lead_no=0, chosen=np.full(3, chosen))
        assert cut.tolist() == [expected, moments.ALWAYS, START]


@given(world=worlds.timeline_worlds())
def test_only_the_rows_of_the_wanted_leads_stay(world):
    """Rows of other leads go, and the list of leads keeps its numbers."""
    few = only_leads(world.timelines(), np.asarray([True, False, True]))
    assert len(few.leads) == worlds.N_LEADS
    for name, rows in world.rows.items():
        assert len(few.tables[name]) == sum(row["lead"] != 1 for row in rows)


def test_a_changed_bit_is_a_difference_and_a_missing_value_equals_itself():
    """0.0 and -0.0 differ, missing equals missing, and texts are compared by value whatever their codes."""
    import pyarrow as pa

    from features.matrix import FeatureTable

    def table(numbers, texts):
        return FeatureTable(pa.table({}), pa.table({"n": pa.array(numbers), "t": texts.dictionary_encode()}), ())

    one = table([0.0, float("nan"), 1.0], pa.array(["a", None, "b"]))
    same = table([0.0, float("nan"), 1.0], pa.array(["a", None, "b"]))
    other = table([-0.0, float("nan"), 1.0], pa.array(["a", "b", "b"]))
    assert differing(one, same) == {}
    assert {name: rows.tolist() for name, rows in differing(one, other).items()} == {
        "n": [True, False, False],
        "t": [False, True, False],
    }
