"""Whether a file is still the one that was read: what is kept of it in memory holds for as long."""

from __future__ import annotations

from pathlib import Path


def stands(path: Path) -> tuple[int, ...]:
    """Return what changes when a file is written or replaced; nothing where it cannot be looked at."""
    try:
        found = path.stat()
    except OSError:
        return ()
    return found.st_ino, found.st_size, found.st_mtime_ns


def identity(path: Path) -> tuple[int, ...]:
    """Return what changes when another file takes its name, and not when it is written; nothing where there is none."""
    try:
        found = path.stat()
    except OSError:
        return ()
    return found.st_dev, found.st_ino
