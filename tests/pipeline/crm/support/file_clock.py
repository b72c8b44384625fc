"""Time that several processes share: it lies in a file, and passes only while somebody sleeps.

python -m support.file_clock FOLDER CALLS SECONDS TURNS    takes turns by it when told to, and prints their moments
"""

from __future__ import annotations

import fcntl
import os
import sys
import threading
from pathlib import Path
from typing import Final, Self

from pyrate_limiter import SQLiteBucket

from pipeline.crm.turns import Limit, SharedTurns

_LEAST_NS: Final = 20_000_000
"""Whoever sleeps wakes up late, as on a machine that is busy."""


class FileClock:
    """A clock without time.

    Args:
        path: Where its nanoseconds lie.
    """

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_RDWR | os.O_CREAT)
        self._mine = threading.Lock()
        self._read = threading.local()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        os.close(self._file)

    def now_ns(self) -> int:
        """Return the time, and remember it as what this thread saw last."""
        self._read.last = self._passed(0)
        return int(self._read.last)

    @property
    def last_seen_ns(self) -> int:
        """What this thread saw last; for whoever was given a turn, its moment."""
        return int(self._read.last)

    def sleep(self, seconds: float) -> None:
        """Let time pass."""
        self._passed(max(_LEAST_NS, round(seconds * 1e9)))

    def _passed(self, more_ns: int) -> int:
        with self._mine:
            fcntl.flock(self._file, fcntl.LOCK_EX)
            now = int.from_bytes(os.pread(self._file, 8, 0), "little") + more_ns
            os.pwrite(self._file, now.to_bytes(8, "little"), 0)
            fcntl.flock(self._file, fcntl.LOCK_UN)
        return now


def moments_of_turns(clock: FileClock, folder: Path, limits: list[Limit], turns: int) -> list[float]:
    """Take turns, and return the moment at which each was given."""
    taking, moments = SharedTurns(folder, "account", limits, sleep=clock.sleep), []
    for _ in range(turns):
        taking.take()
        moments.append(clock.last_seen_ns / 1e9)
    taking.close()
    return moments


def main() -> None:
    """Take turns in a process of its own, once a line of stdin says so."""
    folder, calls, seconds, turns = sys.argv[1:]
    with FileClock(Path(folder) / "clock") as clock:
        SQLiteBucket.now = lambda _: clock.now_ns() // 1_000_000  # type: ignore[method-assign]
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        sys.stdin.readline()
        moments = moments_of_turns(clock, Path(folder), [Limit(int(calls), float(seconds))], int(turns))
        sys.stdout.writelines(f"{moment}\n" for moment in moments)


if __name__ == "__main__":
    main()
