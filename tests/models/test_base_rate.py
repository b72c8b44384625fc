"""How far the base rate moves, told from the chance of finite blocks."""

import numpy as np
import pytest

from models.base_rate import USUAL, reach_of_drift
from models.intervals import fit_venn_abers
from models.model import sigmoid


def blocks(spread: float, *, n: int, rows: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return margins, labels and blocks; each block's base rate moved by a normal draw of that *spread*."""
    rng = np.random.default_rng(seed)
    block = np.repeat(np.arange(n), rows)
    margins = rng.normal(-2, 1, len(block))
    moved = np.append(0.0, rng.normal(0, spread, n - 1))
    return margins, rng.random(len(block)) < sigmoid(margins + moved[block]), block


def test_what_does_not_move_has_less_reach_than_usual() -> None:
    """On average over forty shops, four still blocks halve the usual reach, and blocks that move as usual keep it."""
    still = np.mean([reach_of_drift(*blocks(0.0, n=5, rows=2000, seed=seed)) for seed in range(40)])
    moving = np.mean([reach_of_drift(*blocks(USUAL, n=5, rows=2000, seed=seed)) for seed in range(40)])
    assert still < 1.96 * USUAL / 2
    assert moving == pytest.approx(1.96 * USUAL, rel=0.25)


def test_many_blocks_give_the_spread_back() -> None:
    """From sixty blocks the spread of .3 comes back within a tenth, whatever the order of rows."""
    margins, converted, block = blocks(0.3, n=61, rows=1500, seed=1)
    found = reach_of_drift(margins, converted, block)
    assert found == pytest.approx(1.96 * 0.3, rel=0.15)
    shuffle = np.random.default_rng(0).permutation(len(block))
    assert reach_of_drift(margins[shuffle], converted[shuffle], block[shuffle]) == pytest.approx(found, abs=1e-9)


def test_without_blocks_a_shop_moves_as_shops_do() -> None:
    """Rows of block 0 and blocks of one kind say nothing; one block that moved far has its say."""
    margins, converted, block = blocks(2.0, n=2, rows=500, seed=2)
    usual = 1.96 * USUAL
    assert reach_of_drift(margins, converted, np.zeros_like(block)) == pytest.approx(usual)
    assert reach_of_drift(margins, converted | (block == 1), block) == pytest.approx(usual)
    assert reach_of_drift(margins + 2.0 * (block == 1), converted, block) > 2 * usual


def test_the_interval_leaves_room_for_the_reach_and_holds_the_point() -> None:
    """Both bounds are set off by the reach in odds; 0 and 1 stay, and the point stays inside."""
    rng = np.random.default_rng(3)
    margins = np.round(rng.normal(-1, 1.5, 400), 1)
    converted = rng.random(400) < sigmoid(margins)
    asked = np.linspace(-9, 9, 100)
    still, moving = (fit_venn_abers(margins, converted, drift=drift).around(asked) for drift in (0.0, 0.7))
    for (low, high), sign in ((still, 0), (moving, 1)):
        assert np.all((low >= 0) & (low <= sigmoid(asked)) & (sigmoid(asked) <= high) & (high <= 1)), sign
    inside = (still[0] > 0) & (still[1] < 1)
    for bound, moved, by in ((still[0], moving[0], -0.7), (still[1], moving[1], 0.7)):
        odds = bound[inside] / (1 - bound[inside])
        assert moved[inside] / (1 - moved[inside]) == pytest.approx(odds * np.exp(by))
