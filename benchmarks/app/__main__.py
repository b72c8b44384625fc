"""``python -m benchmarks.app [--quick]``: pages of the published scores while a nightly run replaces them.

A workspace of 1 M scored leads with 90 nights of history is drawn once (`benchmarks.app.shop`; kept in ``--folder``).
Then twenty readers ask, each thinking for a second on average between two asks (`benchmarks.app.mix`), while another
process stores and publishes one night after the other on the same cores (`benchmarks.app.nightly`). Every answer is
checked: all of it must be of one run.

Two ways of reading are measured. *api* asks the reading API on twenty threads of one process. *http* asks the web app,
a uvicorn process of its own, over connections that stay open. There the readers live in a third process and take
processor time from the other two; what a reader's own thread computed during an ask (sending, receiving) is taken off
that ask's seconds, and nothing else is: the time it waited for a core stays in. Beside these seconds the table has
those that the app measured from a request's arrival to its last byte.

Ends with 0 when, over http, the list's p95 is at most 150 ms, a lead's at most 100 ms, nothing failed, no answer was of
two runs, the process that serves stayed within 1.5 GB, and readers saw the scores replaced at least once.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rich.console import Console

from benchmarks.app import NIGHTS
from benchmarks.app.report import judged, table_of

ROOM = Path(__file__).resolve().parents[2]


def main() -> int:
    """Prepare, read under load, print, and return 0 when the bounds hold (a quick run is too small to judge)."""
    asked = _asked()
    console, errors = Console(width=None if sys.stdout.isatty() else 140), Console(stderr=True)
    told = {}
    with tempfile.TemporaryDirectory() as kept_nowhere:
        folder = asked.folder or Path(kept_nowhere) / "shop"
        errors.print(f"drawing {asked.leads:,} leads and {NIGHTS} nights")
        _run("benchmarks.app.prepared", str(folder), "--leads", str(asked.leads), "--nights", str(NIGHTS))
        for way, read in (("api", _over_the_api), ("http", _over_http)):
            errors.print(f"reading over {way} for {asked.seconds:.0f} s")
            with _nights(folder, asked) as nights:
                found = read(folder, asked)
            told[way] = judged(found, nights)
            console.print(table_of(told[way], way))
    sys.stdout.write(json.dumps(told) + "\n")
    return 0 if asked.quick or told["http"]["is_within_bounds"] else 1


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.app", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="5,000 leads and a few seconds")
    parser.add_argument("--leads", type=int, default=1_000_000)
    parser.add_argument("--seconds", type=float, default=300)
    parser.add_argument("--readers", type=int, default=20)
    parser.add_argument("--think", type=float, default=1.0, help="mean seconds between two asks of one reader")
    parser.add_argument("--folder", type=Path, help="where the workspace is kept for the next time")
    parser.add_argument("--alone", action="store_true", help="without a nightly run beside")
    asked = parser.parse_args()
    if asked.quick:
        asked.leads, asked.seconds = 5_000, 5
    return asked


def _over_the_api(folder: Path, asked: argparse.Namespace) -> dict[str, Any]:
    return json.loads(_run("benchmarks.app.api", str(folder), *_reading(asked)).splitlines()[-1])


def _over_http(folder: Path, asked: argparse.Namespace) -> dict[str, Any]:
    with _started("benchmarks.app.served", str(folder)) as app:
        port = app.stdout.readline().strip()
        reading = _run("benchmarks.app.visiting", str(folder), port, *_reading(asked), "--leads", str(asked.leads))
        app.stdin.close()
        served = json.loads(app.stdout.read().splitlines()[-1])
    return {**json.loads(reading.splitlines()[-1]), **served}


def _reading(asked: argparse.Namespace) -> tuple[str, ...]:
    how = ("--seconds", str(asked.seconds), "--readers", str(asked.readers), "--think", str(asked.think))
    return (*how, "--editions", "1" if asked.alone else "2")


@contextmanager
def _nights(folder: Path, asked: argparse.Namespace) -> Iterator[list[dict[str, Any]]]:
    """Give the list of nights that are published meanwhile; it is whole at the end."""
    nights: list[dict[str, Any]] = []
    if asked.alone:
        yield nights
        return
    first = _run("benchmarks.app.prepared", str(folder), "--next-night").splitlines()[-1]
    # Beside tests on every core, who gives way would never come to an end.
    how = ("--from", first, *(("--priority", "normal") if asked.quick else ()))
    with _started("benchmarks.app.nightly", str(folder), "--leads", str(asked.leads), *how) as nightly:
        listening = threading.Thread(target=lambda: nights.extend(map(json.loads, nightly.stdout)))
        listening.start()
        yield nights
        nightly.stdin.close()
        listening.join()


@contextmanager
def _started(*command: str) -> Iterator[Any]:
    """Start a process that ends when its input is closed, and see to it that it does."""
    started = subprocess.Popen(  # noqa: S603 - our own
        [sys.executable, "-m", *command], cwd=ROOM, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        yield started
    except BaseException:
        started.kill()
        raise
    finally:
        if started.stdin:
            started.stdin.close()
        code = started.wait()
    if code:
        sys.exit(f"{command[0]} failed with {code}")


def _run(*command: str) -> str:
    done = subprocess.run([sys.executable, "-m", *command], cwd=ROOM, stdout=subprocess.PIPE, text=True, check=True)  # noqa: S603
    return done.stdout


if __name__ == "__main__":
    sys.exit(main())
