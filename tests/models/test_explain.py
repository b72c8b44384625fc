"""Contributions add up to the model's own margin, are Shapley values, and depend on the lead alone."""

import itertools
import logging
import math
import runpy

import lightgbm as lgb
import numba.core.caching
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models import explain, explain_kernel
from models.explain import contributions, explainer
from models.explain_forest import MAX_TABLE_COLUMNS, UnreadableTreesError, read_forest


def brute_force(booster: lgb.Booster, row: np.ndarray) -> np.ndarray:
    """Return path-dependent Shapley values by summing over all coalitions of columns: slow and obvious."""

    def value(node: dict, known: frozenset[int]) -> float:
        if "leaf_value" in node:
            return node["leaf_value"]
        x, missing = row[node["split_feature"]], node["missing_type"]
        if math.isnan(x) and missing != "NaN":
            x = 0.0
        left = node["default_left"] if math.isnan(x) else x <= node["threshold"]
        sides = [node["left_child"], node["right_child"]]
        if node["split_feature"] in known:
            return value(sides[0] if left else sides[1], known)
        counts = [side.get("leaf_count", side.get("internal_count")) for side in sides]
        return sum(c * value(side, known) for c, side in zip(counts, sides, strict=True)) / sum(counts)

    n, phi = len(row), np.zeros(len(row))
    for tree in booster.dump_model()["tree_info"]:
        for column in range(n):
            others = [other for other in range(n) if other != column]
            for size in range(n):
                weight = math.factorial(size) * math.factorial(n - size - 1) / math.factorial(n)
                for coalition in itertools.combinations(others, size):
                    known = frozenset(coalition)
                    with_it = value(tree["tree_structure"], known | {column})
                    phi[column] += weight * (with_it - value(tree["tree_structure"], known))
    return phi


def shap_of(booster: lgb.Booster, matrix: np.ndarray) -> np.ndarray:
    """Return the kernel's SHAP values, one output per column."""
    forest = read_forest(booster, np.arange(matrix.shape[1]))
    tables = explain._filled_tables(forest, 1)
    return explain._shap_by_paths(matrix, forest, tables, shape=matrix.shape, threads=1)


def random_booster(seed: int, **parameters: object) -> tuple[lgb.Booster, np.ndarray]:
    """Return trees over four columns with ties and missing values, and rows to explain."""
    rng = np.random.default_rng(seed)
    matrix = np.round(rng.normal(size=(400, 4)), 1).astype(np.float32)
    matrix[:, 3] = np.abs(matrix[:, 3])
    matrix[rng.random(matrix.shape) < 0.2] = np.nan
    y = np.nan_to_num(matrix[:, 0] * matrix[:, 1]) + 0.3 * rng.normal(size=400) > 0
    settings = {"objective": "binary", "num_threads": 1, "verbosity": -1, "min_data_in_leaf": 5, **parameters}
    booster = lgb.train(settings, lgb.Dataset(matrix, y.astype(int), params={"verbosity": -1}), 3)
    return booster, matrix[:8]


def test_shap_plus_base_is_the_log_odds(lead_model, some_leads):
    """Base + contributions = the model's margin, far closer than the 1e-4 owed, and nothing fell back."""
    explained = contributions(lead_model, some_leads(2000, 1))
    miss = np.abs(explained.base + explained.values.sum(axis=1) - explained.margins).max()
    assert miss < 1e-11
    assert explained.engine == "woodelf"


def test_a_lead_alone_gets_the_bits_it_gets_in_its_batch(lead_model, some_leads):
    """One lead, a few leads and a large batch give bitwise the same contributions, on one thread or three."""
    table = some_leads(3 * explain_kernel.ROWS_PER_TILE + 17, 2)
    whole = explainer(lead_model, threads=3).explain(table)
    alone = explainer(lead_model, threads=1)
    for row in (0, 4095, 4096, len(table) - 1):
        one = alone.explain(table.take(np.array([row])))
        assert np.array_equal(one.values[0], whole.values[row])
        assert one.margins[0] == whole.margins[row]
    few = alone.explain(table.take(np.arange(100, 200)))
    assert np.array_equal(few.values, whole.values[100:200])


def test_row_order_changes_nothing(lead_model, some_leads):
    """Shuffled leads get the same contributions, shuffled."""
    table = some_leads(1500, 3)
    order = np.random.default_rng(0).permutation(len(table))
    straight, shuffled = contributions(lead_model, table), contributions(lead_model, table.take(order))
    assert np.array_equal(straight.values[order], shuffled.values)


