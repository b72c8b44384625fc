"""A folder that appears whole or not at all: written beside its place, and renamed when all of its files stand."""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from features.errors import is_disk_full
from pipeline.workspace import PART, disk_full, flush, remove_left_overs


@contextmanager
def writing_folder(path: Path, *, needs: str, root: Path) -> Iterator[Path]:
    """Give an empty folder to write to; it takes the place of *path* when all went well.

    Where another writer was first, its folder stays, and what was written here is thrown away.

    Args:
        path: The folder to be.
        needs: The file without which a folder at *path* is a remnant, and is replaced.
        root: The workspace, for messages.

    Raises:
        NotFinishedError: The disk is full; *path* is as it was.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    remove_left_overs(path.parent)
    part = path.with_name(f".{path.name}.{secrets.token_hex(4)}.{os.getpid()}{PART}")
    part.mkdir(parents=True)  # whoever tidies up may have taken the empty folder above
    try:
        yield part
        for file in part.iterdir():
            flush(file)
        flush(part)
        _take_place(part, path, needs)
        flush(path.parent)
    except OSError as error:
        if is_disk_full(error):
            raise disk_full(root) from error
        raise
    finally:
        shutil.rmtree(part, ignore_errors=True)


def _take_place(part: Path, path: Path, needs: str) -> None:
    if path.exists() and not (path / needs).exists():
        shutil.rmtree(path)
    try:
        part.rename(path)
    except OSError:
        # Another writer of the same run was first, and what is stored never changes.
        if not (path / needs).exists():
            raise
