"""The benchmarks of gate and intervals run, and their last lines can be read by a program."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

#: The folder that holds `benchmarks`: the checkout, or the copy beside the wheel.
FOLDER = Path(__file__).parents[2]


def figures_of(name: str) -> tuple[int, dict]:
    """Run the quick form of a benchmark; return its exit code and figures."""
    done = subprocess.run(
        [sys.executable, "-m", f"benchmarks.{name}", "--quick"],
        cwd=FOLDER,
        env={**os.environ, "COLUMNS": "150"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout, done.stderr
    return done.returncode, json.loads(done.stdout.splitlines()[-1])


@pytest.mark.slow
def test_the_gate_lets_no_worse_model_through() -> None:
    """Three worse challengers, truly behind, are refused, whether the champion is fresh or old."""
    code, figures = figures_of("gate")
    worse = figures["worse"]
    assert worse["least_behind"] >= 0.005
    assert (worse["retrains"], worse["called_better"], worse["promoted_over_old"]) == (3, 0, 0)
    assert code == (0 if figures["equal"]["called_better"] <= 1 else 1)


@pytest.mark.slow
def test_intervals_are_counted_cell_by_cell() -> None:
    """Too small a shop for a cell of 500 snapshots says so with none, and still knows the truth."""
    code, figures = figures_of("coverage")
    shop = figures["synthetic_shop"]
    assert shop["folds"] == 2
    assert shop["covered"] <= shop["cells"]
    assert 0 < shop["true_inside"] < 1
    assert code == (0 if shop["covered"] >= 0.95 * shop["cells"] else 1)
