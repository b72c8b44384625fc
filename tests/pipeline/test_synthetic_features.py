"""Leadlight's own features, read from the shop's files, lead back to the truth."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from features.moments import DAY, from_us
from features.resolve import ResolveOptions, resolve
from features.timeline import Coverage
from features.training_table import training_table
from pipeline import asking, settings, shipped
from pipeline.synthetic import periods
from pipeline.synthetic.columns import CUSTOMER_TYPES
from pipeline.synthetic.decision import best_probability
from pipeline.synthetic.events import TYPES
from pipeline.synthetic.people import AGE_BANDS, COUNTRIES, MISSING, SIGNUP_SOURCES, Attributes
from pipeline.synthetic.shop import small_shop, truth
from pipeline.synthetic.signals import Signals

FROM, UNTIL = periods.to_us(periods.starts())[[0, -1]]


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    """Return a shop with many shared browsers and kiosks."""
    return small_shop(tmp_path_factory.mktemp("shop"), leads=1_024, seed=17)


@pytest.fixture(scope="module")
def table(shop):
    """Return the training table that the shipped question and catalog make of the files."""
    config = settings.load(shipped.config("synthetic_shop"))
    tables = {
        name: _canonical(pq.read_table(shop.folder / sources[0].path), sources[0].columns)
        for name, sources in config.tables.items()
    }
    coverage = dict.fromkeys([*tables, "attributes"], Coverage(int(FROM), int(UNTIL)))
    timelines = resolve(
        tables, zone=periods.ZONE, loaded_at=from_us(int(UNTIL)), options=ResolveOptions(coverage=coverage)
    )
    available = {name: set(rows.column_names) for name, rows in timelines.tables.items()}
    catalog = asking.catalog(config, available=available, event_types=set(TYPES))
    return training_table(timelines, asking.question(config), catalog)


def test_features_hold_what_the_decision_saw(table, shop):
    """Put into the formula, the features give back the truth of every snapshot."""
    as_of = np.asarray(table.keys["as_of"].cast(pa.int64()))
    covered = np.flatnonzero(as_of - 84 * DAY >= FROM)
    table, as_of = table.take(covered), as_of[covered]
    period = np.searchsorted(periods.to_us(periods.starts()), as_of)
    found = np.full(len(as_of), np.nan)
    for number in np.unique(period):
        rows = np.flatnonzero(period == number)
        part = table.take(rows)
        found[rows] = best_probability(
            _signals(part),
            _attributes(part),
            signup_source=_codes(part, "signup_source", SIGNUP_SOURCES),
            period=int(number),
        )
    np.testing.assert_allclose(found, _truth_of(table, shop), rtol=1e-12)


def test_labels_are_what_the_tally_counted(table, shop):
    """The conversions that Leadlight labels are those that the generator counted."""
    converted = np.asarray(table.labels["converted"])
    assert len(converted) > 10_000
    assert np.mean(converted) == pytest.approx(shop.shares.base_rate, abs=1e-12)


def _signals(table) -> Signals:
    def of(name: str) -> np.ndarray:
        return table.columns[name].to_numpy()

    return Signals(
        sessions=of("sessions_count_28d"),
        price_views=of("price_view_count_28d"),
        cart_adds=of("cart_add_count_7d"),
        email_clicks=of("email_clicked_count_84d"),
        emails_sent=of("email_sent_count_28d"),
        guides=of("guides_84d"),
        orders=of("orders_count_84d"),
        days_since_order=np.nan_to_num(of("days_since_last_order_ever"), nan=np.inf),
        days_since_signup=of("lead_age"),
    )


def _attributes(table) -> Attributes:
    nothing = np.zeros(len(table), dtype=np.int64)
    employees = table.columns["employees"].to_numpy()
    return Attributes(
        company=_codes(table, "customer_type", CUSTOMER_TYPES) == 1,
        country=_codes(table, "country", COUNTRIES),
        age_band=_codes(table, "age_band", AGE_BANDS),
        device=nothing,
        consent=nothing == 0,
        employees=np.where(np.isnan(employees), MISSING, employees),
    )


def _codes(table, name: str, words: tuple[str, ...]) -> np.ndarray:
    places = {word: code for code, word in enumerate(words)} | {None: MISSING}
    return np.array([places[word] for word in table.columns[name].to_pylist()])


def _truth_of(table, shop) -> np.ndarray:
    keys = table.keys.select(["lead_id", "as_of"]).append_column("row", pa.array(np.arange(len(table))))
    found = keys.join(truth(shop.folder), keys=["lead_id", "as_of"]).sort_by("row")
    return found["best_probability"].to_numpy()


def _canonical(rows: pa.Table, columns: dict[str, str]) -> pa.Table:
    names = {theirs: ours for ours, theirs in columns.items()}
    return rows.rename_columns([names.get(name, name) for name in rows.column_names])
