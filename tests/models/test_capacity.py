"""Capacity: what the best leads may bring, by laws and by sums that one can do by hand."""

from itertools import pairwise, product

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.capacity import LEVEL, MORE, capacity, conversions
from models.poisson_binomial import distribution, quantile

shares = st.lists(st.floats(0, 1), max_size=8)


def leads(p, *, width=0.0, held=(), ids=None):
    """Return stored scores ranked by *p*; the ends lie *width* away."""
    p = np.asarray(p, dtype=np.float64)
    ranks = np.empty(len(p), dtype=np.int64)
    ranks[np.argsort(-p, kind="stable")] = np.arange(1, len(p) + 1)
    return pa.table(
        {
            "lead_id": ids or [f"lead {n}" for n in range(len(p))],
            "rank": ranks,
            "probability": p,
            "probability_low": np.maximum(p - width, 0),
            "probability_high": np.minimum(p + width, 1),
            "held": pa.array([["override"] if n in held else [] for n in range(len(p))], pa.list_(pa.string())),
        }
    )


@given(shares)
def test_the_distribution_is_what_trying_every_outcome_finds(p):
    """Each of the 2ⁿ outcomes adds its probability to its number of conversions."""
    slow = np.zeros(len(p) + 1)
    for outcome in product([0, 1], repeat=len(p)):
        slow[sum(outcome)] += np.prod([q if won else 1 - q for q, won in zip(p, outcome, strict=True)])
    np.testing.assert_allclose(distribution(np.array(p)), slow, atol=1e-12)


@pytest.mark.parametrize("n", [1, 63, 64, 65, 500, 3000])
def test_the_distribution_sums_to_one_around_its_mean(n):
    """However many leads: the sum is 1, the mean Σ p, the variance Σ p (1 - p)."""
    p = np.random.default_rng(n).beta(1, 8, n)
    law, k = distribution(p), np.arange(n + 1)
    assert law.sum() == pytest.approx(1, abs=1e-10)
    assert law @ k == pytest.approx(p.sum(), abs=1e-8)
    assert law @ k**2 - (law @ k) ** 2 == pytest.approx((p * (1 - p)).sum(), abs=1e-6)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=30), st.integers(1, 30), st.floats(0, 0.3))
def test_the_expectation_is_the_sum_of_the_best_probabilities_and_lies_in_the_interval(p, per_week, width):
    """Σ p of the best leads, no more of them than there are; the interval holds it."""
    found = capacity(leads(p, width=width), per_week=per_week)
    best = sorted(p, reverse=True)[:per_week]
    assert found.best.leads == len(best)
    assert found.best.expected == pytest.approx(sum(best))
    assert 0 <= found.best.low <= found.best.expected <= found.best.high <= found.best.leads


@given(st.lists(st.floats(0, 1), min_size=2, max_size=30), st.floats(0, 0.3))
def test_more_calls_never_bring_less_and_the_next_one_never_more_than_the_last(p, width):
    """Expectation and both ends rise with the capacity; each lead adds no more than the one before."""
    found = [capacity(leads(p, width=width), per_week=n).best for n in range(1, len(p) + 1)]
    for end in ("expected", "low", "high"):
        values = [getattr(one, end) for one in found]
        assert all(y >= x - 1e-9 for x, y in pairwise(values))
    gains = np.diff([0.0, *(one.expected for one in found)])
    assert np.all(np.diff(gains) <= 1e-9)


@given(shares, st.floats(0, 0.2), st.floats(0, 0.2))
def test_a_vaguer_model_gives_no_narrower_interval(p, narrow, wider):
    """With the ends further away the interval holds the narrower one."""
    small, large = (conversions(leads(p, width=width)) for width in (narrow, narrow + wider))
    assert large.low <= small.low
    assert small.high <= large.high


def test_the_interval_has_its_level_where_the_model_is_right():
    """Of drawn weeks, at least 90 % bring a number inside."""
    rng = np.random.default_rng(5)
    p = rng.beta(2, 10, 200)
    found = conversions(leads(p))
    drawn = (rng.random((4000, 200)) < p).sum(axis=1)
    assert np.mean((found.low <= drawn) & (drawn <= found.high)) >= LEVEL


def test_what_the_next_hundred_bring_are_the_leads_behind():
    """With 250 leads and 100 calls, the next 100 are ranks 101 to 200."""
    p = np.linspace(0.9, 0.1, 250)
    found = capacity(leads(p), per_week=100)
    assert (found.best.leads, found.more.leads, found.free) == (100, MORE, 250)
    assert found.more.expected == pytest.approx(p[100:200].sum())


def test_held_leads_are_not_called_and_leads_with_two_rows_are_called_once():
    """The best lead is held; the second has two triggers and counts at its better one."""
    found = capacity(leads([0.9, 0.8, 0.7, 0.6], held={0}, ids=["a", "b", "b", "c"]), per_week=2)
    assert found.free == 2
    assert found.best.expected == pytest.approx(0.8 + 0.6)
    assert found.more.leads == 0
    assert found.more.expected == 0


def test_a_card_without_probabilities_says_how_many_and_promises_nothing():
    """There is nothing to add up."""
    rows = leads([0.5, 0.4])
    rows = rows.set_column(2, "probability", pa.nulls(2, pa.float64()))
    found = capacity(rows, per_week=1).best
    assert (found.leads, found.expected, found.low, found.high) == (1, None, None, None)


def test_a_quantile_is_the_least_number_that_is_reached():
    """Of two fair coins: none in a quarter of cases, at most one in three quarters."""
    law = distribution(np.array([0.5, 0.5]))
    assert [quantile(law, share) for share in (0.2, 0.25, 0.3, 0.75, 0.8, 1.0)] == [0, 0, 1, 1, 2, 2]
