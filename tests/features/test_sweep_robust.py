"""The sweep on odd input: nothing there, all missing, far too much."""

import time

import numpy as np
import pyarrow as pa
import pytest
import worlds
from worlds import DAY, START

from features.catalog import Measure
from features.errors import LeadlightError
from features.snapshots import Snapshots
from features.sweeping import compute
from features.timeline import Coverage, Timelines, timestamps

CATALOG = worlds.every_measure()
EMPTY = {name: [] for name in worlds.CONTENT}
SPANS = {name: (START - 90 * DAY, START) for name in worlds.CONTENT if name != "attributes"}


def test_no_snapshots_give_an_empty_table_of_the_same_columns():
    """Nothing asked, nothing answered, in the right types."""
    world = worlds.TimelineWorld(EMPTY, SPANS, [START])
    none, one = (compute(world.timelines(), worlds.snapshots_of(pairs), CATALOG) for pairs in ([], [(0, START)]))
    assert len(none) == 0
    assert none.columns.schema == one.columns.schema
    assert none.keys.schema == one.keys.schema


def test_a_lead_without_rows_has_zeros_and_missing_values():
    """Counts and sums are zero, what needs a row is missing, and neither is the other."""
    world = worlds.TimelineWorld(EMPTY, SPANS, [START - DAY])
    table = compute(world.timelines(), worlds.snapshots_of([(0, START)]), CATALOG)
    row = {name: table.columns[name][0].as_py() for name in table.columns.column_names}
    assert row["count_all_5"] == row["sum_amount_all_5"] == row["open_count_0"] == row["distinct_category_all_1"] == 0.0
    assert row["lead_age"] == 1.0
    for name in ("mean_amount_all_5", "share_all_0", "trend_2_5", "days_since_last_all_0", "open_age_5", "age"):
        assert np.isnan(row[name]), name
    assert row["plan"] is row["first_category_all_0"] is None


@pytest.mark.parametrize(("ordered", "still_open"), [(-1, 1), (0, 0), (1, 0)])
def test_an_order_at_the_moment_of_the_cart_closes_it(ordered, still_open):
    """Only what was put into the cart after the latest order is still open."""
    blank = {"lead": 0, "until": None, "bits": 0, "id": "a"}
    cart = {**blank, "occurred": START, "known": START, **dict.fromkeys(worlds.CONTENT["events"]), "type": "cart_add"}
    at = START + ordered
    order = {**blank, "occurred": at, "known": at, **dict.fromkeys(worlds.CONTENT["orders"]), "is_cancelled": False}
    world = worlds.TimelineWorld({**EMPTY, "events": [cart], "orders": [order]}, SPANS, [START])
    table = compute(world.timelines(), worlds.snapshots_of([(0, START + DAY)]), CATALOG)
    assert table.columns["open_count_5"].to_pylist() == [still_open]


def test_columns_without_any_value_are_missing():
    """A column of nulls, of its own type or of none, measures as missing and sums to zero."""
    row = {"lead": 0, "occurred": START, "known": START, "until": None, "bits": 0, "id": "a"}
    typed = worlds.table_of("orders", [{**row, **dict.fromkeys(worlds.CONTENT["orders"])}])
    bare = typed
    for name in ("amount", "discount", "items", "category"):
        bare = bare.set_column(bare.schema.get_field_index(name), name, pa.nulls(1))
    catalog = [f for f in CATALOG if f.measure.table == "orders" and "dear" not in f.name and f.measure.window == 0]
    world = worlds.TimelineWorld(EMPTY, SPANS, [START])
    for orders in (typed, bare):
        timelines = Timelines(world.timelines().leads, {"orders": orders}, {"orders": Coverage(START - DAY, START)})
        table = compute(timelines, worlds.snapshots_of([(0, START + 1)]), catalog)
        assert table.columns["sum_amount_all_0"].to_pylist() == [0.0]
        assert np.isnan(table.columns["mean_amount_all_0"].to_pylist()).all()
        assert table.columns["last_category_all_0"].to_pylist() == [None]
        assert table.columns["count_all_0"].to_pylist() == [1.0]


