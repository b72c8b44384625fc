"""The most memory a process has held."""

from __future__ import annotations

import re
from pathlib import Path


def peak_gb(process: int | str = "self") -> float:
    """Return the peak of a process's resident memory, files that it maps included, in GB.

    Args:
        process: Its number.
    """
    text = Path(f"/proc/{process}/status").read_text(encoding="ascii")
    found = re.search(r"VmHWM:\s+(\d+) kB", text)
    return int(found[1]) * 1024 / 1e9 if found else float("nan")
