"""Directions of the catalog hold in the whole model where found settings ask for them, and change nothing elsewhere."""

from collections.abc import Callable
from dataclasses import astuple, replace

import numpy as np
import pyarrow as pa
import pytest

from features.matrix import FeatureTable
from models.linear_bounded import fit_bounded, keeps_to
from models.linear_fit import fit_linear
from models.model import LeadModel, sigmoid
from models.monotone import directions_of_columns, directions_of_features
from models.recipe import Recipe, RecipeReport, fit_recipe
from models.training import ripe_rows
from models.trees import settings_for
from models.tuned import Tuned

SMALL = Recipe(max_trees=40, blocks=2, bags=2, threads=1)


def bound(table: FeatureTable, **directions: int) -> FeatureTable:
    """Return *table* with the directions that a shop claims to know."""
    features = tuple(replace(one, monotone=directions.get(one.name, 0)) for one in table.features)
    return replace(table, features=features)


def fitted(table: FeatureTable, recipe: Recipe = SMALL, **more: object) -> tuple[LeadModel, RecipeReport]:
    """Return the model of *table*."""
    table, moments, _ = ripe_rows(table)
    return fit_recipe(table, moments, recipe, notify=lambda _: None, **more)


def tuned(report: RecipeReport, *, monotone: bool) -> Recipe:
    """Return a recipe with the very settings that the default came to, obeying the catalog or not."""
    found = Tuned.of(report.plan.settings, strength=report.plan.strength)
    return replace(SMALL, tuned=replace(found, monotone=monotone))


@pytest.fixture(scope="module")
def shop(make_shop: Callable[..., FeatureTable]) -> FeatureTable:
    """Return a shop that claims what is false: more orders speak against a lead, and long silence for it."""
    return bound(make_shop(250), orders_count_30d=-1, days_since_last_order=1, plan=1)


@pytest.fixture(scope="module")
def by_default(shop: FeatureTable) -> tuple[LeadModel, RecipeReport]:
    """Return the model that knows no directions."""
    return fitted(shop)


def steps(model: LeadModel, shop: FeatureTable, feature: str) -> np.ndarray:
    """Return how the log-odds of fifty leads move as *feature* rises step by step, all else equal."""
    leads = shop.take(np.arange(50))
    place = shop.columns.column_names.index(feature)
    margins = [
        model.margins(replace(leads, columns=leads.columns.set_column(place, feature, pa.array(np.full(50, value)))))
        for value in np.linspace(0.0, 120.0 if feature.startswith("days") else 8.0, 60)
    ]
    return np.diff(np.array(margins), axis=0)


def test_the_log_odds_never_move_against_a_direction(
    shop: FeatureTable, by_default: tuple[LeadModel, RecipeReport]
) -> None:
    """Against what the data say, more orders never raise and silence never lowers the score; unbound, they do."""
    free, report = by_default
    model, obeying = fitted(shop, tuned(report, monotone=True))
    assert model.blend.w_trees > 0
    assert any(obeying.plan.settings.monotone)
    assert steps(model, shop, "orders_count_30d").max() <= 1e-12
    assert steps(model, shop, "days_since_last_order").min() >= -1e-12
    assert steps(free, shop, "orders_count_30d").max() > 0.01
    assert steps(free, shop, "days_since_last_order").min() < -0.001


def test_the_default_put_into_words_gives_the_default(
    shop: FeatureTable, by_default: tuple[LeadModel, RecipeReport]
) -> None:
    """Found settings equal to the default's give its parts, and directions that nobody asked for change nothing."""
    model, report = by_default
    same, _ = fitted(shop, tuned(report, monotone=False))
    plain, _ = fitted(bound(shop))
    for other in (same, plain):
        assert other.boosters == model.boosters
        assert other.linear == model.linear
    assert plain.blend == model.blend
    # The default reaches its strength along a path of strengths, and Newton's steps end within a tolerance.
    assert astuple(same.blend) == pytest.approx(astuple(model.blend), abs=1e-4)


