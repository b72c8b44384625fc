"""A synthetic shop: the same from the same seed, and like a shop."""

from __future__ import annotations

from datetime import timedelta
from hashlib import sha256

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from features import moments
from features.errors import LeadlightError
from pipeline.synthetic import periods
from pipeline.synthetic.decision import cancelling_probability, keeping_probability, more_orders_mean
from pipeline.synthetic.judge import best_possible, quality
from pipeline.synthetic.people import draw_leads
from pipeline.synthetic.shop import SyntheticShop, as_ofs, generate, small_shop, truth


@pytest.fixture(scope="module")
def shop(tmp_path_factory) -> SyntheticShop:
    """Return a shop large enough to have a bit of everything."""
    return generate(tmp_path_factory.mktemp("shop"), leads=4_096, seed=3)


def read(shop: SyntheticShop, table: str) -> pa.Table:
    """Return one of the shop's files."""
    return pq.read_table(shop.paths[table])


def hashes(shop: SyntheticShop) -> dict[str, str]:
    """Return what the bytes of each file hash to."""
    return {name: sha256(path.read_bytes()).hexdigest() for name, path in shop.paths.items()}


def test_same_seed_gives_the_same_bytes(tmp_path):
    """Two shops of one seed and size are equal to the last byte; another seed's is not."""
    first, again = small_shop(tmp_path / "a", leads=300), small_shop(tmp_path / "b", leads=300)
    other = small_shop(tmp_path / "c", leads=300, seed=8)
    assert hashes(first) == hashes(again)
    assert not set(hashes(first).values()) & set(hashes(other).values())


@pytest.mark.parametrize(("batch", "threads"), [(64, 1), (192, 2), (1_024, 3)])
def test_batches_and_threads_change_nothing(tmp_path, batch, threads, monkeypatch):
    """Drawn in small batches or at once, by one thread or three, the files are the same."""
    # Small row groups, so that batches end within one.
    monkeypatch.setattr("pipeline.synthetic.files.ROW_GROUP", 500)
    whole = generate(tmp_path / "whole", leads=500, seed=5, batch=8_192, threads=1)
    parts = generate(tmp_path / "parts", leads=500, seed=5, batch=batch, threads=threads)
    assert hashes(whole) == hashes(parts)
    assert whole.shares == parts.shares
    assert whole.rows == parts.rows


def test_a_small_shop_is_the_beginning_of_a_large_one(tmp_path):
    """A lead's rows do not depend on how many leads come after it."""
    small = generate(tmp_path / "small", leads=128, seed=5)
    large = generate(tmp_path / "large", leads=256, seed=5)
    for table in small.paths:
        rows = read(small, table)
        assert read(large, table).slice(0, len(rows)).equals(rows)


def test_shares_are_those_of_a_shop(shop):
    """Late rows, cancellations and linked visitors are as frequent as promised."""
    assert shop.shares.late_rows >= 0.03
    assert shop.shares.cancelled_orders >= 0.03
    assert shop.shares.linked_visitors >= 0.10
    assert shop.shares.rows_before_link >= 0.10
    assert 0.03 <= shop.shares.base_rate <= 0.20


def test_shares_are_what_the_files_say(shop):
    """The reported shares are those counted again in the files."""
    sessions, events, orders = (read(shop, table) for table in ("sessions", "events", "orders"))
    end = pc.add(sessions["started_at"], pc.multiply(sessions["duration_s"], pa.scalar(timedelta(seconds=1))))
    late = [
        pc.subtract(sessions["recorded_at"], end),
        pc.subtract(events["recorded_at"], events["occurred_at"]),
        pc.subtract(orders["recorded_at"], orders["ordered_at"]),
    ]
    day = pa.scalar(timedelta(days=1))
    n_late = sum(pc.sum(pc.greater_equal(wait, day)).as_py() for wait in late)
    assert shop.shares.late_rows == pytest.approx(n_late / sum(map(len, late)))
    cancelled = pc.mean(pc.is_valid(orders["cancelled_at"])).as_py()
    assert shop.shares.cancelled_orders == pytest.approx(cancelled)
    visitors = set(sessions["visitor_id"].to_pylist())
    linked = visitors & set(read(shop, "identities")["visitor_id"].to_pylist())
    assert shop.shares.linked_visitors == pytest.approx(len(linked) / len(visitors))


def test_some_visitors_are_shared(shop):
    """Some browsers belong to two leads, a few kiosks to more than five."""
    links = read(shop, "identities").group_by("visitor_id").aggregate([("lead_id", "count_distinct")])
    sharing = np.asarray(links["lead_id_count_distinct"])
    assert np.sum((sharing >= 2) & (sharing <= 5)) > 50
    assert np.sum(sharing > 5) > 5


