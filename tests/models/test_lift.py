"""Lift, however ties fall."""

from itertools import permutations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from models.lift import tie_aware_lift


@given(
    rows=st.lists(st.tuples(st.integers(0, 2), st.booleans()), min_size=1, max_size=6),
    share=st.sampled_from([0.01, 0.1, 0.34, 0.5, 0.9, 1.0]),
)
def test_worst_expected_and_best_are_those_over_all_orders_of_ties(rows, share):
    """All orders of a list that keep the scores sorted give exactly the least, the mean and the greatest lift."""
    score, converted = np.array([one[0] for one in rows], float), np.array([one[1] for one in rows])
    found = tie_aware_lift(score, converted, shares=(share,))[0]
    if not converted.any():
        assert np.isnan(found.expected)
        return
    contacted = int(np.ceil(round(share * len(rows), 9)))
    orders = [order for order in permutations(range(len(rows))) if all(np.diff(score[list(order)]) <= 0)]
    lifts = [converted[list(order[:contacted])].mean() / converted.mean() for order in orders]
    assert np.allclose([found.worst, found.expected, found.best], [min(lifts), np.mean(lifts), max(lifts)])


def test_without_ties_there_is_one_lift():
    """Of ten leads two convert; the best of the list is one of them: five times the average."""
    lift = tie_aware_lift(np.arange(10.0), np.arange(10) >= 8, shares=(0.1,))[0]
    assert (lift.worst, lift.expected, lift.best) == (5, 5, 5)
