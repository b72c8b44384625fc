"""How many leads convert: the law counted outcome by outcome, and the range that chance keeps."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models import poisson_binomial
from models.poisson_binomial import central_95

PROBABILITIES = st.lists(st.floats(0, 1), min_size=1, max_size=12)


@given(PROBABILITIES)
def test_the_exact_range_is_that_of_all_outcomes_counted(probabilities):
    """Few leads: the range is cut from the distribution that adding up all 2^n outcomes gives."""
    chance = np.zeros(len(probabilities) + 1)
    for outcome in range(2 ** len(probabilities)):
        came = [bool(outcome >> place & 1) for place in range(len(probabilities))]
        chance[sum(came)] += np.prod([p if c else 1 - p for p, c in zip(probabilities, came, strict=True)])
    low, high = central_95(np.array(probabilities))
    assert chance[:low].sum() <= 0.025 + 1e-9
    assert chance[high + 1 :].sum() <= 0.025 + 1e-9


def test_many_leads_get_the_range_that_the_whole_distribution_has(monkeypatch):
    """The formula for many leads meets the counted distribution, also for rare conversions that lean to one side."""
    for scale in (0.004, 0.05, 0.4):
        p = np.random.default_rng(0).uniform(0, 2 * scale, 900)
        counted = central_95(p)
        monkeypatch.setattr(poisson_binomial, "WHOLE_UP_TO", 0)
        by_formula = central_95(p)
        monkeypatch.undo()
        assert by_formula == pytest.approx(counted, abs=1)


def test_realised_numbers_stay_in_the_range_as_often_as_it_says():
    """Where the probabilities are true, about 95 of 100 groups are as expected."""
    how = np.random.default_rng(1)
    p = how.uniform(0, 0.3, 300)
    low, high = central_95(p)
    came = (how.random((4_000, 300)) < p).sum(axis=1)
    assert 0.94 < ((came >= low) & (came <= high)).mean() < 0.98
