"""Running `leadlight publish` as a night does, in a process of its own, and the stand-in in another."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.app.memory import peak_gb

ROOM = Path(__file__).resolve().parents[2]
STAND_INS = ROOM / "tests" / "pipeline" / "crm"
_LOOKS_EVERY_S = 0.1


@dataclass(frozen=True)
class Published:
    """What one run of the command did.

    Attributes:
        seconds: Of wall clock, the start of Python included.
        peak_mb: The most memory that it held, with the processes that it started.
        code: Its exit code; negative where it was killed.
        report: What it printed as JSON; None where it was killed.
    """

    seconds: float
    peak_mb: float
    code: int
    report: dict[str, Any] | None


def publish(
    config: Path, *arguments: str, environment: Mapping[str, str], kill_when: Callable[[], bool] = lambda: False
) -> Published:
    """Run the command, and kill it once *kill_when*, which is asked ten times a second, says so."""
    begun = time.monotonic()
    with subprocess.Popen(  # noqa: S603 - our own programs
        [sys.executable, "-m", "leadlight", "publish", "--config", str(config), "--yes", "--json", *arguments],
        cwd=ROOM,
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        peaks: list[float] = [0.0]
        watching = threading.Thread(target=_watch, args=(process, peaks, kill_when), daemon=True)
        watching.start()
        out, said = process.communicate()
        watching.join()
    if process.returncode not in {0, 1, 3, -9}:
        raise RuntimeError(f"publishing failed with {process.returncode}: {said}\n{out}")
    report = json.loads(out) if out.strip() else None
    return Published(time.monotonic() - begun, max(peaks), process.returncode, report)


def _watch(process: subprocess.Popen[str], peaks: list[float], kill_when: Callable[[], bool]) -> None:
    # The peak of the system's accounts would begin with that of this process, which forked it.
    while process.poll() is None:
        try:
            peaks.append(peak_gb(process.pid) * 1000)
            peaks.append(sum(map(_held_mb, [process.pid, *_children(process.pid)])))
        except OSError:
            return
        if kill_when():
            process.kill()
            return
        time.sleep(_LOOKS_EVERY_S)


def _children(pid: int) -> list[int]:
    """Return the processes that a process started, such as the one that asks the tables whom to leave alone."""
    return [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()]


def _held_mb(pid: int) -> float:
    """Return the memory that a process holds now, of what several share its part; 0 = it is gone."""
    try:
        told = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii")
    except OSError:
        return 0.0
    return int(told.partition("\nPss:")[2].split()[0]) * 1024 / 1e6 if "\nPss:" in told else 0.0


@contextmanager
def standing_in(fake: str, options: Mapping[str, Any]) -> Iterator[str]:
    """Serve a vendor's stand-in in a process of its own, and give its address; empty where there is none."""
    if not fake:
        yield ""
        return
    with subprocess.Popen(  # noqa: S603 - our own programs
        [sys.executable, "-m", "fakes.serving", fake, "--options", json.dumps(options)],
        env={**os.environ, "PYTHONPATH": f"{STAND_INS}{os.pathsep}{ROOM}"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        if process.stdin is None or process.stdout is None:
            raise RuntimeError("a process that was given pipes has them")
        try:
            yield process.stdout.readline().strip()
        finally:
            process.stdin.write("end\n")
            process.stdin.close()
