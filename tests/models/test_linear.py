"""The linear part is a sum of terms, one per feature."""

from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pytest
from sklearn.linear_model import LogisticRegression

from features.matrix import FeatureTable
from models.linear import CategoryTerm, NumberTerm, signed_log1p
from models.linear_fit import fit_linear
from models.model import rows_of, sigmoid
from models.training import moments_of


def test_terms_sum_to_the_margin(make_shop: Callable[..., FeatureTable]) -> None:
    """Base and contributions give the margin to 1e-12."""
    table = make_shop()
    part = fit_linear(table, moments_of(table).converted, strengths=(0.1,))[0]
    assert part.base + part.contributions(table).sum(axis=1) == pytest.approx(part.margins(table), abs=1e-12)


def test_terms_are_centred_on_the_training_rows(make_shop: Callable[..., FeatureTable]) -> None:
    """On the rows it learned from, each feature adds nothing on average, so the base is the mean log-odds."""
    table = make_shop()
    part = fit_linear(table, moments_of(table).converted, strengths=(0.1,))[0]
    assert part.contributions(table).mean(axis=0) == pytest.approx(0.0, abs=1e-9)


def test_the_mean_probability_is_the_conversion_rate(make_shop: Callable[..., FeatureTable]) -> None:
    """The intercept is free, so a fitted logistic regression is calibrated as a whole."""
    table = make_shop()
    converted = moments_of(table).converted
    part = fit_linear(table, converted, strengths=(0.01,))[0]
    assert sigmoid(part.margins(table)).mean() == pytest.approx(converted.mean(), abs=1e-4)


def test_one_number_agrees_with_scikit_learn_on_its_own(make_shop: Callable[..., FeatureTable]) -> None:
    """With one complete number, margins are those of scikit-learn on the standardised signed log."""
    table = make_shop()
    alone = FeatureTable(table.keys, table.columns.select(["orders_count_30d"]), table.features[:1])
    converted = moments_of(table).converted
    x = np.log1p(alone.columns[0].to_numpy())
    z = ((x - x.mean()) / x.std())[:, None]
    oracle = LogisticRegression(C=0.5, tol=1e-10).fit(z, converted).decision_function(z)
    assert fit_linear(alone, converted, strengths=(0.5,))[0].margins(alone) == pytest.approx(oracle, abs=1e-4)


def test_a_path_ends_where_a_single_fit_does(make_shop: Callable[..., FeatureTable]) -> None:
    """Starting from a weaker fit saves steps and changes no answer."""
    table = make_shop()
    converted = moments_of(table).converted
    by_path = fit_linear(table, converted, strengths=(0.001, 0.01, 0.1))[-1]
    alone = fit_linear(table, converted, strengths=(0.1,))[0]
    assert by_path.margins(table) == pytest.approx(alone.margins(table), abs=1e-3)


def test_a_lead_alone_gets_the_bits_it_gets_in_a_batch(make_shop: Callable[..., FeatureTable]) -> None:
    """No matrix product, whose sums depend on the size of the batch, takes part."""
    table = make_shop(100)
    part = fit_linear(table, moments_of(table).converted, strengths=(0.1,))[0]
    alone = [part.margins(rows_of(table, row, 1))[0] for row in range(0, len(table), 7)]
    assert part.margins(table)[::7].tolist() == alone


def test_a_value_beyond_training_counts_as_the_edge() -> None:
    """Slope 2 on values up to log(1 + 9): ninety-nine orders add what nine do, and missing adds its own term."""
    term = NumberTerm("n", slope=2.0, offset=-1.0, low=0.0, high=float(np.log(10)), missing=0.25)
    column = pa.chunked_array([[0.0, 9.0, 99.0, None, float("nan")]])
    assert term.of(column).tolist() == pytest.approx([-1.0, 2 * np.log(10) - 1, 2 * np.log(10) - 1, 0.25, 0.25])


def test_a_category_is_looked_up() -> None:
    """Known levels, any other level and a missing value each have a term."""
    term = CategoryTerm("c", ("a", "b"), (1.0, 2.0), other=3.0, missing=4.0)
    column = pa.chunked_array([pa.array(["b", "a", "z", None]).dictionary_encode()])
    assert term.of(column).tolist() == [2.0, 1.0, 3.0, 4.0]


def test_the_signed_log_keeps_zero_and_sign() -> None:
    """slog(-x) = -slog(x), slog(0) = 0."""
    assert signed_log1p(np.array([-1.0, 0.0, 1.0])).tolist() == [-np.log(2), 0.0, np.log(2)]
