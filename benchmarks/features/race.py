"""Run each contestant in a process of its own, within limits of time and memory."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.features import contestants
from benchmarks.features.cases import THREADS, Case

TIME_LIMIT_SECONDS = 900.0
MEMORY_LIMIT_GB = 14.0
_GLANCE_SECONDS = 0.1
_ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Lap:
    """What one contestant did in one case.

    Attributes:
        contestant: Its name.
        formulation: The way in which it was written.
        outcome: ``ok``, ``reference`` (the others are compared with it), ``differs``, or why
            it did not finish.
        seconds: Files to finished frame; NaN where it did not finish.
        cpu_seconds: Processor time of the same span, all threads.
        system_seconds: The part of it spent in the operating system: mostly on fresh memory.
        peak_gb: Peak resident memory, 10^9 bytes.
        first_call_seconds: The first call on a tiny input, in which compilers run.
        differences: Columns that differ from the reference.
    """

    contestant: str
    formulation: str
    outcome: str
    seconds: float = float("nan")
    cpu_seconds: float = float("nan")
    system_seconds: float = float("nan")
    peak_gb: float = float("nan")
    first_call_seconds: float = float("nan")
    differences: tuple[Mapping[str, object], ...] = field(default=())

    @property
    def is_finished(self) -> bool:
        """Whether it finished with the same numbers as the others."""
        return self.outcome in ("ok", "reference")


def race(case: Case, *, quick: bool, all_formulations: bool) -> list[Lap]:
    """Return the laps of all contestants in *case*, one after the other.

    The first to finish writes the reference to a temporary folder on disk; every later one is
    compared with it on all rows and columns.
    """
    with tempfile.TemporaryDirectory(prefix="leadlight-race-") as scratch:
        return [
            _lap(case, name, formulation, quick=quick, scratch=Path(scratch))
            for name, formulation in _line_up(case, all_formulations=all_formulations)
        ]


def _line_up(case: Case, *, all_formulations: bool) -> Iterator[tuple[str, str]]:
    for name in contestants.NAMES:
        best = (contestants.best_formulation(name, case.name),)
        for formulation in contestants.formulations(name) if all_formulations else best:
            yield name, formulation


def _lap(case: Case, name: str, formulation: str, *, quick: bool, scratch: Path) -> Lap:
    result = scratch / f"{name}-{formulation}.json"
    options = {
        "--contestant": name,
        "--formulation": formulation,
        "--case": case.name,
        "--reference": str(scratch / "reference"),
        "--result": str(result),
    }
    command = [sys.executable, "-m", "benchmarks.features.lap", *(word for pair in options.items() for word in pair)]
    stopped = _run([*command, "--quick"] if quick else command, log=scratch / "log.txt")
    if stopped or not result.exists():
        last = (scratch / "log.txt").read_text(encoding="utf-8", errors="replace").strip().splitlines()[-1:]
        return Lap(name, formulation, stopped or "; ".join(["failed", *last]))
    return _read(name, formulation, json.loads(result.read_text(encoding="utf-8")))


def _read(name: str, formulation: str, measured: dict[str, object]) -> Lap:
    differences = measured.pop("differences")
    is_reference = measured.pop("is_reference")
    outcome = "differs" if differences else "reference" if is_reference else "ok"
    numbers = {key: float(str(value)) for key, value in measured.items()}
    return Lap(name, formulation, outcome, differences=tuple(differences), **numbers)  # type: ignore[arg-type]


def _run(command: list[str], *, log: Path) -> str:
    """Run *command*; return why it was stopped, or an empty text."""
    with log.open("wb") as sink, _started(command, sink) as process:
        begun = time.monotonic()
        while process.poll() is None:
            if time.monotonic() - begun > TIME_LIMIT_SECONDS:
                return f"stopped after {TIME_LIMIT_SECONDS / 60:.0f} min"
            if _resident_gb(process.pid) > MEMORY_LIMIT_GB:
                return f"stopped at {MEMORY_LIMIT_GB:.0f} GB"
            time.sleep(_GLANCE_SECONDS)
    return ""


@contextmanager
def _started(command: list[str], sink: object) -> Iterator[subprocess.Popen[bytes]]:
    """Start *command* on two threads; whatever happens, it does not outlive the block."""
    threads = dict.fromkeys(("POLARS_MAX_THREADS", "NUMBA_NUM_THREADS", "OMP_NUM_THREADS"), str(THREADS))
    environment = os.environ | threads
    process = subprocess.Popen(command, cwd=_ROOT, env=environment, stdout=sink, stderr=subprocess.STDOUT)  # type: ignore[call-overload]  # noqa: S603
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def _resident_gb(pid: int) -> float:
    try:
        status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    except OSError:  # it has just ended
        return 0.0
    resident = (line for line in status.splitlines() if line.startswith("VmRSS:"))
    return sum(int(line.split()[1]) * 1024 / 1e9 for line in resident)


def finished(laps: Iterable[Lap], *names: str) -> list[Lap]:
    """Return the laps of the contestants *names* that finished, fastest first."""
    return sorted((lap for lap in laps if lap.contestant in names and lap.is_finished), key=lambda lap: lap.seconds)
