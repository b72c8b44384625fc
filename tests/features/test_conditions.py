"""Conditions: what they ask, how they are written, and what cannot be asked."""

import numpy as np
import pyarrow as pa
import pytest
import worlds
from hypothesis import given
from hypothesis import strategies as st

from features.conditions import columns_of, crossed, mask, parse, spell
from features.errors import LeadlightError

TABLE = pa.table(
    {
        "type": ["price_page", "cart", None, "Price"],
        "amount": pa.array([500_000, None, 499_999, 0], pa.int64()),
        "weight": pa.array([1.5, float("nan"), None, -2.0]),
        "is_cancelled": pa.array([True, False, None, False]),
        "at": pa.array([0, 1, None, 3], pa.timestamp("us", tz="UTC")),
        "nothing": pa.nulls(4),
    }
)
operands = st.one_of(st.text(max_size=3), st.integers(-5, 5), st.booleans(), st.floats(-2, 2))
tests = st.one_of(
    operands,
    st.lists(operands, max_size=3),
    st.fixed_dictionaries(
        {},
        optional={
            "min": st.integers(), "max": st.floats(-1, 1), "above": st.integers(), "below": st.integers(),
            "not": st.lists(operands, min_size=1, max_size=2), "contains": st.text(), "missing": st.booleans(),
        },
    ),
)  # fmt: skip


@given(where=st.dictionaries(st.sampled_from(["type", "amount", "weight"]), tests))
def test_what_is_spelled_reads_back_equal(where):
    """Conditions written as plain data and read again are the same conditions."""
    conditions = parse(where)
    assert parse(spell(conditions)) == conditions
    assert columns_of(conditions) == {column for column, test in where.items() if test != {}}


@pytest.mark.parametrize("layout", worlds.LAYOUTS)
@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ({}, [1, 1, 1, 1]),
        ({"type": "cart"}, [0, 1, 0, 0]),
        ({"type": ["cart", "price_page"]}, [1, 1, 0, 0]),
        ({"type": {"not": "cart"}}, [1, 0, 1, 1]),
        ({"type": {"contains": "PRICE"}}, [1, 0, 0, 1]),
        ({"type": {"contains": ["page", "car"]}}, [1, 1, 0, 0]),
        ({"type": {"missing": True}}, [0, 0, 1, 0]),
        ({"amount": {"min": 50}}, [1, 0, 0, 0]),
        ({"amount": {"above": 0, "below": 50}}, [0, 0, 1, 0]),
        ({"amount": {"max": 49.9999}}, [0, 0, 1, 1]),
        ({"amount": 50}, [1, 0, 0, 0]),
        ({"amount": {"not": [0]}}, [1, 1, 1, 0]),
        ({"weight": {"missing": True}}, [0, 1, 1, 0]),
        ({"weight": {"missing": False}}, [1, 0, 0, 1]),
        ({"weight": {"below": 2}}, [1, 0, 0, 1]),
        ({"is_cancelled": False}, [0, 1, 0, 1]),
        ({"is_cancelled": {"not": True}}, [0, 1, 1, 1]),
        ({"at": {"missing": False}}, [1, 1, 0, 1]),
        ({"nothing": "x"}, [0, 0, 0, 0]),
        ({"nothing": {"not": "x"}}, [1, 1, 1, 1]),
        ({"nothing": {"min": 1}}, [0, 0, 0, 0]),
        ({"nothing": {"missing": True}}, [1, 1, 1, 1]),
        ({"type": {"contains": "price"}, "amount": {"min": 1}}, [1, 0, 0, 0]),
    ],
)
def test_a_condition_meets_the_rows_it_says(where, expected, layout):
    """All conditions must hold; a missing value meets only ``missing: true`` and ``not``."""
    table = worlds.arranged(TABLE.append_column("row_id", pa.array("abcd")), layout)
    assert mask(parse(where), table, scales={"amount": 10_000}).tolist() == [bool(value) for value in expected]


def test_whole_numbers_beyond_those_of_a_float_are_compared():
    """An amount of a trillion, 10^16 stored units and one more, is compared like any other."""
    table = pa.table({"amount": pa.array([10**16 + 1, 10**12], pa.int64())})
    for where, expected in (({"min": 10**11}, [True, False]), ({"not": [10**8]}, [True, False])):
        assert mask(parse({"amount": where}), table, scales={"amount": 10_000}).tolist() == expected


@pytest.mark.parametrize(
    ("where", "words"),
    [
        ({"amount": {"minimum": 1}}, "unknown test 'minimum' .did you mean 'min'"),
        ({"amount": {"min": "much"}}, "min wants one number, got 'much'"),
        ({"amount": {"min": [1, 2]}}, "min wants one number"),
        ({"amount": {"max": True}}, "max wants one number"),
        ({"type": {"missing": "no"}}, "missing wants true or false"),
        ({"type": {"contains": 5}}, "contains wants text"),
        ({"type": None}, "in wants plain values, got None"),
        ({"amount": {"min": "a"}, "type": {"contain": "b"}}, r"(?s)amount.*type"),
    ],
)
def test_a_condition_that_cannot_be_read_is_refused(where, words):
    """What is wrong, where, and everything at once."""
    with pytest.raises(LeadlightError, match=words):
        parse(where)


@pytest.mark.parametrize(
    ("where", "words"),
    [
        ({"type": {"min": 1}}, "asks for numbers, but the column holds text"),
        ({"amount": {"contains": "1"}}, "asks for text, but the column holds numbers"),
        ({"amount": "fifty"}, "'fifty' cannot be among numbers"),
        ({"is_cancelled": "no"}, "'no' cannot be among truth values"),
        ({"type": True}, "True cannot be among text"),
        ({"at": "2024-03-01"}, "cannot be among times"),
        ({"at": {"above": 1}}, "holds times"),
    ],
)
def test_a_condition_that_does_not_fit_its_column_is_refused(where, words):
    """A column is asked only what its kind of value can answer."""
    with pytest.raises(LeadlightError, match=words):
        mask(parse(where), TABLE)


@given(st.integers(-2, 2), st.sampled_from(["min", "above"]), st.integers(-2, 2), st.sampled_from(["max", "below"]))
def test_bounds_that_leave_nothing_are_those_that_no_value_keeps(least, lower, most, upper):
    """Tried with every half between and around the bounds; they are read, whether or not anything keeps them."""
    bounds = parse({"x": {lower: least, upper: most}})
    values = pa.table({"x": np.arange(-3, 3.5, 0.5)})
    assert bool(crossed(bounds)) == (not mask(bounds, values).any())
