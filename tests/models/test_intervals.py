"""The Venn–Abers interval holds the point and widens with doubt."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.intervals import MOST_LEVELS, VennAbers, fit_venn_abers
from models.model import sigmoid


def calibrated(n: int, seed: int = 0, *, decimals: int = 9) -> tuple[np.ndarray, np.ndarray]:
    """Return margins and labels drawn from them."""
    rng = np.random.default_rng(seed)
    margins = np.round(rng.normal(-1.0, 1.5, n), decimals)
    return margins, rng.random(n) < sigmoid(margins)


@given(st.integers(2, 300), st.integers(0, 500), st.lists(st.floats(-50, 50), min_size=1))
def test_the_interval_holds_the_point(n: int, seed: int, asked: list[float]) -> None:
    """0 <= low <= probability <= high <= 1, within the range of the margins seen and far beyond it."""
    low, high = fit_venn_abers(*calibrated(n, seed, decimals=1)).around(np.array(asked))
    probability = sigmoid(np.array(asked))
    assert np.all((low >= 0) & (low <= probability) & (probability <= high) & (high <= 1))


@given(st.integers(2, 200), st.integers(0, 500))
def test_both_steps_rise_and_never_cross(n: int, seed: int) -> None:
    """A higher margin lowers neither bound, and the bound with the lead as a conversion is the upper one."""
    fitted = fit_venn_abers(*calibrated(n, seed, decimals=1))
    low, high = fitted.around(np.linspace(-8, 8, 200))
    assert np.all(np.diff(low) >= -1e-12)
    assert np.all(np.diff(high) >= -1e-12)
    assert len(fitted.p0) == len(fitted.p1) == len(fitted.edges) + 1


def test_the_interval_of_one_margin_is_the_two_rates() -> None:
    """Three of ten rows at one margin convert: with one more row that is 3 of 11 or 4 of 11."""
    fitted = fit_venn_abers(np.zeros(10), np.arange(10) < 3)
    low, high = fitted.around(np.array([0.0]))
    assert (fitted.p0[1], fitted.p1[0]) == pytest.approx((3 / 11, 4 / 11))
    assert (low[0], high[0]) == pytest.approx((3 / 11, 0.5))


def test_more_rows_narrow_the_interval() -> None:
    """Twenty times the rows leave less than half the width."""

    def width(n: int) -> float:
        low, high = fit_venn_abers(*calibrated(n)).around(np.linspace(-2, 0, 50))
        return float(np.mean(high - low))

    assert width(10_000) < 0.5 * width(500)


def test_many_margins_are_gathered_into_levels() -> None:
    """A million distinct margins would take minutes and say no more than a thousand levels."""
    assert len(fit_venn_abers(*calibrated(20_000)).edges) == MOST_LEVELS


def test_importing_the_package_leaves_numpy_as_it_was() -> None:
    """The package silences division errors for the whole process; here they stay loud."""
    before = np.geterr()
    fit_venn_abers(*calibrated(20))
    assert np.geterr() == before


@pytest.mark.parametrize(("n", "decimals"), [(500, 1), (6000, 3)])
def test_the_order_of_rows_changes_nothing(n: int, decimals: int) -> None:
    """Shuffled rows give the same steps, also where many share a margin and margins are gathered into levels."""
    margins, converted = calibrated(n, decimals=decimals)
    shuffle = np.random.default_rng(3).permutation(n)
    assert fit_venn_abers(margins, converted) == fit_venn_abers(margins[shuffle], converted[shuffle])


def test_no_calibration_rows_mean_no_knowledge() -> None:
    """The empty interval reaches from 0 to 1."""
    low, high = VennAbers((), (0.0,), (1.0,)).around(np.array([0.3]))
    assert (low[0], high[0]) == (0.0, 1.0)
