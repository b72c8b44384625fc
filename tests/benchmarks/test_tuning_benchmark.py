"""The benchmark of tuning runs, kills and resumes, and its last line can be read by a program."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

#: The folder that holds `benchmarks`: the checkout, or the copy beside the wheel.
FOLDER = Path(__file__).parents[2]


@pytest.mark.slow
def test_a_quick_run_kills_a_study_and_resumes_it_at_the_same_trial() -> None:
    """Killed during trial 2, the study of five trials goes on at trial 2, and every number occurs once."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.tuning", "--quick"],
        cwd=FOLDER,
        env={**os.environ, "COLUMNS": "140"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    figures = json.loads(done.stdout.splitlines()[-1])
    assert figures["killed_at"] == figures["resumed_at"] == 2
    assert figures["numbers"] == [0, 1, 2, 3, 4]
    assert {"wall_seconds", "peak_gb", "mean_trial_seconds"} <= figures.keys()
    assert "resumed at trial" in done.stdout
