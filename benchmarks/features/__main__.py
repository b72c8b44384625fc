"""``python -m benchmarks.features [--quick] [--case NAME]``: race, table, one line of JSON.

Exit code 0 when all contestants that ran computed the same, else 1.
"""

from __future__ import annotations

import argparse
import json
import signal
import sys

from rich.console import Console

from benchmarks.features import report
from benchmarks.features.cases import cases
from benchmarks.features.data import ensure
from benchmarks.features.race import race


def main() -> int:
    """Run the cases asked for, print them, and return the exit code."""
    asked = _arguments()
    # Being told to stop is an exit like any other: the running contestant ends, the scratch files go.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    console = Console(width=None if sys.stdout.isatty() else 140)
    summaries, is_equal = {}, True
    for name, case in cases(quick=asked.quick).items():
        if asked.case and name not in asked.case:
            continue
        dataset = ensure(case)
        laps = race(case, quick=asked.quick, all_formulations=asked.all_formulations)
        console.print(report.heading(case, dataset))
        console.print(report.table(laps))
        console.print(report.verdict(case, laps, quick=asked.quick))
        summaries[name] = report.summary(laps)
        is_equal &= all(lap.is_finished for lap in laps)
    sys.stdout.write(json.dumps(summaries) + "\n")
    return 0 if is_equal else 1


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.features", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a small form: seconds, a few hundred leads")
    parser.add_argument(
        "--case", action="append", choices=sorted(cases(quick=True)), help="only this case; may be repeated"
    )
    parser.add_argument("--all-formulations", action="store_true", help="race every way in which a peer is written")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
