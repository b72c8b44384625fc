"""Figures as textbooks define them, intervals over people."""

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, brier_score_loss, log_loss, roc_auc_score

from models.bootstrap import MOST_RESAMPLED_ROWS, sample_of_leads
from models.metrics import evaluate, rank_auc
from models.model import sigmoid


def judged(n: int = 2000, *, leads: int = 700, decimals: int = 1, seed: int = 0) -> tuple[np.ndarray, ...]:
    """Return calibrated margins with ties, labels drawn from them, and leads with several rows each."""
    rng = np.random.default_rng(seed)
    margins = np.round(rng.normal(-1.5, 1.2, n), decimals)
    return margins, rng.random(n) < sigmoid(margins), rng.integers(0, leads, n).astype(np.uint64)


def test_figures_agree_with_scikit_learn() -> None:
    """With many tied margins, AUC, average precision, log-loss and Brier are scikit-learn's to 1e-12."""
    margins, converted, lead = judged()
    found = evaluate(margins, converted, lead, resamples=2)
    assert found.roc_auc.value == pytest.approx(roc_auc_score(converted, margins), abs=1e-12)
    assert found.average_precision.value == pytest.approx(average_precision_score(converted, margins), abs=1e-12)
    assert found.log_loss.value == pytest.approx(log_loss(converted, sigmoid(margins)), abs=1e-12)
    assert found.brier.value == pytest.approx(brier_score_loss(converted, sigmoid(margins)), abs=1e-12)


def test_precision_and_lift_can_be_counted_by_hand() -> None:
    """Of ten rows the best two convert: the best 10 % is one row, a hit; the best 20 % two; the base rate is 0.3."""
    margins = np.arange(10, 0, -1).astype(float)
    converted = np.array([1, 1, 0, 0, 1, 0, 0, 0, 0, 0], dtype=bool)
    found = evaluate(margins, converted, np.arange(10, dtype=np.uint64), resamples=2)
    assert [one.value for one in found.precision] == [1.0, 1.0, 1.0, 1.0]
    assert found.lift[3].value == pytest.approx(1 / 0.3)
    assert (found.rows, found.leads, found.conversions, found.base_rate) == (10, 10, 3, 0.3)


def test_a_share_is_rounded_up_to_whole_rows() -> None:
    """Of five rows the best 1 % is still one row."""
    found = evaluate(np.array([5.0, 4, 3, 2, 1]), np.array([1, 0, 0, 0, 1], bool), np.arange(5, dtype=np.uint64))
    assert found.precision[0].value == 1.0


def test_ties_at_the_edge_count_by_expectation() -> None:
    """Ten rows all tied, three convert: whoever is picked, 0.3 of them convert on average."""
    converted = np.arange(10) < 3
    found = evaluate(np.zeros(10), converted, np.arange(10, dtype=np.uint64), resamples=2)
    assert [one.value for one in found.precision] == pytest.approx([0.3] * 4)
    assert found.roc_auc.value == pytest.approx(0.5)


def test_calibration_error_is_the_mean_gap_of_ten_bins() -> None:
    """Ten rows at probability 0.5 of which all convert miss by 0.5 on average."""
    converted = np.append(np.ones(10, bool), np.zeros(10, bool))
    margins = np.append(np.zeros(10), np.full(10, -40.0))
    found = evaluate(margins, converted, np.arange(20, dtype=np.uint64), resamples=2)
    assert found.ece.value == pytest.approx(0.25)


@pytest.mark.parametrize("seed", range(5))
def test_an_interval_holds_its_figure(seed: int) -> None:
    """Every figure lies between its low and its high."""
    for one in evaluate(*judged(300, leads=90, seed=seed), resamples=50).estimates().values():
        assert one.low <= one.value <= one.high


def test_repeating_every_persons_rows_adds_no_certainty() -> None:
    """Nine copies of each row under the same lead are the same people: intervals stay; as new people they shrink."""
    margins, converted, lead = judged(500, leads=500, decimals=9)
    once = evaluate(margins, converted, lead).roc_auc
    copies = evaluate(np.tile(margins, 9), np.tile(converted, 9), np.tile(lead, 9)).roc_auc
    strangers = evaluate(np.tile(margins, 9), np.tile(converted, 9), np.arange(4500, dtype=np.uint64)).roc_auc
    assert copies.high - copies.low == pytest.approx(once.high - once.low, rel=1e-9)
    assert (strangers.high - strangers.low) < 0.5 * (once.high - once.low)


def test_the_order_of_rows_changes_no_figure() -> None:
    """Shuffled rows give the same figures and the same intervals, bit by bit."""
    margins, converted, lead = judged()
    shuffle = np.random.default_rng(1).permutation(len(margins))
    assert evaluate(margins, converted, lead) == evaluate(margins[shuffle], converted[shuffle], lead[shuffle])


def test_on_large_data_a_sample_of_leads_gives_about_the_same_spread() -> None:
    """The spread scaled from a sample is of the size that theory gives for all rows; leads stay whole."""
    margins, converted, _ = judged(2 * MOST_RESAMPLED_ROWS, decimals=6)
    lead = np.repeat(np.arange(MOST_RESAMPLED_ROWS), 2).astype(np.uint64)
    rows, scale = sample_of_leads(lead)
    assert np.all(np.unique(lead[rows], return_counts=True)[1] == 2)
    assert scale == pytest.approx(np.sqrt(0.5), abs=0.01)
    found = evaluate(margins, converted, lead).roc_auc
    positive = int(converted.sum())
    # Bamber's bound for the standard error of an AUC lies near here for normal margins.
    expected = 1.96 * np.sqrt(found.value * (1 - found.value) / positive)
    assert (found.high - found.low) / 2 == pytest.approx(expected, rel=0.5)


def test_margins_far_out_give_finite_losses() -> None:
    """A margin of a thousand is a probability of one, not an overflow."""
    found = evaluate(np.array([1000.0, -1000.0, 0.0]), np.array([True, False, True]), np.arange(3, dtype=np.uint64))
    assert np.isfinite(found.log_loss.value)
    assert np.isfinite(found.brier.value)


def test_rank_auc_is_the_share_of_pairs_won():
    """Counted over all pairs, ties half."""
    rng = np.random.default_rng(0)
    x, y = rng.integers(0, 5, 60).astype(float), rng.random(60) < 0.4
    pairs = [(a > b) + (a == b) / 2 for a in x[y] for b in x[~y]]
    assert rank_auc(x, y) == pytest.approx(np.mean(pairs))
