"""A row's fingerprint says whether the model read the same values, and nothing else."""

import numpy as np
import pyarrow as pa

from features.matrix import FeatureTable
from models.row_hash import row_hashes


def table_of(x: list[float], level: list[str | None]) -> FeatureTable:
    """Return rows of one number and one category."""
    columns = pa.table({"x": np.array(x, dtype=float), "level": pa.array(level, pa.string()).dictionary_encode()})
    return FeatureTable(pa.table({"lead_id": [str(place) for place in range(len(x))]}), columns, ())


def test_equal_rows_have_equal_hashes_and_others_do_not():
    """Equal values hash equally, with -0 as 0; another number, level or missing value does not."""
    table = table_of([1.0, 1.0, 0.0, -0.0, np.nan, 1.0], ["a", "a", "b", "b", "a", None])
    hashes = row_hashes(table, ("x", "level")).to_pylist()
    assert hashes[0] == hashes[1]
    assert hashes[2] == hashes[3]
    assert len(set(hashes)) == 4
    assert all(len(text) == 16 and set(text) <= set("0123456789abcdef") for text in hashes)


def test_other_rows_and_the_order_of_features_change_nothing():
    """A row hashes alike alone and in a batch whose dictionaries differ, and in any order of columns."""
    whole = row_hashes(table_of([1.0, 2.0], ["a", "b"]), ("x", "level")).to_pylist()
    assert row_hashes(table_of([2.0], ["b"]), ("level", "x")).to_pylist() == whole[1:]


def test_a_value_that_moves_to_another_column_is_another_row():
    """Where x = 1 and y = 2, the hash is not that of x = 2 and y = 1."""
    columns = pa.table({"x": [1.0, 2.0], "y": [2.0, 1.0]})
    hashes = row_hashes(FeatureTable(pa.table({"lead_id": ["a", "b"]}), columns, ()), ("x", "y"))
    assert hashes[0] != hashes[1]


def test_no_row_has_no_hash():
    """An empty table gives an empty column."""
    assert len(row_hashes(table_of([], []), ("x", "level"))) == 0
