"""A model beside its rivals: paired differences over people."""

import numpy as np
import pytest

from models.contest import contest, paired_log_loss
from models.metrics import row_losses
from models.model import sigmoid


def rows(n: int, seed: int, *, per_lead: int = 1) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return true log-odds, labels drawn from them, and leads of *per_lead* rows each."""
    rng = np.random.default_rng(seed)
    truth = rng.normal(-1.5, 1, n)
    return truth, rng.random(n) < sigmoid(truth), (np.arange(n) // per_lead).astype(np.uint64)


def test_a_model_against_itself_is_neither_ahead_nor_behind():
    """The difference is exactly zero, and so is its interval."""
    truth, converted, lead = rows(500, 0)
    found = paired_log_loss(truth, truth, converted, lead)
    assert (found.value, found.low, found.high) == (0, 0, 0)


def test_turned_around_the_difference_changes_its_sign():
    """Ours against theirs is minus theirs against ours, bounds included."""
    truth, converted, lead = rows(500, 1)
    other = truth + np.random.default_rng(9).normal(0, 0.5, 500)
    one, two = paired_log_loss(truth, other, converted, lead), paired_log_loss(other, truth, converted, lead)
    assert one.value == pytest.approx(-two.value)
    assert (one.low, one.high) == pytest.approx((-two.high, -two.low))
    assert one.value == pytest.approx((row_losses(other, converted) - row_losses(truth, converted)).mean())


def test_the_order_of_rows_changes_nothing():
    """Shuffled rows give the same difference and the same interval."""
    truth, converted, lead = rows(600, 2, per_lead=3)
    other = truth * 0.8
    shuffle = np.random.default_rng(0).permutation(600)
    one = paired_log_loss(truth, other, converted, lead)
    two = paired_log_loss(truth[shuffle], other[shuffle], converted[shuffle], lead[shuffle])
    assert [one.value, one.low, one.high] == pytest.approx([two.value, two.low, two.high], abs=1e-12)


def test_rows_of_one_person_stand_or_fall_together():
    """The same rows, each repeated as another row of its lead, tell no more: the interval stays as wide."""
    truth, converted, lead = rows(800, 3)
    other = truth + np.random.default_rng(4).normal(0, 0.4, 800)
    once = paired_log_loss(truth, other, converted, lead)
    again = [np.repeat(one, 5) for one in (truth, other, converted, lead)]
    repeated = paired_log_loss(*again)
    assert repeated.value == pytest.approx(once.value)
    assert repeated.high - repeated.low == pytest.approx(once.high - once.low, rel=1e-9)


def test_two_models_of_equal_worth_differ_by_chance_about_one_time_in_twenty():
    """Equally noisy copies of the truth: the 95 % interval misses zero in 2 % to 9 % of 300 windows."""
    missed = 0
    for seed in range(300):
        truth, converted, lead = rows(600, seed)
        one, two = np.random.default_rng(10_000 + seed).normal(0, 0.4, (2, 600))
        found = paired_log_loss(truth + one, truth + two, converted, lead, resamples=300, seed=seed)
        missed += found.low > 0 or found.high < 0
    assert 6 <= missed <= 27


def test_the_verdict_says_first_who_is_not_beaten():
    """Behind and clearly ahead give different first sentences."""
    truth, converted, lead = rows(3000, 5)
    lost = contest({"leadlight": truth * 0.3, "rfm": truth}, converted, lead)
    assert lost.lost_to == ("rfm",)
    ours, theirs = (lost.metrics[name].log_loss.value for name in ("leadlight", "rfm"))
    said = f"This model does not beat log-RFM logistic (log-loss {ours:.4f}, log-RFM logistic {theirs:.4f}; average "
    assert lost.verdict().startswith(said)
    won = contest({"leadlight": truth, "recency": np.full(3000, -1.5)}, converted, lead)
    assert won.verdict() == "This model beats all 1 baselines by more than chance explains."
    assert won.ahead["recency"].low > 0


def test_a_lead_by_chance_is_called_so():
    """A rival behind by less than chance explains is named as such."""
    truth, converted, lead = rows(80, 6)
    found = contest({"leadlight": truth, "frequency": truth * 0.93}, converted, lead)
    assert found.ahead["frequency"].value > 0
    assert found.unsure_of == ("frequency",)
    assert "over frequency alone it may be by chance" in found.verdict()