@pytest.mark.parametrize("seed", range(4))
def test_values_are_the_shapley_values_of_the_definition(seed):
    """The kernel agrees with the sum over all coalitions, on ties and missing values."""
    booster, rows = random_booster(seed, num_leaves=8)
    slow = np.array([brute_force(booster, row.astype(float)) for row in rows])
    assert np.abs(shap_of(booster, rows) - slow).max() < 1e-12


# shap tells of a change between its old versions at every call.
@pytest.mark.filterwarnings("ignore:LightGBM binary classifier with TreeExplainer")
@pytest.mark.parametrize(
    "parameters",
    [
        {"num_leaves": 31},
        {"num_leaves": 2},
        {"num_leaves": 63, "max_depth": -1, "min_data_in_leaf": 1, "min_sum_hessian_in_leaf": 0},
        {"use_missing": False},
        {"min_data_in_leaf": 10_000},
        {"linear_lambda": 0.0, "extra_trees": True, "bagging_fraction": 0.5, "bagging_freq": 1},
    ],
)
def test_values_are_those_of_shap_and_of_lightgbm(parameters):
    """shap.TreeExplainer and pred_contrib say the same, also for stumps, single leaves and deep trees."""
    shap = pytest.importorskip("shap")
    booster, _ = random_booster(7, **parameters)
    rng = np.random.default_rng(8)
    rows = np.round(rng.normal(size=(300, 4)), 1).astype(np.float32)
    rows[rng.random(rows.shape) < 0.3] = np.nan
    ours = shap_of(booster, rows)
    assert np.abs(ours - booster.predict(rows, pred_contrib=True)[:, :-1]).max() < 1e-12
    reference = np.asarray(shap.TreeExplainer(booster).shap_values(rows))
    assert np.abs(ours - reference.reshape(ours.shape)).max() < 1e-6


@given(bits=st.integers(0, 2**9 - 1), seed=st.integers(0, 100))
def test_one_path_is_the_sum_over_coalitions(bits, seed):
    """The integral of `explain_kernel` equals Shapley's weights over all coalitions of a path's columns."""
    rng = np.random.default_rng(seed)
    length = int(rng.integers(1, 10))
    ratio, bit = rng.random(length), (bits >> np.arange(length)) & 1
    nodes, weights = explain_kernel.quadrature()
    rule = (length + 1) // 2
    phi = np.zeros(length)
    explain_kernel._add_leaf(bits % 2**length, ratio, ratio[-1], 1.7, nodes[rule], weights[rule], phi, np.empty(length))
    slow = np.zeros(length)
    for column, size in itertools.product(range(length), range(length)):
        weight = math.factorial(size) * math.factorial(length - size - 1) / math.factorial(length)
        for coalition in itertools.combinations(sorted(set(range(length)) - {column}), size):
            inside = np.isin(np.arange(length), coalition)
            rest = np.delete(np.where(inside, bit, ratio), column).prod()
            slow[column] += 1.7 * weight * (bit[column] - ratio[column]) * rest
    assert np.allclose(phi, slow, rtol=0, atol=1e-13)


def staircase(n_columns: int) -> tuple[lgb.Booster, np.ndarray]:
    """Return one tree that asks one column after the other, all the way down, and rows to explain."""
    rng = np.random.default_rng(0)
    matrix = rng.normal(1.5, 1, (6000, n_columns)).astype(np.float32)
    steps = np.where((matrix < 0).any(axis=1), (matrix < 0).argmax(axis=1), n_columns)
    settings = {"objective": "regression", "num_leaves": n_columns + 1, "verbosity": -1, "num_threads": 1}
    settings |= {"min_data_in_leaf": 1, "min_sum_hessian_in_leaf": 0}
    booster = lgb.train(settings, lgb.Dataset(matrix, 2.0**steps, params={"verbosity": -1}), 1)
    return booster, matrix[:50]


def test_long_paths_agree_with_lightgbm():
    """A path of more columns than are tabled is explained as exactly as a short one."""
    booster, rows = staircase(20)
    assert read_forest(booster, np.arange(20)).paths.length.max() > MAX_TABLE_COLUMNS
    reference = booster.predict(rows, pred_contrib=True)[:, :-1]
    assert np.abs(shap_of(booster, rows) - reference).max() < 1e-10 * np.abs(reference).max()


