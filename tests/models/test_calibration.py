"""The blend trusts what survives: other people, and later times."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.calibration import HeldOut, fit_blend
from models.model import sigmoid

N = 6000


def held_out(
    *, linear: float = 1.0, trees: float = 1.0, blocks: int = 0, later_trees: float | None = None, shift: float = 0.0
) -> HeldOut:
    """Return margins whose parts carry the given shares of two independent signals.

    The truth is the sum of both signals. Each part tells its own, at the given scale; 0 is pure noise. In forward
    blocks the base rate lies *shift* off, and the trees' signal may have another scale.
    """
    rng = np.random.default_rng(0)
    signals = rng.normal(size=(2, N))
    noise = rng.normal(size=(2, N))
    block = np.arange(N) % (blocks + 1)
    tree_scale = np.where(block > 0, trees if later_trees is None else later_trees, trees)
    converted = rng.random(N) < sigmoid(signals.sum(axis=0) - 1 + shift * (block > 0))
    told = np.where(linear, signals[0] * linear, noise[0]) - 1, np.where(tree_scale, signals[1] * tree_scale, noise[1])
    return HeldOut(np.arange(N), *told, converted, block)


PEOPLE = np.arange(N, dtype=np.uint64)


def test_few_conversions_leave_the_blend_at_half_and_half() -> None:
    """With five rows the penalty speaks louder than the data."""
    few = held_out().take(np.arange(5))
    blend = fit_blend(few, PEOPLE[:5], conversions=1000).blend
    assert (blend.b, blend.w_linear, blend.w_trees) == pytest.approx((0.0, 0.5, 0.5), abs=0.05)


def test_many_conversions_find_the_weights_of_the_truth() -> None:
    """Parts that tell independent halves of the truth at half its size get the weight 2 each."""
    blend = fit_blend(held_out(linear=0.5, trees=0.5), PEOPLE, conversions=10).blend
    assert (blend.w_linear, blend.w_trees) == pytest.approx((2.0, 2.0), abs=0.25)


def test_a_part_that_tells_nothing_is_given_no_weight() -> None:
    """Trees of pure noise get almost nothing."""
    assert fit_blend(held_out(trees=0.0), PEOPLE, conversions=500).blend.w_trees < 0.1


@given(st.floats(-2, 2), st.floats(-2, 2), st.integers(0, 3))
def test_no_weight_is_negative(linear: float, trees: float, blocks: int) -> None:
    """Even where a part points the wrong way, its weight ends at zero, so probabilities rise with each part."""
    blend = fit_blend(held_out(linear=linear, trees=trees, blocks=blocks), PEOPLE, conversions=100).blend
    assert blend.w_linear >= 0
    assert blend.w_trees >= 0


def test_trees_that_fail_later_lose_weight() -> None:
    """Trees that shine among contemporaries and mislead in later blocks are trusted less than without the blocks."""
    now = fit_blend(held_out(), PEOPLE, conversions=100).blend
    later = fit_blend(held_out(blocks=2, later_trees=-0.5), PEOPLE, conversions=100).blend
    assert later.w_trees < 0.6 * now.w_trees
    assert later.w_linear > 0.8 * now.w_linear


def test_a_later_base_rate_is_not_paid_for_with_the_weights() -> None:
    """Blocks whose base rate lies two log-odds off get a shift of their own; b and the weights hardly move."""
    calm = fit_blend(held_out(blocks=2), PEOPLE, conversions=20)
    moved = fit_blend(held_out(blocks=2, shift=2.0), PEOPLE, conversions=20)
    assert moved.block_shifts == pytest.approx((2.0, 2.0), abs=0.3)
    assert moved.blend.b == pytest.approx(calm.blend.b, abs=0.2)
    assert moved.blend.w_trees == pytest.approx(calm.blend.w_trees, abs=0.15)


def test_a_blend_clearly_below_a_part_gives_way_to_that_part() -> None:
    """Where the newest block turns the trees around but the blend still leans on them, linear is used alone."""
    mostly_now = held_out(blocks=9, later_trees=1.0)
    newest = mostly_now.block == 9
    turned = HeldOut(
        mostly_now.rows,
        mostly_now.linear,
        np.where(newest, -mostly_now.trees, mostly_now.trees),
        mostly_now.converted,
        mostly_now.block,
    )
    found = fit_blend(turned, PEOPLE, conversions=100)
    assert found.alone == "linear"
    assert found.blend.w_trees == 0.0
    assert found.newest_loss[0] < found.newest_loss[2]


def test_a_blend_within_the_noise_of_its_better_part_stays() -> None:
    """Where a part is ahead by chance alone, the blend is kept."""
    assert fit_blend(held_out(blocks=2), PEOPLE, conversions=100).alone == ""
