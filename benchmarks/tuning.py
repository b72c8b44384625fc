"""``python -m benchmarks.tuning [--quick]``: what thirty trials cost, and that a killed study goes on where it stood.

A shop of 200 k snapshots (50 k leads at four as_ofs) with 60 features is tuned in a process of its own. While trial 10
runs, the process is killed (SIGKILL); a second one goes on. Printed are the wall time of both with all that they
prepare, their peak memory, the trial at which the second began, and what was found. Every trial has one number, and
each number occurs once.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

GB = 2**20  # ru_maxrss counts KiB
FINISHED = ("COMPLETE", "PRUNED")
LOOKS_PER_SECOND = 20


@dataclass(frozen=True)
class Asked:
    """How large the study is, and at which trial it is killed."""

    rows: int
    trials: int
    killed_at: int


@dataclass(frozen=True)
class Result:
    """What was measured; seconds are of the wall clock."""

    rows: int
    rows_seen: int
    features: int
    rounds: int
    trials: int
    pruned: int
    killed_at: int
    resumed_at: int
    numbers: list[int]
    wall_seconds: float
    prepare_seconds: float
    mean_trial_seconds: float
    peak_gb: float
    default: float
    best: float
    gain: float
    bar: float
    is_used: bool


def tune(asked: Asked, database: Path) -> dict[str, Any]:
    """Go on with the study, or begin it, and return how it stands: what the child process does."""
    from benchmarks.train_score import shop
    from models.tuning import TuningConfig, begun

    table = shop(asked.rows)
    began = time.perf_counter()
    config = TuningConfig(trials=asked.trials, seconds=float("inf"))
    with begun(table, config, database=database, asks="benchmark", fingerprint=str(asked.rows)) as study:
        prepared = time.perf_counter() - began
        study.run(clock=time.perf_counter, watch=lambda _: None)
        result = study.result()
    assert result is not None
    return {
        "rows_seen": result.rows_seen,
        "features": len(table.features),
        "rounds": len(result.rounds),
        "trials": len(result.trials),
        "pruned": sum(trial.state == "pruned" for trial in result.trials),
        "resumed_at": result.begun_at,
        "numbers": [trial.number for trial in result.trials],
        "prepare_seconds": prepared,
        "mean_trial_seconds": sum(trial.seconds for trial in result.trials) / len(result.trials),
        "default": result.default.value,
        "best": result.best.value,
        "gain": result.gain.value,
        "bar": result.gain.bar,
        "is_used": result.tuned is not None,
        "peak_gb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / GB,
    }


def measure(asked: Asked, folder: Path, console: Console) -> Result:
    """Run the study in two processes, the first one killed half-way."""
    database = folder / "tuning.db"
    began = time.perf_counter()
    console.print(f"tuning until trial {asked.killed_at}, then killing", highlight=False)
    _kill_during(asked.killed_at, _child(asked, database), database)
    console.print("killed; going on", highlight=False)
    second = _child(asked, database)
    printed, _ = second.communicate()
    wall = time.perf_counter() - began
    assert second.returncode == 0, printed
    found = json.loads(printed.splitlines()[-1])
    peak = max(found.pop("peak_gb"), resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / GB)
    return Result(rows=asked.rows, killed_at=asked.killed_at, wall_seconds=wall, peak_gb=peak, **found)


def _child(asked: Asked, database: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "benchmarks.tuning", "--child", str(database), json.dumps(asdict(asked))]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=os.environ)  # noqa: S603 - ourselves


def _kill_during(trial: int, child: subprocess.Popen[str], database: Path) -> None:
    """Kill *child* while trial number *trial* runs: as many are finished, and one is not."""
    while child.poll() is None:
        states = _states(database)
        if sum(state in FINISHED for state in states) == trial and "RUNNING" in states:
            child.send_signal(signal.SIGKILL)
            break
        time.sleep(1 / LOOKS_PER_SECOND)
    child.communicate()
    assert child.returncode == -signal.SIGKILL, "the study ended before it could be killed"


def _states(database: Path) -> list[str]:
    """Return the state of every trial in the file; none while it is being made."""
    if not database.exists():
        return []
    try:
        with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True, timeout=1)) as connection:
            return [state for (state,) in connection.execute("select state from trials")]
    except sqlite3.OperationalError:
        return []


def report(result: Result) -> Table:
    """Return the table for people."""
    title = f"{result.trials} trials on {result.rows:,} rows × {result.features} features"
    table = Table("", "", title=title, title_justify="left", show_header=False)
    for words, value in (
        ("wall time, both processes, all they prepare included", f"{result.wall_seconds:.0f} s"),
        ("of it preparing folds and linear parts, each time", f"{result.prepare_seconds:.0f} s"),
        ("a trial, on average", f"{result.mean_trial_seconds:.1f} s"),
        ("peak memory", f"{result.peak_gb:.2f} GB"),
        ("rows before the hold-out that trials see, rounds", f"{result.rows_seen:,}, {result.rounds}"),
        ("given up on the way", f"{result.pruned}"),
        ("killed during trial", f"{result.killed_at}"),
        ("resumed at trial", f"{result.resumed_at}"),
        ("log-loss by default, best", f"{result.default:.4f}, {result.best:.4f}"),
        ("gain, and what it must exceed", f"{result.gain:.4f}, {result.bar:.4f}"),
    ):
        table.add_row(words, value)
    return table


def main() -> int:
    """Measure, print, and return 0 when the study resumed at the trial that was killed, no number twice."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.tuning", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="4,000 rows and 5 trials: seconds")
    parser.add_argument("--rows", type=int, default=200_000, help="snapshots, four per lead")
    parser.add_argument("--trials", type=int, default=30, help="trials of the study")
    parser.add_argument("--child", nargs=2, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.child:
        found = tune(Asked(**json.loads(given.child[1])), Path(given.child[0]))
        sys.stdout.write(json.dumps(found) + "\n")
        return 0
    asked = Asked(4_000, 5, 2) if given.quick else Asked(given.rows, given.trials, 10)
    with tempfile.TemporaryDirectory(prefix="leadlight-") as folder:
        result = measure(asked, Path(folder), Console(stderr=True))
    Console(width=None if sys.stdout.isatty() else 140).print(report(result))
    sys.stdout.write(json.dumps(asdict(result)) + "\n")
    return 0 if result.resumed_at == asked.killed_at and result.numbers == list(range(asked.trials)) else 1


if __name__ == "__main__":
    sys.exit(main())
