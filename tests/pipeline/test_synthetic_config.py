"""The shipped configuration of the synthetic shop asks the question that its truth answers."""

from __future__ import annotations

from datetime import datetime

import pyarrow.parquet as pq
import pytest
import yaml

from features.moments import to_us
from features.plan import KEY_COLUMNS
from features.tables import TABLES
from pipeline import asking, settings, shipped
from pipeline.synthetic import periods
from pipeline.synthetic.events import TYPES
from pipeline.synthetic.shop import small_shop
from pipeline.synthetic.signals import (
    CART_ADDS_DAYS,
    EMAIL_CLICKS_DAYS,
    EMAILS_SENT_DAYS,
    GUIDES_DAYS,
    ORDERS_DAYS,
    PRICE_VIEWS_DAYS,
    SESSIONS_DAYS,
)
from pipeline.synthetic.visitors import MAX_LEADS_PER_VISITOR


@pytest.fixture(scope="module")
def config() -> dict:
    """Return the shipped configuration as plain data."""
    return yaml.safe_load(shipped.config("synthetic_shop").read_text())


def test_the_question_is_that_of_the_truth(config):
    """Zone, grid, horizon, settling time and sharing limit are those the shop was drawn with."""
    question = config["question"]
    assert config["shop"]["time_zone"] == periods.ZONE
    assert question["snapshots"] == {"every": f"{periods.PERIOD_DAYS}d"}
    assert question["horizon_days"] == periods.PERIOD_DAYS
    assert question["settle_days"] == periods.SETTLE_DAYS
    assert config["ingest"]["max_leads_per_visitor"] == MAX_LEADS_PER_VISITOR


def test_every_column_of_the_shop_is_mapped(config, tmp_path):
    """The files hold each mapped column and no other."""
    shop = small_shop(tmp_path, leads=64)
    for name, table in config["tables"].items():
        attributes = table.get("attributes", {})
        mapped = {*table["columns"].values()}
        mapped |= {(about or {}).get("column", column) for column, about in attributes.items()}
        assert mapped == set(pq.read_schema(shop.folder / table["path"]).names), name


def test_every_table_covers_the_time_of_the_export(config):
    """Each table says from when until when its rows were collected: opening to export."""
    for table in config["tables"].values():
        assert _us(table["data_from"]) == periods.opening_us()
        assert _us(table["data_until"]) == periods.to_us(periods.starts())[-1]


def test_every_signal_of_the_decision_has_its_feature():
    """What the truth looks at is within reach of a model: one feature each, in the same window."""
    shop = settings.load(shipped.config("synthetic_shop"))
    available = {
        name: {column.stored_name for column in TABLES[name].columns if column.name in sources[0].columns}
        | {*KEY_COLUMNS, "is_cancelled"}
        for name, sources in shop.tables.items()
    }
    available["attributes"] = {*shop.tables["leads"][0].attributes, *KEY_COLUMNS}
    names = {feature.name for feature in asking.catalog(shop, available=available, event_types=set(TYPES))}
    assert names >= {
        f"sessions_count_{SESSIONS_DAYS}d",
        f"price_view_count_{PRICE_VIEWS_DAYS}d",
        f"cart_add_count_{CART_ADDS_DAYS}d",
        f"email_clicked_count_{EMAIL_CLICKS_DAYS}d",
        f"email_sent_count_{EMAILS_SENT_DAYS}d",
        f"guides_{GUIDES_DAYS}d",
        f"orders_count_{ORDERS_DAYS}d",
        "days_since_last_order_ever",
        "lead_age",
        *("customer_type", "country", "age_band", "signup_source", "employees"),
    }


def _us(moment: datetime | str) -> int:
    return to_us(datetime.fromisoformat(moment) if isinstance(moment, str) else moment)
