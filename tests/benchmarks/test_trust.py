"""The benchmarks of gate and intervals run, and end with 1 where what they guard does not hold."""

import pytest

from benchmarks.gate import holds


def counted(*, better: int, over_old: int = 0, equal: int = 0) -> dict[str, dict[str, float]]:
    """Return the figures of 200 retrains of each kind."""
    worse = {"retrains": 200, "called_better": better, "promoted_over_old": over_old}
    return {"worse": worse, "equal": {"retrains": 200, "called_better": equal, "promoted_over_old": 100}}


@pytest.mark.parametrize(
    ("figures", "is_held"),
    [
        (counted(better=0, equal=15), True),
        (counted(better=0, equal=16), False),
        (counted(better=1), False),
        (counted(better=0, over_old=1), False),
    ],
)
def test_one_worse_model_or_too_many_equals_break_the_gate(figures, is_held) -> None:
    """Of 200 equals, 15 may pass by chance; of the worse ones none."""
    assert holds(figures) == is_held


@pytest.mark.slow
def test_the_gate_lets_no_worse_model_through(quick_form) -> None:
    """Three worse challengers, truly behind, are refused, whether the champion is fresh or old."""
    done, figures = quick_form("gate")
    worse = figures["worse"]
    assert worse["least_behind"] >= 0.005
    assert (worse["retrains"], worse["called_better"], worse["promoted_over_old"]) == (3, 0, 0)
    assert done.returncode == (0 if holds(figures) else 1)


@pytest.mark.slow
def test_intervals_are_counted_cell_by_cell(quick_form) -> None:
    """Too small a shop for a cell of 500 snapshots says so with none, and still knows the truth."""
    done, figures = quick_form("coverage")
    shop = figures["synthetic_shop"]
    assert shop["folds"] == 2
    assert shop["covered"] <= shop["cells"]
    assert 0 < shop["true_inside"] < 1
    assert done.returncode == (0 if shop["covered"] >= 0.95 * shop["cells"] else 1)
