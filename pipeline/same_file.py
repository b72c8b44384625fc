"""Whether a file is still the one that was read: what is kept of it in memory holds for as long."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path


def stands(path: Path) -> tuple[int, ...]:
    """Return what changes when a file is written or replaced; nothing where it cannot be looked at."""
    found = _looked_at(path)
    return (found.st_ino, found.st_size, found.st_mtime_ns) if found else ()


def identity(path: Path) -> tuple[int, ...]:
    """Return what changes when another file takes its name, and not when it is written; nothing where there is none."""
    found = _looked_at(path)
    return (found.st_dev, found.st_ino) if found else ()


def _looked_at(path: Path) -> os.stat_result | None:
    with suppress(OSError):
        return path.stat()
    return None
