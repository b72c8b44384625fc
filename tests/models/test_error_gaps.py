"""Error gaps: fairlearn's figures, our intervals over people."""

import numpy as np
import pytest
from fairlearn import metrics

from models.bands import Levels
from models.error_gaps import Selected, error_gaps, rates

# Two groups of four rows: a finds both of its conversions and calls one in vain, b finds one of two.
SELECTED = np.array([True, True, True, False, True, False, False, False])
CONVERTED = np.array([True, True, False, False, True, True, False, False])
GROUP = np.array([0, 0, 0, 0, 1, 1, 1, 1])
LEAD = np.arange(8, dtype=np.uint64)
LEVELS = Levels(("a", "b"), GROUP)


def test_two_groups_checked_by_hand():
    """3 of 4 against 1 of 4 selected; 2 of 2 against 1 of 2 found; 1 of 2 against 0 of 2 called in vain."""
    found = error_gaps(Selected(SELECTED, CONVERTED, LEAD), LEVELS, compared=[0, 1])
    a, b = found.groups
    assert [one.value for one in (a.selection_rate, a.true_positive_rate, a.false_positive_rate)] == [0.75, 1.0, 0.5]
    assert [one.value for one in (b.selection_rate, b.true_positive_rate, b.false_positive_rate)] == [0.25, 0.5, 0.0]
    assert found.demographic_parity_difference.value == 0.5
    assert found.equalized_odds_difference.value == 0.5


def test_one_group_has_nobody_to_be_compared_with():
    """Fewer than two groups large enough: no gap is claimed."""
    assert error_gaps(Selected(SELECTED, CONVERTED, LEAD), LEVELS, compared=[0]) is None


@pytest.mark.parametrize("seed", range(4))
def test_the_fast_rates_are_fairlearns(seed):
    """What is resampled is the same as what fairlearn computes, weights included."""
    rng = np.random.default_rng(seed)
    n = 60
    selected = Selected(rng.random(n) < 0.4, rng.random(n) < 0.5, np.arange(n, dtype=np.uint64))
    group, weight = rng.integers(0, 3, n), rng.poisson(1.0, n) + 0.5
    mine = rates(selected, group, 3, weight).reshape(3, 3)
    functions = (metrics.selection_rate, metrics.true_positive_rate, metrics.false_positive_rate)
    for row, function in zip(mine, functions, strict=True):
        theirs = metrics.MetricFrame(
            metrics=function,
            y_true=selected.converted.astype(int),
            y_pred=selected.is_selected.astype(int),
            sensitive_features=group,
            sample_params={"sample_weight": weight},
        ).by_group
        assert row == pytest.approx(theirs.to_numpy(dtype=float), nan_ok=True)


def test_levels_left_out_of_the_comparison_change_no_figure():
    """Who gave no value, and groups too small, are in nobody's gap."""
    more = Levels(("a", "b", "not known"), np.append(GROUP, [2, 2]))
    wide = Selected(
        np.append(SELECTED, [True, True]), np.append(CONVERTED, [False, False]), np.arange(10, dtype=np.uint64)
    )
    found = error_gaps(wide, more, compared=[0, 1])
    assert found.demographic_parity_difference.value == 0.5
    assert [group.level for group in found.groups] == ["a", "b"]


def drawn(*, rows_each, seed=0, apart=0.0):
    """Return groups of 200 people whose rows are all alike, and how they were selected."""
    rng = np.random.default_rng(seed)
    group = rng.integers(0, 2, 400)
    converted = rng.random(400) < 0.5
    selected = rng.random(400) < 0.4 + apart * group * converted
    lead = np.arange(400, dtype=np.uint64)
    repeated = [np.repeat(one, rows_each) for one in (selected, converted, lead, group)]
    return Selected(*repeated[:3]), Levels(("a", "b"), repeated[3])


def test_rows_of_one_person_are_no_new_evidence():
    """Every row said five times: the same gap, the same interval."""
    once = error_gaps(*drawn(rows_each=1), compared=[0, 1])
    often = error_gaps(*drawn(rows_each=5), compared=[0, 1])
    for name in ("demographic_parity_difference", "equalized_odds_difference"):
        one, other = getattr(once, name), getattr(often, name)
        assert (one.value, one.low, one.high) == pytest.approx((other.value, other.low, other.high))
        assert one.low <= one.value <= one.high


def test_groups_are_called_apart_only_when_their_intervals_are():
    """A gap of forty points shows; chance does not."""
    assert error_gaps(*drawn(rows_each=1, apart=0.4), compared=[0, 1]).apart()
    assert not error_gaps(*drawn(rows_each=1), compared=[0, 1]).apart()
