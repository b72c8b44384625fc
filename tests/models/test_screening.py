"""A feature is dropped when it cannot tell leads apart tomorrow, and the report says why."""

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from features.catalog import Feature, Phrase
from features.matrix import FeatureTable
from models.screening import usable

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
