"""Trees are the same whoever grows them, and bags are one booster."""

import lightgbm as lgb
import numpy as np
import pytest

from models.trees import TreeSettings, grow, grow_watched, merge_bags, settings_for


@pytest.fixture(scope="module")
def data() -> tuple[np.ndarray, np.ndarray]:
    """Return three columns with missing values and labels that need an interaction."""
    rng = np.random.default_rng(0)
    matrix = rng.normal(size=(1500, 3)).astype(np.float32)
    converted = rng.random(1500) < 1 / (1 + np.exp(1 - matrix[:, 0] - 2 * matrix[:, 1] * matrix[:, 2]))
    matrix[rng.random(matrix.shape) < 0.1] = np.nan
    return matrix, converted


def settings(seed: int = 0, threads: int = 1) -> TreeSettings:
    """Return small trees."""
    return TreeSettings(leaves=7, least_rows=20, rate=0.1, seed=seed, threads=threads)


def test_merged_bags_give_the_mean_of_the_bags(data: tuple[np.ndarray, np.ndarray]) -> None:
    """Raw scores and SHAP values of the merged booster are the bags' means to 1e-12."""
    matrix, converted = data
    bags = [grow(matrix[bag::3], converted[bag::3], settings(bag), trees=5 + bag) for bag in range(3)]
    merged = lgb.Booster(model_str=merge_bags(bags))
    assert merged.num_trees() == 5 + 6 + 7
    for exact in ({"raw_score": True}, {"pred_contrib": True}):
        mean = np.mean([bag.predict(matrix, **exact) for bag in bags], axis=0)
        assert merged.predict(matrix, **exact) == pytest.approx(mean, abs=1e-12)


def test_a_merged_booster_reads_back_as_itself(data: tuple[np.ndarray, np.ndarray]) -> None:
    """Text to booster to text to booster: the same scores, bit by bit."""
    matrix, converted = data
    once = lgb.Booster(model_str=merge_bags([grow(matrix, converted, settings(), trees=5)]))
    twice = lgb.Booster(model_str=once.model_to_string())
    assert np.array_equal(once.predict(matrix), twice.predict(matrix))


def test_the_number_of_threads_changes_no_bit(data: tuple[np.ndarray, np.ndarray]) -> None:
    """One thread and two write the same text."""
    matrix, converted = data
    texts = {merge_bags([grow(matrix, converted, settings(threads=threads), trees=20)]) for threads in (1, 2)}
    assert len(texts) == 1


def test_another_seed_grows_other_trees(data: tuple[np.ndarray, np.ndarray]) -> None:
    """The seed reaches the sampling of rows and columns."""
    matrix, converted = data
    texts = {merge_bags([grow(matrix, converted, settings(seed), trees=5)]) for seed in (0, 1)}
    assert len(texts) == 2


def test_nothing_to_split_still_gives_a_booster(data: tuple[np.ndarray, np.ndarray]) -> None:
    """With fewer rows than a leaf needs, the booster says the base rate, and merges like any other."""
    matrix, converted = data
    stump = grow(matrix[:30], converted[:30], settings(), trees=3)
    merged = lgb.Booster(model_str=merge_bags([stump, grow(matrix, converted, settings(), trees=3)]))
    assert np.isfinite(merged.predict(matrix, raw_score=True)).all()


def test_growth_stops_when_other_leads_no_longer_gain(data: tuple[np.ndarray, np.ndarray]) -> None:
    """With a greedy rate the loss on judged rows turns, and growing stops soon after, not at the limit."""
    matrix, converted = data
    greedy = TreeSettings(leaves=31, least_rows=20, rate=0.5, seed=0, threads=1)
    booster, losses = grow_watched(
        matrix[:1000], converted[:1000], greedy, judged=(matrix[1000:], converted[1000:]), most=300
    )
    assert len(losses) == booster.num_trees() < 300
    assert losses.argmin() < len(losses) - 1


@pytest.mark.parametrize(("conversions", "leaves"), [(50, 7), (499, 7), (500, 15), (10_000, 31)])
def test_more_conversions_bear_more_leaves(conversions: int, leaves: int) -> None:
    """7, 15 or 31 leaves, by the number of converting leads."""
    assert settings_for(100_000, conversions=conversions, seed=0, threads=1).leaves == leaves
