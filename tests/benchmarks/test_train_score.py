"""The benchmark of training and scoring runs, and its last line can be read by a program."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

#: The folder that holds `benchmarks`: the checkout, or the copy beside the wheel.
FOLDER = Path(__file__).parents[2]


@pytest.mark.slow
def test_a_quick_run_prints_a_table_and_ends_with_json() -> None:
    """Small data: the log-odds agree with LightGBM's own predict plus the linear part, and every figure is there."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.train_score", "--quick"],
        cwd=FOLDER,
        env={**os.environ, "COLUMNS": "140"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    figures = json.loads(done.stdout.splitlines()[-1])
    assert figures["rows"] == 8000
    assert figures["features"] == 60
    assert {"train_ratio", "score_ratio", "train_peak_gb", "train_seconds", "score_seconds"} <= figures.keys()
    assert figures["roc_auc"] > 0.6
    assert "8,000 rows × 60 features" in done.stdout
