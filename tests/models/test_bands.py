"""From values to the few levels that people compare."""

from itertools import pairwise

import numpy as np
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from models.bands import BANDS, MOST_LEVELS, OTHERS, UNKNOWN, levels


def texts(values):
    """Return *values* as a column of the training table."""
    return pa.chunked_array([pa.array(values, pa.string()).dictionary_encode()])


def named(values):
    """Return the level's name of each row."""
    found = levels(values)
    return [found.names[place] for place in found.of_row]


def test_texts_are_levels_by_frequency_and_the_missing_come_last():
    """The most frequent text stands first; who gave none is a level of its own."""
    values = texts(["web", None, "mail", "web", "shop", "mail", "web"])
    assert levels(values).names == ("web", "mail", "shop", UNKNOWN)
    assert named(values) == ["web", UNKNOWN, "mail", "web", "shop", "mail", "web"]


def test_texts_with_numbers_stand_in_the_order_of_these():
    """Age bands and incomes read upwards, whichever is most frequent."""
    ages = ["65+", "19-24", "25-34", "65+", "Under 19", "100+"]
    assert levels(texts(ages)).names == ("Under 19", "19-24", "25-34", "65+", "100+")


def test_rare_texts_are_one_level():
    """Nobody compares eighty levels."""
    values = [f"place {place}" for place in range(20) for _ in range(20 - place)]
    found = levels(texts(values))
    assert found.names == (*(f"place {place}" for place in range(MOST_LEVELS)), OTHERS)
    assert sum(name == OTHERS for name in named(texts(values))) == sum(range(1, 20 - MOST_LEVELS + 1))


def test_few_numbers_are_themselves_and_many_are_quarters():
    """Equal numbers are never parted, and the bands tell where they begin and end."""
    assert levels(pa.chunked_array([[2.0, 1.0, 2.0, float("nan")]])).names == ("1", "2", UNKNOWN)
    values = pa.chunked_array([np.arange(1, 101, dtype=float)])
    assert levels(values).names == ("1 to 25", "26 to 50", "51 to 75", "76 to 100")
    heaped = pa.chunked_array([np.append(np.zeros(90), np.arange(10.0))])
    assert levels(heaped).names == ("0", "1 to 9")


def test_no_values_at_all_are_one_unknown_level():
    """A column that nobody filled is no error."""
    assert levels(texts([None, None])).names == (UNKNOWN,)
    assert levels(pa.chunked_array([[float("nan")] * 3])).names == (UNKNOWN,)


@settings(max_examples=20)
@given(st.lists(st.one_of(st.none(), st.text(max_size=3)), min_size=1, max_size=60), st.randoms())
def test_the_order_of_rows_changes_nobodys_level(values, random):
    """Shuffled rows keep their levels, and each row has one."""
    order = list(range(len(values)))
    random.shuffle(order)
    shuffled = named(texts([values[place] for place in order]))
    assert shuffled == [named(texts(values))[place] for place in order]


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=80))
def test_a_number_lies_within_its_band(values):
    """Bands do not overlap, and hold every number once."""
    found = levels(pa.chunked_array([values]))
    assert len(found.names) <= max(BANDS, 6)
    ends = [
        (min(v for v, p in zip(values, found.of_row, strict=True) if p == place),
         max(v for v, p in zip(values, found.of_row, strict=True) if p == place))
        for place in range(len(found.names))
    ]  # fmt: skip
    assert all(before[1] < after[0] for before, after in pairwise(ends))
