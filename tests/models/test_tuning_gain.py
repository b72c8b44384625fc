"""A gain counts only where it is more than noise among so many trials."""

import numpy as np
import pytest
from sklearn.metrics import brier_score_loss, log_loss

from models.model import sigmoid
from models.objectives import OBJECTIVES
from models.tuning_gain import GROUPS, jackknife_groups, judge_gain, without_each_group

LOG_LOSS = OBJECTIVES["log_loss"]


def judged(margins, converted, lead, objective=LOG_LOSS):
    """Return a value and the values without each group of leads."""
    return objective.of(margins, converted), without_each_group(
        objective, margins, converted, jackknife_groups(lead, seed=0)
    )


@pytest.fixture
def drawn():
    """Return true margins, labels drawn from them, and leads with four rows each."""
    rng = np.random.default_rng(0)
    truth = rng.normal(-1.0, 1.2, 6000)
    return truth, rng.random(6000) < sigmoid(truth), (np.arange(6000) // 4).astype(np.uint64)


def test_objectives_are_what_their_names_say(drawn):
    """Log-loss and Brier score agree with scikit-learn to 1e-12."""
    truth, converted, _ = drawn
    assert LOG_LOSS.of(truth, converted) == pytest.approx(log_loss(converted, sigmoid(truth)), abs=1e-12)
    assert OBJECTIVES["brier"].of(truth, converted) == pytest.approx(
        brier_score_loss(converted, sigmoid(truth)), abs=1e-12
    )


@pytest.mark.parametrize("name", OBJECTIVES)
def test_the_truth_is_better_than_half_of_it(name, drawn):
    """Whichever way the objective goes, the gain of better margins is positive and clear."""
    truth, converted, lead = drawn
    noisy = truth / 2 + np.random.default_rng(1).normal(0, 1, len(truth))
    objective = OBJECTIVES[name]
    gain = judge_gain(
        objective, judged(noisy, converted, lead, objective), judged(truth, converted, lead, objective), rivals=29
    )
    assert gain.value > 0
    assert gain.is_clear


def test_settings_are_not_better_than_themselves(drawn):
    """Equal margins gain exactly nothing, and nothing is not clear."""
    one = judged(*drawn)
    gain = judge_gain(LOG_LOSS, one, one, rivals=1)
    assert (gain.value, gain.error, gain.is_clear) == (0.0, 0.0, False)


def test_the_error_is_that_of_a_bootstrap_over_leads(drawn):
    """The jackknife's standard error is within a quarter of that of 400 resamples of whole leads."""
    truth, converted, lead = drawn
    other = truth + np.random.default_rng(2).normal(0, 0.3, len(truth))
    gain = judge_gain(LOG_LOSS, judged(other, converted, lead), judged(truth, converted, lead), rivals=1)
    per_row = [np.logaddexp(0, margins) - converted * margins for margins in (other, truth)]
    per_lead = np.bincount(lead.astype(int), per_row[0] - per_row[1]) / 4
    rng = np.random.default_rng(3)
    resampled = [rng.choice(per_lead, len(per_lead)).mean() for _ in range(400)]
    assert gain.error == pytest.approx(np.std(resampled), rel=0.25)


def test_the_best_of_many_equal_rivals_seldom_passes():
    """Of 200 studies whose 29 rivals are the default plus noise that means nothing, at most one in twenty is fooled."""
    fooled = 0
    for seed in range(200):
        rng = np.random.default_rng(seed)
        # What matters is the rows' gain alone: its mean is zero for every rival.
        rows = rng.normal(0, 1, (29, GROUPS))
        means = rows.mean(axis=1)
        best = int(np.argmax(means))
        without = (rows[best].sum() - rows[best]) / (GROUPS - 1)
        gain = judge_gain(LOG_LOSS, (0.0, np.zeros(GROUPS)), (-means[best], -without), rivals=29)
        fooled += gain.is_clear
    assert fooled <= 10


def test_one_class_alone_has_no_ranking():
    """A ranking of one class is not a number, and a group that holds a whole class counts as leaving out nobody."""
    auc = OBJECTIVES["roc_auc"]
    assert np.isnan(auc.of(np.zeros(3), np.ones(3, dtype=bool)))
    margins, converted = np.array([2.0, 1.0, 0.0]), np.array([True, False, False])
    left = without_each_group(auc, margins, converted, np.array([0, 1, 2]))
    assert left.tolist() == [1.0] * GROUPS