def test_a_refit_on_other_columns_is_bound_on_its_own(
    shop: FeatureTable, by_default: tuple[LeadModel, RecipeReport]
) -> None:
    """A plan made where one category was unknown still binds the right columns where it is known."""
    recipe = tuned(by_default[1], monotone=True)
    unknown = shop.columns.set_column(3, "plan", pa.array(["basic"] * len(shop)).dictionary_encode())
    _, elsewhere = fitted(replace(shop, columns=unknown), recipe)
    _, here = fitted(shop, recipe, plan=elsewhere.plan)
    assert len(elsewhere.plan.settings.monotone) < len(here.plan.settings.monotone)
    assert here.plan.settings.monotone[:2] == (-1, 1)


def test_the_number_of_trees_stays_within_the_recipe(
    shop: FeatureTable, by_default: tuple[LeadModel, RecipeReport]
) -> None:
    """Settings that want many trees get as many as the recipe allows."""
    recipe = tuned(by_default[1], monotone=False)
    slow = replace(recipe, tuned=replace(recipe.tuned, rate=0.02))
    model, report = fitted(shop, slow)
    assert report.plan.trees <= 20
    assert model.loaded_boosters[0].num_trees() <= 40


def test_categories_have_no_direction(shop: FeatureTable, by_default: tuple[LeadModel, RecipeReport]) -> None:
    """Only numbers rise; each tree column takes the direction of the feature it comes from."""
    model = by_default[0]
    assert directions_of_features(shop.features) == (-1, 1, 0, 0)
    columns = directions_of_columns(model.encoder, shop.features)
    assert columns == tuple(
        {"orders_count_30d": -1, "days_since_last_order": 1}.get(one.feature, 0) for one in model.encoder.columns
    )


def test_bounds_that_hold_anyway_change_no_bit(shop: FeatureTable) -> None:
    """Where the free optimum keeps to the directions, the linear part is the free one."""
    table, moments, _ = ripe_rows(shop)
    free = fit_linear(table, moments.converted, strengths=(0.1,))
    same = fit_linear(table, moments.converted, strengths=(0.1,), directions=(1, -1, 0, 0))
    assert free == same
    assert fit_linear(table, moments.converted, strengths=(0.1,), directions=(-1, 0, 0, 0)) != free


def test_the_bounded_fit_is_the_optimum_inside_the_bounds() -> None:
    """Free slopes have no slope of the loss left; bound ones are zero and would only leave the bounds (KKT)."""
    rng = np.random.default_rng(0)
    design = rng.normal(size=(2000, 4))
    converted = rng.random(2000) < sigmoid(design @ np.array([1.0, -0.6, 0.4, 0.3]) - 1)
    directions = np.array([-1.0, -1.0, 0.0, -1.0])
    start = np.array([1.0, -0.6, 0.4, 0.3])
    assert not keeps_to(start, directions)
    slopes, intercept = fit_bounded(design, converted, strength=0.5, directions=directions, start=(start, -1.0))
    error = sigmoid(design @ slopes + intercept) - converted
    pull = error @ design + slopes / 0.5
    assert keeps_to(slopes, directions)
    assert slopes[[0, 3]].tolist() == [0.0, 0.0]
    assert (pull[[0, 3]] < 0).all()
    assert np.abs(pull[[1, 2]]).max() < 2e-3
    assert abs(error.sum()) < 2e-3


def test_the_parameters_of_trees_by_default_are_what_they_were() -> None:
    """New settings have the values that were fixed before, and no constraint is handed over where none is asked."""
    parameters = settings_for(100_000, conversions=5000, seed=3, threads=1).parameters()
    assert parameters == {
        "objective": "binary",
        "num_leaves": 15,
        "min_data_in_leaf": 100,
        "learning_rate": 0.08,
        "feature_fraction": 0.7,
        "bagging_fraction": 0.8,
        "bagging_freq": 1,
        "lambda_l2": 1.0,
        "seed": 3,
        "num_threads": 1,
        "deterministic": True,
        "force_row_wise": True,
        "verbosity": -1,
    }
