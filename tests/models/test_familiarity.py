"""What is unlike training: hardly any lead of the same kind, and every lead that is far outside."""

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from features.catalog import Feature, Measure, Phrase
from features.matrix import FeatureTable
from models.familiarity import ALARMS, days_silent, fit_familiarity, is_blank
from models.training import ripe_rows


def feature(name: str, kind: str = "number", *, family: str = "fit", measure: Measure | None = None) -> Feature:
    """Return a feature with as little said of it as can be."""
    return Feature(name, family, kind, kind, name, Phrase(f"{name} {{n}}"), "", measure=measure)


def numbers_table(n: int, seed: int, *, columns: int = 40) -> FeatureTable:
    """Return a labelled table of skewed numbers and a few words."""
    rng = np.random.default_rng(seed)
    features = [feature(f"n{place}") for place in range(columns)]
    values = {f"n{place}": np.round(rng.lognormal(2, 1 + place / columns, n), 2) for place in range(columns)}
    values["gaps"] = np.where(rng.random(n) < 0.2, np.nan, rng.normal(size=n))
    values["country"] = pa.array(np.array(["PL", "PT", "RO"])[rng.integers(0, 3, n)]).dictionary_encode()
    values["landing"] = pa.array([f"page {one}" for one in rng.integers(0, n, n)]).dictionary_encode()
    features += [feature("gaps"), feature("country", "category"), feature("landing", "category")]
    time = pa.timestamp("us", tz="UTC")
    keys = {"lead_id": [f"{seed}-{one}" for one in range(n)], "as_of": pa.array(np.zeros(n, dtype=np.int64)).cast(time)}
    labels = {"converted": rng.random(n) < 0.2, "decided_at": pa.array(np.ones(n, dtype=np.int64)).cast(time)}
    return FeatureTable(
        pa.table({**keys, "trigger_id": pa.nulls(n, pa.string())}),
        pa.table(values),
        tuple(features),
        pa.table({**labels, "is_ripe": np.ones(n, dtype=bool)}),
    )


@pytest.fixture(scope="module")
def known():
    """Return what 2,000 leads teach."""
    table, moments, _ = ripe_rows(numbers_table(2000, 0))
    return fit_familiarity(table, moments)


def with_value(table: FeatureTable, name: str, value) -> FeatureTable:
    """Return *table* with one value in all rows of a column."""
    kind = table.columns[name].type
    column = pa.array([value] * len(table), pa.string() if pa.types.is_dictionary(kind) else pa.float64())
    column = column.dictionary_encode() if pa.types.is_dictionary(kind) else column.fill_null(np.nan)
    return replace(table, columns=table.columns.set_column(table.columns.column_names.index(name), name, column))


def test_no_row_of_training_is_unlike_training(known):
    """Every value lies in the range that it was part of."""
    assert not known.is_unlike(numbers_table(2000, 0)).any()


@pytest.mark.parametrize("size", [200, 2000])
def test_of_new_leads_of_the_same_kind_hardly_any_is_unlike(size):
    """At most about one in a hundred, with forty skewed numbers and few or many leads."""
    shares = []
    for seed in range(4):
        table, moments, _ = ripe_rows(numbers_table(size, seed))
        shares.append(fit_familiarity(table, moments).is_unlike(numbers_table(4000, 100 + seed)).mean())
    assert np.mean(shares) <= ALARMS


@pytest.mark.parametrize(
    ("name", "value"), [("n3", 1e7), ("n3", -500.0), ("gaps", 99.0), ("country", "XX"), ("n7", None), ("country", None)]
)
def test_a_value_far_outside_always_is(known, name, value):
    """Too large, too small, a level never seen, a gap where there was none."""
    assert known.is_unlike(with_value(numbers_table(50, 1), name, value)).all()


@pytest.mark.parametrize(("name", "value"), [("landing", "a new page"), ("gaps", None)])
def test_what_comes_up_all_the_time_is_no_news(known, name, value):
    """New landing pages and common gaps make nobody strange."""
    assert not known.is_unlike(with_value(numbers_table(50, 0), name, value)).any()


def test_a_day_of_the_year_is_nobodys_fault():
    """Calendar features are the same for all leads of a day: they tell of the day."""
    table, moments, _ = ripe_rows(numbers_table(300, 0))
    season = replace(table, features=tuple(replace(one, family="calendar") for one in table.features))
    assert fit_familiarity(season, moments).seen == ()


def test_other_leads_and_their_order_change_nothing(known):
    """A row strays as far alone as in its batch."""
    table = with_value(numbers_table(60, 2), "n3", 90.0)
    together = known.strays(table)
    for row in (0, 31, 59):
        np.testing.assert_array_equal(known.strays(table.take(np.array([row])))[0], together[row])
    order = np.random.default_rng(0).permutation(60)
    np.testing.assert_array_equal(known.strays(table.take(order)), together[order])


def test_the_order_of_training_rows_changes_nothing(known):
    """Shuffled leads teach the same, bit by bit."""
    table = numbers_table(2000, 0)
    shuffled, moments, _ = ripe_rows(table.take(np.random.default_rng(3).permutation(2000)))
    assert fit_familiarity(shuffled, moments) == known


def test_blank_are_leads_without_rows_and_attributes():
    """Zero counts and gaps say nothing; an age, a day or a zero of an attribute do, or are known of everyone."""
    features = (
        feature("orders", measure=Measure("count", "orders")),
        feature("value", measure=Measure("mean", "orders", (), "amount")),
        feature("children", measure=Measure("last", "attributes", (), "children")),
        feature("age", measure=Measure("lead_age")),
        feature("plan", "category", measure=Measure("last", "attributes", (), "plan")),
    )
    plan = pa.array([None, "pro", None, None], pa.string()).dictionary_encode()
    nan = np.nan
    values = {"orders": [0.0, 0, 2, 0], "value": [nan, nan, 3, nan], "children": [nan, nan, nan, 0.0]}
    table = FeatureTable(
        pa.table({"lead_id": list("abcd")}), pa.table({**values, "age": [9.0, 9, 9, 9], "plan": plan}), features
    )
    assert is_blank(table).tolist() == [True, False, False, False]
    only_age = replace(table, features=features[3:4])
    assert not is_blank(only_age).any()


def test_the_last_sign_of_life_is_the_latest_of_all_kinds():
    """The least of all days since; missing where there never was any."""
    features = tuple(feature(name, measure=Measure("days_since_last", name)) for name in ("orders", "visits"))
    values = {"orders": [5.0, np.nan, np.nan], "visits": [9.0, 4.0, np.nan]}
    table = FeatureTable(pa.table({"lead_id": list("abc")}), pa.table(values), features)
    np.testing.assert_array_equal(days_silent(table), [5, 4, np.nan])
