"""A synthetic shop can be learned from: better than guessing, never better than the truth."""

from __future__ import annotations

import duckdb
import lightgbm
import numpy as np
import pyarrow as pa
import pytest

from pipeline.synthetic.judge import best_possible
from pipeline.synthetic.shop import generate, truth

OBVIOUS = """
with versions as (
    select *, lead(recorded_at) over (partition by lead_id order by recorded_at) until
    from read_parquet($leads)
),
visits as (
    select truth.lead_id, as_of, count(*) sessions, max(started_at) last_visit
    from truth join read_parquet($sessions) s on s.lead_id = truth.lead_id
        and s.recorded_at < as_of and s.started_at >= as_of - interval 28 day
    group by truth.lead_id, as_of
),
acts as (
    select truth.lead_id, as_of,
        count(*) filter (where type = 'price_view' and age < 28) price_views,
        count(*) filter (where type = 'cart_add' and age < 7) cart_adds,
        count(*) filter (where type = 'email_clicked') clicks,
        count(*) filter (where type in ('download', 'webinar')) guides
    from truth join (from read_parquet($events)) e on e.lead_id = truth.lead_id
        and e.recorded_at < as_of and e.occurred_at >= as_of - interval 84 day,
        lateral (select date_diff('day', occurred_at, as_of) age)
    group by truth.lead_id, as_of
),
bought as (
    select truth.lead_id, as_of,
        count(*) filter (where ordered_at >= as_of - interval 84 day) orders,
        epoch(as_of) - epoch(max(ordered_at)) since_order
    from truth join read_parquet($orders) o on o.lead_id = truth.lead_id
        and o.recorded_at < as_of and (cancelled_at is null or cancelled_at >= as_of)
    group by truth.lead_id, as_of
),
converted as (
    select distinct truth.lead_id, as_of from truth join read_parquet($orders) o
    on o.lead_id = truth.lead_id and ordered_at >= as_of and ordered_at < as_of + interval 672 hour
        and (cancelled_at is null or cancelled_at >= as_of + interval 840 hour)
)
select truth.lead_id, truth.as_of, converted.lead_id is not null converted,
    coalesce(sessions, 0) sessions, coalesce(price_views, 0) price_views, coalesce(cart_adds, 0) cart_adds,
    coalesce(clicks, 0) clicks, coalesce(guides, 0) guides, coalesce(orders, 0) orders, since_order,
    epoch(truth.as_of) - epoch(created_at) lead_age, month(truth.as_of) as_month,
    hash(signup_source) % 1000 source, hash(country) % 1000 country, hash(age_band) % 1000 age_band,
    customer_type = 'company' company, employees
from truth
join versions on versions.lead_id = truth.lead_id and versions.recorded_at < truth.as_of
    and (until is null or until >= truth.as_of)
left join visits on visits.lead_id = truth.lead_id and visits.as_of = truth.as_of
left join acts on acts.lead_id = truth.lead_id and acts.as_of = truth.as_of
left join bought on bought.lead_id = truth.lead_id and bought.as_of = truth.as_of
left join converted on converted.lead_id = truth.lead_id and converted.as_of = truth.as_of
where truth.as_of < timestamptz '2024-12-15'
order by truth.as_of, truth.lead_id
"""


@pytest.fixture(scope="module")
def judged(tmp_path_factory):
    """Return a quick LightGBM on obvious features, judged forward in time beside the truth."""
    shop = generate(tmp_path_factory.mktemp("shop"), leads=6_400, seed=21)
    known = truth(shop.folder)
    with duckdb.connect() as database:
        database.register("truth", known)
        paths = {name: str(shop.paths[name]) for name in ("leads", "sessions", "events", "orders")}
        table = database.sql(OBVIOUS, params=paths).to_arrow_table()
    names = table.column_names[3:]
    features = np.column_stack([table[name].cast(pa.float64()).to_numpy() for name in names])
    converted = table["converted"].to_numpy()
    moments = table["as_of"].cast(pa.int64()).to_numpy()
    test_from = np.unique(moments)[-6]
    past, future = moments < test_from, moments >= test_from
    settings = {
        "objective": "binary",
        "num_leaves": 15,
        "learning_rate": 0.05,
        "verbose": -1,
        "num_threads": 2,
    }
    model = lightgbm.train(settings, lightgbm.Dataset(features[past], converted[past]), num_boost_round=120)
    rows = table.filter(pa.array(future)).select(["lead_id", "as_of", "converted"])
    return best_possible(known, rows.append_column("probability", pa.array(model.predict(features[future]))))


def test_a_quick_model_lies_between_guessing_and_the_truth(judged):
    """Obvious features give most of the possible, and never more than it."""
    assert judged.rows > 10_000
    assert 0.5 < judged.share_of_possible_log_loss < 1.0
    assert 0.7 < judged.share_of_possible_auc < 1.0


def test_the_best_possible_is_far_from_perfect(judged):
    """Even who knows everything visible is surprised: conversions are chances, not fates."""
    assert 0.75 < judged.auc < 0.90
    assert judged.log_loss < judged.constant_log_loss
