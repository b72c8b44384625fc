"""The champion is judged by a model that had not seen the window."""

import json
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from features.matrix import FeatureTable
from models.recipe import Recipe
from models.registry.training import Training, report
from models.rematch import Reign, rematch, remembered
from models.training import TrainedModel, TrainingConfig, train

CONFIG = TrainingConfig(recipe=Recipe(seed=3, max_trees=20, bags=1, blocks=1))


@pytest.fixture(scope="module")
def shop(make_shop: Callable[..., FeatureTable]) -> FeatureTable:
    """Return 300 leads at four as_ofs."""
    return make_shop(300, as_ofs=4)


@pytest.fixture(scope="module")
def trained(shop: FeatureTable) -> TrainedModel:
    """Return a model trained on the shop."""
    return train(shop, config=CONFIG)


@pytest.fixture(scope="module")
def reign(shop: FeatureTable, trained: TrainedModel) -> Reign:
    """Return what its bundle remembers of it."""
    return remembered(trained.model, json.loads(json.dumps(report(Training(trained, shop)))))


def test_recipe_and_plan_come_back_from_the_notes(trained: TrainedModel, reign: Reign) -> None:
    """What JSON brings back is equal to what was trained with."""
    assert reign.recipe == CONFIG.recipe
    assert reign.plan == trained.report.plan
    assert reign.closed_by == trained.report.closed_by


def test_a_champion_that_saw_the_window_answers_as_its_recipe_does_without(
    shop: FeatureTable, trained: TrainedModel, reign: Reign
) -> None:
    """Fitted anew it says what the model that was judged said, not what the one that ships says."""
    again = rematch(reign, shop, trained.hold_out)
    assert again.was_refitted
    # The first training walked a path of strengths to the chosen one; the solver stops within 1e-5 of the same place.
    assert np.allclose(again.log_odds, trained.hold_out.log_odds, atol=1e-4)
    assert not np.allclose(again.log_odds, trained.model.margins(shop.take(trained.hold_out.test_rows)), atol=1e-2)


def test_a_champion_from_before_the_window_answers_as_it_is(
    shop: FeatureTable, trained: TrainedModel, reign: Reign
) -> None:
    """Its labels had closed before: nothing is fitted."""
    older = replace(reign, closed_by=trained.hold_out.test_from)
    found = rematch(older, shop, trained.hold_out)
    assert not found.was_refitted
    assert np.array_equal(found.log_odds, trained.model.margins(shop.take(trained.hold_out.test_rows)))
    newer = replace(reign, closed_by=trained.hold_out.test_from + 1)
    assert rematch(newer, shop, trained.hold_out).was_refitted


def test_labels_of_the_window_change_nothing_that_the_champion_says(
    shop: FeatureTable, trained: TrainedModel, reign: Reign
) -> None:
    """With every label of the window turned around, a refitted champion answers the same."""
    converted = shop.labels["converted"].to_numpy().copy()
    converted[trained.hold_out.test_rows] ^= True
    other = replace(shop, labels=shop.labels.set_column(0, "converted", pa.array(converted)))
    said = rematch(reign, shop, trained.hold_out).log_odds
    assert np.array_equal(rematch(reign, other, trained.hold_out).log_odds, said)
