"""Whether probabilities and their intervals hold."""

import numpy as np
import pytest

from models.model import sigmoid
from models.reliability import cells, reliability


def drawn(n: int, seed: int, *, shift: float = 0.0, stretch: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    """Return log-odds and labels; true log-odds are ``shift + stretch · log_odds``."""
    rng = np.random.default_rng(seed)
    log_odds = rng.normal(-2, 1, n)
    return log_odds, rng.random(n) < sigmoid(shift + stretch * log_odds)


def test_true_probabilities_hold_about_nineteen_times_in_twenty():
    """Under labels drawn from the probabilities themselves, the threshold by chance is passed about 5 % of the time."""
    found = [reliability(*drawn(400, seed), seed=seed) for seed in range(200)]
    exceeded = np.mean([one.ece > one.by_chance for one in found])
    assert 0.01 <= exceeded <= 0.11


@pytest.mark.parametrize(("shift", "stretch"), [(0.5, 1.0), (-0.6, 1.0), (-1.0, 0.4)])
def test_probabilities_that_are_off_do_not_hold(shift, stretch):
    """A shifted base rate and probabilities that are too extreme are noticed on 5,000 rows."""
    found = reliability(*drawn(5000, 1, shift=shift, stretch=stretch))
    assert not found.holds
    assert found.ece > found.by_chance


def test_a_small_error_is_no_matter_on_many_rows():
    """On 200,000 rows an error of about a thousandth is more than chance, and is let pass."""
    found = reliability(*drawn(200_000, 2, shift=0.03))
    assert found.ece > found.by_chance
    assert found.holds


def test_the_order_of_rows_changes_nothing():
    """Shuffled rows give the same error, expectation and band, ties included."""
    log_odds, converted = drawn(1000, 3)
    log_odds = np.round(log_odds, 1)
    shuffle = np.random.default_rng(0).permutation(1000)
    assert reliability(log_odds, converted) == reliability(log_odds[shuffle], converted[shuffle])
    low, high = sigmoid(log_odds - 0.2), sigmoid(log_odds + 0.2)
    assert cells(log_odds, low, high, converted) == cells(
        log_odds[shuffle], low[shuffle], high[shuffle], converted[shuffle]
    )


def test_cells_are_covered_by_true_bounds_and_not_by_wrong_ones():
    """Bounds around the true probability cover nearly every tenth; bounds far above it cover none."""
    log_odds, converted = drawn(20_000, 4)
    true = cells(log_odds, sigmoid(log_odds - 0.1), sigmoid(log_odds + 0.1), converted)
    wrong = cells(log_odds, sigmoid(log_odds + 1.0), sigmoid(log_odds + 1.2), converted)
    assert sum(cell.rows for cell in true) == 20_000
    assert sum(cell.is_covered for cell in true) >= 9
    assert not any(cell.is_covered for cell in wrong)


def test_a_cell_by_hand():
    """Of 100 equal rows at 10 % to 20 %, 5 to 28 conversions lie inside the band, and ties are never torn apart."""
    found = cells(np.full(100, -2.0), np.full(100, 0.1), np.full(100, 0.2), np.arange(100) % 10 == 0)
    assert [(cell.rows, cell.conversions, cell.least, cell.most) for cell in found] == [(100, 10, 5, 28)]
    assert found[0].is_covered