def test_activity_is_heavy_tailed(shop):
    """The busiest tenth of leads makes at least a third of the signed-in sessions."""
    sessions = read(shop, "sessions").drop_null()
    counts = np.sort(np.asarray(sessions.group_by("lead_id").aggregate([([], "count_all")])["count_all"]))
    busiest = counts[-shop.leads // 10 :].sum()
    assert busiest > counts.sum() / 3


def test_periods_are_the_grid_of_the_question():
    """The truth is known at exactly the as-ofs of a grid of every 28 days in the shop's zone."""
    days = moments.grid_days(periods.OPENING, moments.local_date(DATA_UNTIL, periods.ZONE), days=28)
    expected = [moments.local_midnight(day, periods.ZONE) for day in days]
    assert as_ofs().cast(pa.int64()).to_pylist() == expected


def test_no_order_falls_between_the_horizon_and_the_next_period(shop):
    """Orders of a period lie within 28 times 24 hours from its start, daylight saving or not."""
    seconds = _seconds(read(shop, "orders")["ordered_at"])
    period = periods.period_of(seconds)
    created = dict(zip(*read(shop, "leads").select(["lead_id", "created_at"]).to_pydict().values(), strict=True))
    signed_up = [created[lead].timestamp() for lead in read(shop, "orders")["lead_id"].to_pylist()]
    existed = np.array(signed_up) <= periods.starts()[period] + periods.opening_us() // 1_000_000
    local = read(shop, "orders")["ordered_at"].cast(pa.timestamp("us", tz=periods.ZONE))
    assert set(np.asarray(pc.hour(local))[existed].tolist()) <= set(range(1, 23))
    passed = (seconds - periods.starts()[period])[existed]
    assert passed.max() < 28 * periods.DAY
    lengths = np.diff(periods.starts()) // 3600
    assert {671, 672, 673} == set(lengths.tolist())


def test_no_label_is_decided_by_a_close_call(shop):
    """Orders are recorded, and cancelled in time, within the settling week; else long after it."""
    orders = read(shop, "orders")
    ordered, recorded = _seconds(orders["ordered_at"]), _seconds(orders["recorded_at"])
    assert np.max(recorded - ordered) < periods.SETTLE_DAYS * periods.DAY
    cancelled = orders.filter(pc.is_valid(orders["cancelled_at"]))
    delay = _seconds(cancelled["cancelled_at"]) - _seconds(cancelled["ordered_at"])
    in_time = delay < periods.SETTLE_DAYS * periods.DAY
    assert 0.5 < np.mean(in_time) < 1.0
    assert delay[~in_time].min() >= (periods.PERIOD_DAYS + periods.SETTLE_DAYS + 1) * periods.DAY


def test_who_buys_keeps_an_order_unless_all_are_cancelled():
    """The chance that an order remains is one less the chance that all n are cancelled."""
    attributes = draw_leads(1, 0, n_leads=64).first
    cancels = cancelling_probability(attributes)
    more = more_orders_mean() / (1 + more_orders_mean())
    all_cancelled = sum((1 - more) * more ** (n - 1) * cancels**n for n in range(1, 40))
    np.testing.assert_allclose(keeping_probability(attributes), 1 - all_cancelled, rtol=1e-12)


def test_nothing_in_the_files_is_known_after_the_export(shop):
    """The export holds no row that it could not yet know."""
    for table, column in [
        ("orders", "recorded_at"),
        ("orders", "cancelled_at"),
        ("sessions", "recorded_at"),
        ("events", "recorded_at"),
        ("identities", "linked_at"),
        ("leads", "recorded_at"),
    ]:
        assert pc.max(read(shop, table)[column].cast(pa.int64())).as_py() < DATA_UNTIL


def test_no_lead_is_known_before_it_signed_up(shop):
    """Whatever names a lead, or is linked to one, becomes known after the lead's sign-up."""
    found = duckdb.execute(
        """
        with leads as (select lead_id, min(created_at) created from read_parquet($leads) group by 1),
        rows as (
            select lead_id, started_at occurred, recorded_at known from read_parquet($sessions)
            union all select lead_id, occurred_at, recorded_at from read_parquet($events)
            union all select lead_id, ordered_at, recorded_at from read_parquet($orders)
            union all select lead_id, linked_at, linked_at from read_parquet($identities)
        )
        select count(*), count(*) filter (where known <= created) from rows join leads using (lead_id)
        """,
        {name: str(path) for name, path in shop.paths.items() if name != "truth"},
    ).fetchone()
    assert found[0] > 10_000
    assert found[1] == 0


def test_ids_are_unique(shop):
    """No two orders, sessions or events share an id; a lead's versions differ in time."""
    for table, keys in [
        ("orders", ["order_id"]),
        ("sessions", ["session_id"]),
        ("events", ["event_id"]),
        ("leads", ["lead_id", "recorded_at"]),
        ("truth", ["lead_id", "as_of"]),
    ]:
        rows = read(shop, table)
        assert len(rows.group_by(keys).aggregate([])) == len(rows)
    versions = read(shop, "leads").num_rows
    assert 1.03 * shop.leads < versions < 1.15 * shop.leads


def test_the_truth_is_good_but_not_perfect(shop):
    """The best possible AUC is well above guessing and well below certainty."""
    probability = truth(shop.folder)["best_probability"].to_numpy()
    labels = np.random.default_rng(0).random(len(probability)) < probability
    assert 0.75 < quality(labels, probability).auc < 0.90


def test_sizes_that_cannot_be_are_refused(tmp_path):
    """No lead at all, and batches that cut a group of leads, are refused with the way out."""
    with pytest.raises(LeadlightError, match=r"cannot have 0 leads\.\n\nHint: ask for 1 to 9,999,999"):
        generate(tmp_path, leads=0, seed=1)
    with pytest.raises(LeadlightError, match=r"100 at a time.*\n\nHint: take a multiple of 64"):
        generate(tmp_path, leads=10, seed=1, batch=100)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("leads", [1, 2, 65])
def test_tiny_shops_can_be_made(tmp_path, leads):
    """A shop of one lead is a shop."""
    shop = generate(tmp_path, leads=leads, seed=1)
    assert len(set(read(shop, "truth")["lead_id"].to_pylist())) <= leads
    assert shop.rows["leads"] >= leads


def test_a_failure_leaves_no_half_written_file(tmp_path, monkeypatch):
    """When writing stops half-way, the folder holds no file at all, finished or not."""

    def stop(done, leads):
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space left"):
        generate(tmp_path, leads=200, seed=1, progress=stop)
    assert not list(tmp_path.iterdir())


def test_best_possible_compares_on_the_same_rows():
    """The truth is looked up by lead and as_of, in whatever order the rows come."""
    as_of = as_ofs()[3:4]
    moment = as_of.take(pa.array([0] * 4))
    known = pa.table({"lead_id": list("abcd"), "as_of": moment, "best_probability": [0.1, 0.2, 0.8, 0.9]})
    scored = pa.table(
        {
            "lead_id": list("dcba"),
            "as_of": moment,
            "probability": [0.5, 0.6, 0.5, 0.5],
            "converted": [True, True, False, False],
        }
    )
    judged = best_possible(known, scored)
    assert (judged.rows, judged.conversions) == (4, 2)
    assert judged.auc == 1.0
    assert judged.model.auc == 0.75
    assert judged.log_loss == pytest.approx(-np.log([0.9, 0.8, 0.8, 0.9]).mean())
    assert judged.constant_log_loss == pytest.approx(np.log(2))
    assert judged.share_of_possible_auc == 0.5


def test_best_possible_keeps_the_order_of_many_rows():
    """Each of many rows is judged by its own truth, wherever the truth has it."""
    n_rows = 200_000
    shuffled = np.random.default_rng(1).permutation(n_rows)
    known = pa.table(
        {
            "lead_id": pa.array(shuffled).cast(pa.string()),
            "as_of": as_ofs().take(pa.array(np.full(n_rows, 5))),
            "best_probability": shuffled / n_rows,
        }
    )
    leads = np.arange(n_rows)
    scored = known.set_column(0, "lead_id", pa.array(leads).cast(pa.string()))
    scored = scored.append_column("probability", pa.array(leads / n_rows))
    judged = best_possible(known, scored.append_column("converted", pa.array(leads % 3 == 0)))
    assert judged.best == judged.model


def test_best_possible_names_what_it_cannot_judge():
    """Rows the truth does not know, and labels of one kind, are refused."""
    moment = as_ofs()[3:4]
    known = pa.table({"lead_id": ["a"], "as_of": moment, "best_probability": [0.1]})
    scored = pa.table({"lead_id": ["z"], "as_of": moment, "probability": [0.5], "converted": [True]})
    with pytest.raises(LeadlightError, match="nothing about 1 of 1 scored rows"):
        best_possible(known, scored)
    with pytest.raises(LeadlightError, match="1 of 1 converted"):
        best_possible(known, scored.set_column(0, "lead_id", pa.array(["a"])))


DATA_UNTIL = 1_737_349_200_000_000  # 2025-01-20 00:00 in New York


def _seconds(column: pa.ChunkedArray) -> np.ndarray:
    us = np.asarray(column.cast(pa.int64()))
    return (us - periods.opening_us()) // 1_000_000
