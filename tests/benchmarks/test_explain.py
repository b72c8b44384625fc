"""The benchmark of explanations runs, its contestants agree, and it ends with one line of JSON."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

#: The folder that holds `benchmarks`: the checkout, or the copy beside the wheel.
FOLDER = Path(__file__).parents[2]


@pytest.mark.slow
def test_the_quick_form_ends_with_its_figures():
    """All contestants explain the same leads to 1e-4, and the last line holds the ratio to shap."""
    pytest.importorskip("shap")
    run = subprocess.run(
        [sys.executable, "-m", "benchmarks.explain", "--quick", "--threads", "1"],
        cwd=FOLDER,
        capture_output=True,
        text=True,
        check=True,
    )
    figures = json.loads(run.stdout.splitlines()[-1])
    for case in (figures, figures["trained"]):
        assert case["max_abs_diff"] <= 1e-4
        assert case["ratio_to_shap"] > 0
        assert set(case["rows_per_second"]) == {"leadlight", "woodelf", "shap"}
