"""The small form of a benchmark, run as a person runs it."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

#: The folder that holds `benchmarks`: the checkout, or the copy beside the wheel.
FOLDER = Path(__file__).parents[2]


@pytest.fixture
def quick_form() -> Callable[[str], tuple[subprocess.CompletedProcess[str], Any]]:
    """Return a function that runs ``benchmarks.NAME --quick``: the finished process, and its last line as JSON."""

    def run(name: str) -> tuple[subprocess.CompletedProcess[str], Any]:
        done = subprocess.run(
            [sys.executable, "-m", f"benchmarks.{name}", "--quick"],
            cwd=FOLDER,
            env={**os.environ, "COLUMNS": "150"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.stdout, done.stderr
        return done, json.loads(done.stdout.splitlines()[-1])

    return run
