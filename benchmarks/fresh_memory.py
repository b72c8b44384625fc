"""``python -m benchmarks.fresh_memory``: what writing to memory for the first time costs on this machine.

A finished frame is fresh memory. Plain pages (4 KiB) and huge ones (2 MiB) are asked for in turn and all kept, so that
none is handed out twice; then the same memory is written once more.
"""

from __future__ import annotations

import json
import mmap
import sys
import time

import numpy as np

BYTES = 400_000_000
ROUNDS = 4


def main() -> int:
    """Print seconds per GB, in the order in which they were measured, and one line of JSON."""
    found: dict[str, list[float]] = {"plain": [], "huge": [], "again": []}
    kept = []
    for _ in range(ROUNDS):
        for name in ("plain", "huge"):
            memory = mmap.mmap(-1, BYTES, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
            memory.madvise(mmap.MADV_HUGEPAGE if name == "huge" else mmap.MADV_NOHUGEPAGE)
            kept.append(np.frombuffer(memory, dtype=np.float64))
            found[name].append(_seconds_per_gb(kept[-1]))
        found["again"].append(_seconds_per_gb(kept[-1]))
    for name, seconds in found.items():
        print(f"{name:6}", *(f"{value:5.2f}" for value in seconds), "s per GB")
    sys.stdout.write(
        json.dumps({name: [round(value, 3) for value in seconds] for name, seconds in found.items()}) + "\n"
    )
    return 0


def _seconds_per_gb(array: np.ndarray) -> float:
    started = time.perf_counter()
    array.fill(1.0)
    return (time.perf_counter() - started) / (BYTES / 1e9)


if __name__ == "__main__":
    sys.exit(main())
