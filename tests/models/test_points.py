"""Points are whole hundredths that add up exactly, whatever is summed and whatever is shown."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from models.explain import Contributions, contributions
from models.points import largest_remainder, points, score_at, shown

ROWS = arrays.arrays(
    np.float64,
    st.tuples(st.integers(1, 20), st.integers(1, 12)),
    elements=st.floats(-5000, 5000, allow_nan=False).map(lambda x: round(x, 3)),
)


@given(ROWS)
def test_rounded_values_sum_exactly_and_stay_near(values):
    """Each row sums to its rounded total, and no value moves by a whole unit."""
    totals = np.rint(values.sum(axis=1)).astype(np.int64)
    whole = largest_remainder(values, totals)
    assert np.array_equal(whole.sum(axis=1), totals)
    assert np.abs(whole - values).max() < 1


@given(ROWS, st.integers(-40, 40))
def test_any_total_is_met(values, extra):
    """Even a total far from the sum is met exactly, shared out as evenly as can be."""
    totals = np.rint(values.sum(axis=1)).astype(np.int64) + extra
    whole = largest_remainder(values, totals)
    assert np.array_equal(whole.sum(axis=1), totals)
    assert np.ptp(whole - np.floor(values), axis=1).max() <= 1


@given(ROWS)
def test_a_row_is_rounded_by_itself(values):
    """No other row changes how a row is rounded."""
    totals = np.rint(values.sum(axis=1)).astype(np.int64)
    whole = largest_remainder(values, totals)
    alone = [largest_remainder(values[row : row + 1], totals[row : row + 1])[0] for row in range(len(values))]
    assert np.array_equal(np.array(alone), whole)


def test_the_largest_remainder_wins_and_the_first_among_equals():
    """1.5 + 1.25 + 0.25 = 3 gives 2, 1, 0; two halves give the unit to the first."""
    assert largest_remainder(np.array([[1.5, 1.25, 0.25]]), np.array([3])).tolist() == [[2, 1, 0]]
    assert largest_remainder(np.array([[0.5, 0.5], [-0.5, -0.5]]), np.array([1, -1])).tolist() == [
        [1, 0],
        [0, -1],
    ]


def test_points_sum_to_the_unclipped_score(lead_model, some_leads):
    """Features, families and axes each sum to round(100 · (unclipped score - 50)), lead by lead."""
    table = some_leads(3000, 11)
    of_leads = points(contributions(lead_model, table), lead_model)
    predictions = lead_model.predict(table)
    unclipped = 50 + 10 * (predictions.log_odds - lead_model.reference) / np.log(2)
    total = of_leads.total_hundredths
    assert np.array_equal(total, np.rint(100 * (unclipped - 50)))
    assert np.array_equal(of_leads.per_feature.sum(axis=1), total)
    assert np.array_equal(sum(of_leads.per_family.values()), total)
    assert np.array_equal(of_leads.per_axis["fit"] + of_leads.per_axis["engagement"], total)
    assert np.array_equal(of_leads.per_family["fit"] + of_leads.per_family["acquisition"], of_leads.per_axis["fit"])


def test_twice_the_odds_are_ten_points(lead_model):
    """A contribution of ln 2 is 1000 hundredths."""
    values = np.zeros((1, 7))
    values[0, 2] = np.log(2)
    base = lead_model.reference
    doubled = Contributions(values, base, np.array([base + np.log(2)]), np.zeros(1, dtype=bool))
    assert points(doubled, lead_model).per_feature.tolist() == [[0, 0, 1000, 0, 0, 0, 0]]


def test_a_reference_that_is_not_the_base_is_refused(lead_model, some_leads):
    """Points could not add up around another zero, so nothing is computed."""
    explained = contributions(lead_model, some_leads(5, 12))
    with pytest.raises(ValueError, match="is not the SHAP base"):
        points(explained, lead_model.with_reference(lead_model.reference + 0.01))


@given(
    lines=st.lists(st.integers(-9000, 9000), max_size=8),
    rest=st.integers(-9000, 9000),
    inside=st.floats(-0.5, 0.5),
)
def test_what_is_shown_adds_up_to_the_score_shown(lines, rest, inside):
    """50 + lines + everything else + limits = score, and limits only cut at the ends of the scale."""
    unclipped = 50 + (sum(lines) + rest + inside) / 100
    score = int(np.clip(np.rint(unclipped), 0, 100))
    seen = shown(lines, total_hundredths=sum(lines) + rest, score=score)
    assert 50 + sum(seen.lines) + seen.everything_else + seen.limits == score
    assert seen.limits == 0 or (seen.limits < 0 and score == 100) or (seen.limits > 0 and score == 0)
    assert abs(seen.everything_else - rest / 100) <= 0.5 * len(lines) + 1.01


def test_the_scale_cuts_what_lies_beyond_it():
    """A lead at 118 shows 100, and the limits of the scale take 18."""
    seen = shown([4000, 2000], total_hundredths=6800, score=100)
    assert (seen.lines, seen.everything_else, seen.limits) == ((40, 20), 8, -18)
    assert shown([-6000], total_hundredths=-6000, score=0).limits == 10


def test_the_ends_of_an_interval_are_scores(lead_model):
    """A probability at the reference scores 50, twice its odds 60; 0 and 1 stand at the ends."""
    odds = np.exp(lead_model.reference)
    probability = np.array([0.0, odds / (1 + odds), 2 * odds / (1 + 2 * odds), 1.0])
    assert score_at(probability, lead_model).tolist() == [0, 50, 60, 100]
