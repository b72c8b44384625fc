"""A feature is dropped when it cannot tell leads apart tomorrow, and the report says why."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from features.catalog import Feature, Phrase
from features.matrix import FeatureTable
from models.screening import FEW_AS_OFS, share_between, usable

AS_OF = np.array([0, 0, 1, 1])


def table(values: list[object], family: str = "purchase") -> FeatureTable:
    """Return a table of one feature over two as_ofs."""
    text = any(isinstance(value, str) for value in values)
    column = pa.array(values, pa.string()).dictionary_encode() if text else pa.array(values, pa.float64())
    feature = Feature("f", family, "category" if text else "number", "count", "f", Phrase("{n}"), "")
    return FeatureTable(pa.table({"lead_id": ["a"] * 4}), pa.table({"f": column}), (feature,))


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ([1.0, 1.0, 1.0, 1.0], "the same value"),
        ([None, None, None, None], "no value"),
        ([float("nan")] * 4, "no value"),
        (["a", "a", "a", "a"], "the same value"),
    ],
)
def test_columns_that_say_nothing_are_dropped(values: list[object], reason: str) -> None:
    """Constant and empty columns are dropped with their reason."""
    kept, dropped = usable(table(values), AS_OF)
    assert kept == ()
    assert reason in dropped[0].reason


@pytest.mark.parametrize("values", [[1.0, 2.0, 1.0, 1.0], [None, 1.0, 1.0, 1.0], ["a", "b", "a", "a"], ["a", None] * 2])
def test_columns_that_differ_are_kept(values: list[object]) -> None:
    """Two values, or one value and its absence, can tell leads apart."""
    one = table(values)
    assert usable(one, AS_OF) == (one.features, ())


def test_an_empty_category_is_dropped() -> None:
    """A category in which nobody has a value is dropped like an empty number."""
    empty = replace(table(["a"] * 4), columns=pa.table({"f": pa.nulls(4, pa.string()).dictionary_encode()}))
    assert "no value" in usable(empty, AS_OF)[1][0].reason


def test_a_calendar_level_needs_two_as_ofs() -> None:
    """December at one as_of alone is that as_of's name: dropped as a calendar feature, kept as anything else."""
    values = [11.0, 11.0, 11.0, 12.0]
    kept, dropped = usable(table(values, "calendar"), AS_OF)
    assert kept == ()
    assert dropped[0].reason == "seen at fewer than 2 moments of training: 12"
    assert usable(table(values), AS_OF)[0]
    assert usable(table([11.0, 12.0, 12.0, 11.0], "calendar"), AS_OF)[0]


def test_an_identifier_is_dropped() -> None:
    """A category whose every level is rare would only be learned by heart."""
    column = pa.array([f"id-{number}" for number in range(40)]).dictionary_encode()
    feature = Feature("f", "fit", "category", "category", "f", Phrase("{n}"), "")
    ids = FeatureTable(pa.table({"lead_id": ["a"] * 40}), pa.table({"f": column}), (feature,))
    assert "5 or more" in usable(ids, np.arange(40))[1][0].reason


def grown(*, as_ofs: int, leads: int = 40, spread: float = 1.0) -> tuple[FeatureTable, np.ndarray]:
    """Return a number that grows by one from as_of to as_of, and how far leads lie apart in it."""
    as_of = np.repeat(np.arange(as_ofs), leads)
    values = as_of + spread * np.tile(np.linspace(0, 1, leads), as_ofs)
    feature = Feature("lead_age", "fit", "number", "days", "lead_age", Phrase("{n}"), "")
    return FeatureTable(pa.table({"lead_id": ["a"] * len(as_of)}), pa.table({"lead_age": values}), (feature,)), as_of


def test_a_number_that_names_the_as_of_is_dropped() -> None:
    """Where few as_ofs differ more than the leads within them, the number is dropped with its share."""
    table, as_of = grown(as_ofs=5)
    kept, dropped = usable(table, as_of)
    assert kept == ()
    assert dropped[0].reason.startswith("it tells the moments of training apart, not the leads: 9")


def test_a_number_that_tells_leads_apart_is_kept() -> None:
    """The same growth between leads who lie further apart than as_ofs do is kept."""
    assert usable(*grown(as_ofs=5, spread=20.0))[0]


@pytest.mark.parametrize("as_ofs", [1, FEW_AS_OFS + 1])
def test_one_as_of_or_many_drop_no_number(as_ofs: int) -> None:
    """At a single as_of nothing grows, and what was seen at many may be learned from."""
    assert usable(*grown(as_ofs=as_ofs))[0]


def test_share_between_is_that_of_the_ranks_variance() -> None:
    """The share is the variance of the groups' mean ranks over that of the ranks; ties and gaps included."""
    rng = np.random.default_rng(3)
    moment = rng.integers(0, 4, 300)
    values = np.round(rng.normal(moment, 1.5), 1)
    values[rng.random(300) < 0.2] = np.nan
    ranks = pd.DataFrame({"rank": pd.Series(values).rank(), "moment": moment}).dropna()
    means = ranks.groupby("moment")["rank"].transform("mean")
    assert share_between(values, moment) == pytest.approx(means.var() / ranks["rank"].var(), rel=1e-9)
