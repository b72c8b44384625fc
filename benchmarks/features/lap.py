"""One contestant, one case, one process of its own: ``python -m benchmarks.features.lap``.

The clock starts when everything is imported and compiled and the files lie in the page cache, and
stops at the finished frame in memory. Peak memory is the process's own high-water mark up to
there. Only then the frame is compared, for a few leads with a slow loop, and wholly with the
reference: the frame of the first contestant that agreed with the loop.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from dataclasses import asdict
from pathlib import Path

from benchmarks.features import compare, contestants
from benchmarks.features.cases import Case, cases
from benchmarks.features.data import ensure


def main() -> None:
    """Run the lap that the arguments name and write what was measured to ``--result``."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--contestant", choices=contestants.NAMES, required=True)
    parser.add_argument("--formulation", required=True)
    parser.add_argument("--case", required=True)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--reference", type=Path, required=True)
    parser.add_argument("--result", type=Path, required=True)
    asked = parser.parse_args()
    case = cases(quick=asked.quick)[asked.case]
    folder = ensure(case).folder
    entry = contestants.enter(asked.contestant, asked.formulation)
    first_seconds = _warm_up(entry, asked.case)
    measured, frame = _measure(entry, folder, case)
    measured["first_call_seconds"] = first_seconds
    finished = entry.read(frame)
    wrong = compare.differences_from_oracle(finished, case, folder)
    measured["is_reference"] = not wrong and _became_reference(finished, case, asked.reference)
    if not measured["is_reference"] and asked.reference.exists():
        wrong += compare.differences(finished, case, asked.reference)
    measured["differences"] = [asdict(difference) for difference in wrong]
    asked.result.write_text(json.dumps(measured), encoding="utf-8")


def _warm_up(entry: contestants.Entry, name: str) -> float:
    """Run the quick form of the case once: what must be compiled is compiled here."""
    small = cases(quick=True)[name]
    folder = ensure(small).folder
    started = time.perf_counter()
    entry.run(folder, small)
    return time.perf_counter() - started


def _measure(entry: contestants.Entry, folder: Path, case: Case) -> tuple[dict[str, object], object]:
    for path in sorted(folder.rglob("*.parquet")):
        path.read_bytes()  # every contestant finds the files in the page cache
    started, before = time.perf_counter(), os.times()
    frame = entry.run(folder, case)
    seconds, after = time.perf_counter() - started, os.times()
    system_seconds = after.system - before.system
    cpu_seconds = after.user - before.user + system_seconds
    measured = {"seconds": seconds, "cpu_seconds": cpu_seconds, "system_seconds": system_seconds}
    return measured | {"peak_gb": peak_gb()}, frame


def peak_gb() -> float:
    """Return this process's high-water mark of resident memory in GB (10^9 bytes)."""
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024 / 1e9
    return float("nan")


def _became_reference(finished: compare.Finished, case: Case, reference: Path) -> bool:
    """Write the frame as the reference unless there is one already."""
    if reference.exists():
        return False
    beside = reference.with_suffix(".unfinished")
    compare.write(finished, case, beside)
    beside.rename(reference)
    return True


if __name__ == "__main__":
    main()
