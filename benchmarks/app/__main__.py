"""``python -m benchmarks.app [--quick]``: pages of the published scores while a nightly run replaces them.

A workspace of 1 M scored leads with 90 nights of history is drawn once (`benchmarks.app.shop`; kept in ``--folder``).
Then twenty readers ask, each thinking for a second on average between two asks (`benchmarks.app.mix`), while another
process stores and publishes one night after the other on the same cores (`benchmarks.app.nightly`). Every answer is
checked: all of it must be of one run.

Two ways of reading are measured. *api* asks the reading API on twenty threads of one process: there is no load
generator beside it. *http* asks the web app, a uvicorn process of its own, over connections that stay open. There the
readers live in a third process and take processor time from the other two; what a reader's own thread computed during
an ask (sending, reading, checking) is taken off that ask's seconds, and nothing else is: the time it waited for a core
stays in. Both figures are printed.

Ends with 0 when the list's p95 is at most 150 ms, a lead's at most 100 ms, nothing failed, no answer was of two runs,
and the reading process stayed within 1.5 GB.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from typing import Any

from rich.console import Console

from benchmarks.app.report import judged, table_of

ROOM = Path(__file__).resolve().parents[2]
NIGHTS = 90


def main() -> int:
    """Prepare, read under load, print, and return 0 when the bounds hold (a quick run is too small to judge)."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.app", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="5,000 leads and ten seconds")
    parser.add_argument("--leads", type=int, default=1_000_000)
    parser.add_argument("--seconds", type=float, default=120)
    parser.add_argument("--readers", type=int, default=20)
    parser.add_argument("--think", type=float, default=1.0, help="mean seconds between two asks of one reader")
    parser.add_argument("--folder", type=Path, help="where the workspace is kept for the next time")
    parser.add_argument("--alone", action="store_true", help="without a nightly run beside")
    asked = parser.parse_args()
    if asked.quick:
        asked.leads, asked.seconds, asked.think = 5_000, 6, 0.2
    with tempfile.TemporaryDirectory() as kept_nowhere:
        folder = asked.folder or Path(kept_nowhere)
        errors = Console(stderr=True)
        errors.print(f"drawing {asked.leads:,} leads and {NIGHTS} nights")
        _run("benchmarks.app.prepared", str(folder), "--leads", str(asked.leads), "--nights", str(NIGHTS))
        errors.print(f"reading for {asked.seconds:.0f} s")
        found, nights = _read_under_load(folder, asked)
    told = judged(found, nights)
    Console(width=None if sys.stdout.isatty() else 140).print(table_of(told))
    sys.stdout.write(json.dumps(told) + "\n")
    return 0 if asked.quick or told["is_within_bounds"] else 1


def _read_under_load(folder: Path, asked: argparse.Namespace) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    nights: list[dict[str, Any]] = []
    reading = ("benchmarks.app.api", str(folder), "--seconds", str(asked.seconds), "--readers", str(asked.readers),
               "--think", str(asked.think))  # fmt: skip
    if asked.alone:
        return json.loads(_run(*reading).splitlines()[-1]), nights
    first = int(_run("benchmarks.app.prepared", str(folder), "--next-night").splitlines()[-1])
    nightly = [sys.executable, "-m", "benchmarks.app.nightly", str(folder), "--leads", str(asked.leads)]
    night_after_night = subprocess.Popen(  # noqa: S603 - our own
        [*nightly, "--from", str(first)], cwd=ROOM, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    listening = threading.Thread(target=lambda: nights.extend(map(json.loads, night_after_night.stdout or ())))
    listening.start()
    try:
        found = json.loads(_run(*reading).splitlines()[-1])
    finally:
        if night_after_night.stdin:
            night_after_night.stdin.close()
        listening.join()
        code = night_after_night.wait()
    if code:
        sys.exit(f"the nightly run failed with {code}")
    return found, nights


def _run(*command: str) -> str:
    done = subprocess.run(  # noqa: S603 - our own
        [sys.executable, "-m", *command], cwd=ROOM, stdout=subprocess.PIPE, text=True, check=True
    )  # fmt: skip
    return done.stdout


if __name__ == "__main__":
    sys.exit(main())
