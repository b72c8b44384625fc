"""Grades come from fixed cuts, so they depend on the lead alone."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.errors import LeadlightError
from models.grades import Cuts, GradeProbabilities, GradeShares, cells, cuts, grades, temperatures

QUANTILES = tuple(np.linspace(0.0, 1.0, 1001))
DEFAULT = cuts(QUANTILES)


def test_shares_become_cuts_on_the_training_quantiles():
    """With probabilities spread evenly over 0–1, the best 10 % start at .9, the next 20 % at .7."""
    assert DEFAULT.grades == pytest.approx((0.9, 0.7, 0.4))
    assert DEFAULT.temperatures == pytest.approx((0.9, 0.6))
    assert DEFAULT.cell_hundredths == 500


@given(st.lists(st.floats(0, 1), min_size=1, max_size=200), st.integers(0, 199))
def test_a_grade_depends_on_the_lead_alone(probabilities, place):
    """A lead graded alone has the grade it has among others."""
    among = np.array(probabilities)
    row = place % len(among)
    assert grades(among, DEFAULT)[row] == grades(among[row : row + 1], DEFAULT)[0]
    assert temperatures(among, DEFAULT)[row] == temperatures(among[row : row + 1], DEFAULT)[0]


def test_a_higher_probability_is_never_graded_worse():
    """Along rising probabilities the letters run D, C, B, A and the temperatures cold, warm, hot."""
    rising = np.linspace(0, 1, 501)
    assert sorted(set(grades(rising, DEFAULT).to_pylist())) == ["A", "B", "C", "D"]
    letters = grades(rising, DEFAULT).to_pylist()
    assert letters == sorted(letters, reverse=True)
    heat = [["cold", "warm", "hot"].index(word) for word in temperatures(rising, DEFAULT).to_pylist()]
    assert heat == sorted(heat)


def test_a_probability_at_the_cut_has_the_better_grade():
    """Cuts are least probabilities: equal is enough."""
    fixed = Cuts((0.5, 0.25, 0.125), (0.5, 0.25), 500)
    assert grades(np.array([0.5, 0.25, 0.125, 0.1]), fixed).to_pylist() == ["A", "B", "C", "D"]
    assert temperatures(np.array([0.5, 0.25, 0.2]), fixed).to_pylist() == ["hot", "warm", "cold"]


def test_cells_cross_fit_with_engagement():
    """Five points for are A or 1, five against C or 3, between B or 2."""
    fit = np.array([500, 499, -499, -500, 900])
    engagement = np.array([500, 0, -500, -900, -501])
    assert cells(fit, engagement, DEFAULT).to_pylist() == ["A1", "B2", "B3", "C3", "A3"]


def test_shares_that_do_not_fit_are_all_named():
    """Every fault of the shares is in the one message, with the next step."""
    with pytest.raises(LeadlightError) as refused:
        cuts(QUANTILES, GradeShares(a=0.6, b=0.5, hot=-0.1, cell_points=0))
    assert str(refused.value) == (
        "The borders of the grades do not fit together:\n"
        "  - a + b + c = 1.4   (each from 0 to 1, together at most 1)\n"
        "  - hot + warm = 0.2   (each from 0 to 1, together at most 1)\n"
        "  - cell_points = 0   (more than 0)\n"
        "\n"
        "Hint: mend score.grades in the config."
    )


def test_given_probabilities_are_the_cuts_whatever_was_learned():
    """A shop that says where A begins gets the same grades from every model."""
    given = GradeProbabilities(a=0.2, b=0.1, c=0.05, hot=0.3, warm=0.15)
    for quantiles in (QUANTILES, tuple(np.linspace(0.0, 0.01, 1001))):
        assert cuts(quantiles, GradeShares(given=given)) == Cuts((0.2, 0.1, 0.05), (0.3, 0.15), 500)


def test_given_probabilities_that_do_not_fall_are_refused():
    """Each border lies below the one before, and all of them between 0 and 1."""
    with pytest.raises(LeadlightError) as refused:
        cuts(QUANTILES, GradeShares(given=GradeProbabilities(a=0.2, b=0.2, c=0.05, hot=1.0, warm=0.15)))
    assert "  - cuts a, b, c = 0.2, 0.2, 0.05   (between 0" in str(refused.value)
    assert "  - cuts hot, warm = 1, 0.15   (between 0" in str(refused.value)
