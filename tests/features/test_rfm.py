"""Columns for judges: computed like features, kept beside them."""

import numpy as np
import pytest
import worlds
from hypothesis import given
from hypothesis import strategies as st
from worlds import DAY

from features import families
from features.labels import Conversion
from features.matrix import concat
from features.rfm import AGE, FREQUENCY, MONETARY, RECENCY, rfm_features
from features.snapshots import Grid
from features.training_table import Question, training_table

COLUMNS = {
    name: {"lead_no", "occurred_at", "known_at", "superseded_at", "link_bits", "row_id", *content}
    for name, content in worlds.CONTENT.items()
}
CATALOG = families.catalog(COLUMNS, families.Choice(windows=(1, 2)))
QUESTION = Question(Conversion("orders"), Grid(days=1), horizon_days=1)


@given(world=worlds.timeline_worlds(tables=("orders", "events")), rows=st.randoms(use_true_random=False))
def test_columns_beside_the_features_change_none_of_them(world, rows):
    """The features are the same with and without columns beside them, and taking rows takes both."""
    asked = [one for one in CATALOG if one.measure.table in ("orders", "")]
    alone = training_table(world.timelines(), QUESTION, asked)
    table = training_table(world.timelines(), QUESTION, asked, beside=[*rfm_features(COLUMNS), asked[0]])
    assert repr(table.columns.to_pydict()) == repr(alone.columns.to_pydict())  # as text, a NaN equals a NaN
    assert table.features == alone.features
    assert alone.beside is None
    assert table.beside.column_names == [FREQUENCY, RECENCY, AGE, MONETARY, asked[0].name]
    assert repr(table.beside[asked[0].name].to_pylist()) == repr(table.columns[asked[0].name].to_pylist())
    places = np.array([rows.randrange(len(table)) for _ in range(3)] if len(table) else [], dtype=np.int64)
    assert repr(table.take(places).beside.to_pydict()) == repr(table.beside.take(places).to_pydict())
    assert concat([table.take(places), table]).beside.num_rows == len(places) + len(table)


def test_recency_frequency_and_value_are_those_of_the_orders():
    """Three orders of 1, 2 and 4 two days apart: three times, 1 day since the last, 5 since the first, 7 in all."""
    blank = {"until": None, "bits": 0, "discount": None, "items": 1, "category": None, "is_cancelled": False}
    rows = [
        {"lead": 0, "occurred": moment, "known": moment, "id": str(place), "amount": 10_000 * 2**place, **blank}
        for place, moment in enumerate(worlds.START + days * DAY for days in (1, 3, 5))
    ]
    span = (worlds.START, worlds.START + 7 * DAY)
    world = worlds.TimelineWorld({"orders": rows}, {"orders": span}, [worlds.START])
    last = training_table(world.timelines(), QUESTION, CATALOG[:1], beside=rfm_features(COLUMNS)).beside.slice(6, 1)
    assert last.to_pylist() == [{FREQUENCY: 3.0, RECENCY: 1.0, AGE: 5.0, MONETARY: 7.0}]


@pytest.mark.parametrize(
    ("there", "counted"), [({"events", "sessions"}, "events"), ({"sessions"}, "sessions"), (set(), None)]
)
def test_without_orders_the_busiest_trace_is_counted(there, counted):
    """A shop without orders has its events counted, then its sessions, then nothing; amounts belong to orders."""
    found = rfm_features({name: COLUMNS[name] for name in there})
    assert {one.measure.table for one in found} == ({counted} if counted else set())
    assert MONETARY not in [one.name for one in found]
