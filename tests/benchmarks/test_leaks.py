"""The benchmark of planted leaks runs, and its last line can be read by a program."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

#: The folder that holds `benchmarks`: the checkout, or the copy beside the wheel.
FOLDER = Path(__file__).parents[2]


@pytest.mark.slow
def test_each_kind_of_leak_is_caught_by_name_at_its_weakest_and_the_clean_shop_is_not() -> None:
    """Six weak plants in a small shop are caught, and two clean shops raise nothing."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.leaks", "--quick"],
        cwd=FOLDER,
        env={**os.environ, "COLUMNS": "150"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    figures = json.loads(done.stdout.splitlines()[-1])
    assert [(one["kind"], one["caught"]) for one in figures["plants"]] == [
        (kind, True) for kind in ("closing", "closing, in an attribute", "backfilled", "clock", "cohort", "overlap")
    ]
    assert (figures["clean_seeds"], figures["false_alarms"]) == (2, 0)
