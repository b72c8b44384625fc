"""Categories become numbers by what training rows say, and by nothing else."""

from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pytest

from features.catalog import Feature, Phrase
from features.matrix import FeatureTable
from models.cross_fit import TrainingRows
from models.encoding import fit_encoder, level_codes, ranked_values
from models.training import moments_of


def category(levels: list[str | None]) -> FeatureTable:
    """Return a table of one category."""
    column = pa.array(levels, pa.string()).dictionary_encode()
    feature = Feature("city", "fit", "category", "category", "city", Phrase("{n}"), "")
    return FeatureTable(pa.table({"lead_id": [""] * len(levels)}), pa.table({"city": column}), (feature,))


def test_levels_are_ranked_by_how_well_they_convert() -> None:
    """Five cities of ten rows converting 0, 1, 2, 3 and 4 times get the ranks 0 to 4."""
    table = category([city for city in "edcba" for _ in range(10)])
    converted = np.concatenate([np.arange(10) < times for times in (4, 0, 3, 1, 2)])
    encoder = fit_encoder(table, converted)
    assert encoder.columns[0].levels == ("d", "b", "a", "c", "e")
    assert encoder.tree_matrix(table)[::10, 0].tolist() == [4, 0, 3, 1, 2]


def test_an_unseen_level_stands_at_the_base_rate_and_a_missing_one_is_nan() -> None:
    """Between the levels that convert worse than average and those that convert better there is a half rank."""
    table = category([city for city in "edcba" for _ in range(10)])
    converted = np.concatenate([np.arange(10) < times for times in (9, 9, 9, 0, 0)])
    encoder = fit_encoder(table, converted)
    assert encoder.tree_matrix(category(["z"]))[0, 0] == 1.5
    assert np.isnan(encoder.tree_matrix(category([None]))[0, 0])


def test_a_rare_level_is_drawn_to_the_base_rate() -> None:
    """One conversion in one row ranks below ninety in a hundred: twenty pseudo-rows outweigh it."""
    codes = np.repeat([0, 1, 2], [1, 100, 100]).astype(np.int32)
    converted = np.concatenate([[True], np.arange(100) < 90, np.arange(100) < 5])
    assert ranked_values(codes, converted, levels=3)[:3].tolist() == [1.0, 2.0, 0.0]


def test_few_levels_get_a_column_each() -> None:
    """Up to four levels become 0/1 columns; unseen and missing are zero in all of them."""
    encoder = fit_encoder(category(["a", "b", "b", None] * 5), np.array([True, False] * 10))
    assert encoder.tree_matrix(category(["a", "b", "z", None])).tolist() == [[1, 0], [0, 1], [0, 0], [0, 0]]


def test_the_order_of_the_dictionary_changes_nothing() -> None:
    """Two batches may number their levels differently; the codes go by name."""
    one = pa.chunked_array([pa.array(["a", "b", None, "z"]).dictionary_encode()])
    other = pa.chunked_array([pa.array(["z"]).dictionary_encode(), pa.array(["b", "a", None]).dictionary_encode()])
    assert level_codes(one, ("a", "b")).tolist() == [0, 1, 3, 2]
    assert level_codes(other, ("a", "b")).tolist() == [2, 1, 0, 3]


def test_a_column_without_any_value_is_missing_everywhere() -> None:
    """A batch in which nobody has the attribute is encoded like any other."""
    assert level_codes(category([None, None]).columns["city"], ("a",)).tolist() == [2, 2]


@pytest.mark.parametrize("flip", [True, False])
def test_no_label_of_a_judged_row_reaches_its_own_encoding(make_shop: Callable[..., FeatureTable], flip: bool) -> None:
    """Turning every judged label around changes no tree column of the fold; turning the fitted ones does."""
    table = make_shop(200)
    moments = moments_of(table)
    rows = TrainingRows.of(table, moments)
    fit, judge = np.flatnonzero(moments.lead % 2 == 0), np.flatnonzero(moments.lead % 2 == 1)
    before = rows.tree_rows(judge, learned_on=fit)
    rows.moments.converted[judge if flip else fit] ^= True
    assert np.array_equal(rows.tree_rows(judge, learned_on=fit), before, equal_nan=True) == flip
