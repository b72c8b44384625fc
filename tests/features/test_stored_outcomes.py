"""What became of stored scores: the same labels that teach the model, whatever the order of the rows."""

import numpy as np
import pyarrow as pa
import worlds
from hypothesis import given
from hypothesis import strategies as st
from worlds import DAY, START

from features.labels import Conversion
from features.snapshots import Grid, Trigger
from features.stored_outcomes import stored_outcomes
from features.timeline import timestamps
from features.training_table import Question, training_table

FEATURE = (worlds.number("orders", worlds.Measure("count", "orders")),)
GRID = Question(Conversion("orders"), Grid(days=1), horizon_days=2, settle_days=1)
TRIGGER = Question(Conversion("orders"), Trigger("events"), horizon_days=2)


def found_for(world, question, keys):
    """Return (converted, ripe) of each key; None of one that is not known."""
    places, found = stored_outcomes(world.timelines(), question, keys)
    of_place = dict(zip(places.tolist(), zip(*found.to_pydict().values(), strict=True), strict=True))
    return [of_place.get(place) for place in range(len(keys))]


@given(worlds.timeline_worlds(tables=("orders", "events")), st.sampled_from([GRID, TRIGGER]), st.randoms())
def test_outcomes_of_stored_scores_are_the_labels_of_training(world, question, how):
    """Every ripe snapshot of training, asked for as a stored score in any order, gets the label it had there."""
    table = training_table(world.timelines(), question, FEATURE)
    if not len(table):
        return
    order = list(range(len(table)))
    how.shuffle(order)
    places = pa.array(order)
    expected = [(label, True) for label in table.labels["converted"].take(places).to_pylist()]
    assert found_for(world, question, table.keys.take(places)) == expected


def test_a_window_that_has_not_closed_is_not_ripe():
    """A score of yesterday has no outcome yet, though the lead may have ordered since."""
    order = {"lead": 0, "occurred": START, "known": START, "until": None, "bits": 0, "id": "o", "amount": 1,
             "discount": None, "items": 1, "category": "a", "is_cancelled": False}  # fmt: skip
    world = worlds.TimelineWorld({"orders": [order]}, {"orders": (START - DAY, START + 2 * DAY)}, [START - DAY])
    question = Question(Conversion("orders"), Grid(days=1), horizon_days=2)
    assert found_for(world, question, keys([("lead-0", START), ("lead-0", START + 1)])) == [
        (True, True),
        (False, False),
    ]


def test_a_lead_that_is_not_known_any_more_has_no_outcome():
    """A lead that was forgotten since is neither converted nor lost: nothing is known of it."""
    world = worlds.TimelineWorld({"orders": []}, {"orders": (START - DAY, START + 9 * DAY)}, [START - DAY])
    assert found_for(world, GRID, keys([("gone", START), ("lead-0", START)])) == [None, (False, True)]


def keys(pairs):
    """Return (lead id, as_of) pairs as the keys of stored scores."""
    ids = [lead_id for lead_id, _ in pairs]
    moments = timestamps(np.asarray([as_of for _, as_of in pairs], dtype=np.int64))
    return pa.table({"lead_id": ids, "as_of": moments, "trigger_id": pa.nulls(len(ids), pa.string())})