def test_paths_longer_than_a_pattern_are_refused(monkeypatch):
    """A path that does not fit a pattern's bits is not guessed at."""
    booster, _ = staircase(20)
    monkeypatch.setattr("models.explain_forest.MAX_COLUMNS_ON_A_PATH", 15)
    with pytest.raises(UnreadableTreesError, match="more than 15 different columns"):
        read_forest(booster, np.arange(20))


def test_long_paths_are_computed_and_short_ones_looked_up_alike(monkeypatch, lead_model, some_leads):
    """Without room for any table, the same bits come out."""
    table = some_leads(1000, 4)
    tabled = contributions(lead_model, table)
    monkeypatch.setattr("models.explain_forest.MAX_TABLE_VALUES", 0)
    assert np.array_equal(contributions(lead_model, table).values, tabled.values)


def test_a_linear_model_explains_itself(make_model, some_leads):
    """Without trees the contributions are the weighted linear terms, and no tree is read."""
    model = make_model(w_trees=0.0)
    explained = contributions(model, some_leads(50, 5))
    assert np.array_equal(explained.values, 0.4 * model.linear.contributions(some_leads(50, 5)))
    assert explained.base == -0.1 + 0.4 * -1.0


def test_a_row_that_misses_its_margin_is_explained_by_lightgbm(make_model, some_leads, caplog):
    """Where woodelf reads the trees wrongly (zero as missing), LightGBM explains those rows, and says so."""
    model = make_model(zero_as_missing=True)
    table = some_leads(800, 6)
    with caplog.at_level(logging.WARNING, logger="models.explain"):
        explained = contributions(model, table)
    assert 0 < explained.by_lightgbm.sum() < len(table)
    assert explained.engine.startswith("woodelf, pred_contrib for")
    assert "LightGBM explains these" in caplog.text
    assert np.abs(explained.base + explained.values.sum(axis=1) - explained.margins).max() < 1e-11
    row = int(np.flatnonzero(explained.by_lightgbm)[0])
    assert np.array_equal(contributions(model, table.take(np.array([row]))).values[0], explained.values[row])


def test_trees_with_categorical_splits_are_explained_by_lightgbm(make_model, some_leads, caplog):
    """Trees that cannot be unfolded are explained by pred_contrib alone, with the same guarantees."""
    model = make_model(categories=[5], min_data_per_group=1, cat_smooth=0.1)
    with pytest.raises(UnreadableTreesError):
        read_forest(model.loaded_boosters[0], np.arange(8))
    explained = contributions(model, some_leads(300, 7))
    assert explained.engine == "pred_contrib"
    assert np.abs(explained.base + explained.values.sum(axis=1) - explained.margins).max() < 1e-11


def test_what_even_lightgbm_cannot_add_up_is_refused(lead_model, some_leads):
    """A margin that belongs to another model is a bug, never a score."""
    table = some_leads(20, 8)
    with pytest.raises(explain.NotAdditiveError, match="in 1 rows"):
        explainer(lead_model).explain(table, np.append(lead_model.margins(table)[:-1], 99.0))
    with pytest.raises(explain.NotAdditiveError, match="in 20 rows"):
        explainer(lead_model).explain(table, np.full(20, np.nan))


def test_the_base_is_what_no_feature_moves(lead_model):
    """The reference of the score is b + w_linear · mean linear + w_trees · expected value of the trees."""
    booster = lead_model.loaded_boosters[0]
    expected = booster.predict(np.zeros((1, 8)), pred_contrib=True)[0, -1]
    assert explain.base_log_odds(lead_model) == pytest.approx(-0.1 - 0.4 + 0.7 * expected, abs=1e-12)


def test_no_lead_is_no_trouble(lead_model, some_leads):
    """An empty table gives no contributions."""
    table = some_leads(5, 9).take(np.array([], dtype=np.int64))
    assert contributions(lead_model, table).values.shape == (0, 7)


def test_the_kernel_is_there_where_no_machine_code_can_be_kept(monkeypatch):
    """Installed where nothing can be written, the module is imported all the same, and compiles for itself."""
    monkeypatch.setattr(numba.core.caching.CacheImpl, "_locator_classes", [])
    assert "explain_rows" in runpy.run_path(explain_kernel.__file__)