def test_a_table_that_is_not_there_is_named():
    """Every table and column that the features read and the timelines lack, at once."""
    world = worlds.TimelineWorld({"orders": []}, SPANS, [START])
    with pytest.raises(LeadlightError, match=r"(?s)attributes: .*events: "):
        compute(world.timelines(), worlds.snapshots_of([(0, START)]), CATALOG)


@pytest.mark.parametrize("kind", ["sum", "mean", "last"])
def test_text_is_not_summed(kind):
    """A number asked of a column of text is refused with the column's name."""
    rows = worlds.TimelineWorld(EMPTY, SPANS, [START], "dictionary")
    own = worlds.number("own", Measure(kind, "orders", (), "category"))
    with pytest.raises(LeadlightError, match="'category' as a number, but it holds text"):
        compute(rows.timelines(), worlds.snapshots_of([(0, START)]), [own])


def test_sums_that_could_overflow_are_refused():
    """Values that exceed 64 bits together are refused; the largest that fit are summed exactly."""
    blank = {"lead": 0, "occurred": START, "known": START, "until": None, "bits": 0, "id": "a", "discount": None,
             "items": None, "category": None, "is_cancelled": False}  # fmt: skip
    own = worlds.number("own", Measure("sum", "orders", (), "amount"))
    for amount, fits in ((2**61, True), (2**62, False)):
        rows = [{**blank, "id": str(k), "amount": amount} for k in range(3)]
        timelines = worlds.TimelineWorld({"orders": rows}, SPANS, [START]).timelines()
        if fits:
            table = compute(timelines, worlds.snapshots_of([(0, START + 1)]), [own])
            assert table.columns["own"].to_pylist() == [3 * amount / 10_000]
        else:
            with pytest.raises(LeadlightError, match="'amount' are too large to be summed"):
                compute(timelines, worlds.snapshots_of([(0, START + 1)]), [own])


def long_history(n, *, seed=0):
    """Return one lead with *n* orders of a year, 30 % known late or replaced, and 50 weekly snapshots."""
    rng = np.random.default_rng(seed)
    occurred = np.sort(rng.integers(START, START + 360 * DAY, n))
    late = rng.random(n) < 0.3
    known = occurred + np.where(late, rng.integers(0, 200 * DAY, n), 0)
    until = np.where(rng.random(n) < 0.3, known + rng.integers(1, 200 * DAY, n), 2**63 - 1)
    order = np.lexsort((known, occurred))
    columns = {
        "lead_no": np.zeros(n, np.int64),
        "occurred_at": timestamps(occurred),
        "known_at": timestamps(known[order]),
        "superseded_at": timestamps(until[order]),
        "amount": rng.integers(0, 10**6, n),
        "category": pa.array(rng.integers(0, 50, n)).cast(pa.string()),
    }
    leads = pa.table({"lead_no": [0], "lead_id": ["one"], "exists_from": timestamps(np.asarray([START]))})
    timelines = Timelines(leads, {"orders": pa.table(columns)}, {"orders": Coverage(START, START + 360 * DAY)})
    as_of = START + np.arange(1, 51) * 7 * DAY
    return timelines, Snapshots(np.zeros(50, np.int64), as_of, as_of + DAY), (occurred, known[order], until[order])


def test_a_very_long_history_takes_time_in_proportion():
    """A lead with 200,000 rows, a third of them late or replaced, is swept in about a second, and rightly."""
    catalog = [
        f for f in CATALOG if f.name in ("count_all_5", "sum_amount_all_0", "distinct_category_all_5", "count_all_0")
    ]
    compute(*long_history(100)[:2], catalog)
    timelines, asked, (occurred, known, until) = long_history(200_000)
    started = time.process_time()
    table = compute(timelines, asked, catalog)
    assert time.process_time() - started < 5
    expected = [int(((known < t) & (t <= until) & (occurred < t)).sum()) for t in asked.as_of.tolist()]
    assert table.columns["count_all_0"].to_pylist() == expected
