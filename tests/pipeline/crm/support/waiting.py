"""A command that says when it is in the midst of its work, and goes on when it is told to."""

from __future__ import annotations

import os
import select
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

FOLDER: Final = "LEADLIGHT_TEST_WAITS_IN"
"""Names the folder of the two pipes."""
_MOST_S: Final = 60


def pipes(folder: Path) -> dict[str, str]:
    """Make the pipes, and return what stands in the environment of the process that waits."""
    folder.mkdir(parents=True)
    for name in ("here", "go"):
        os.mkfifo(folder / name)
    return {FOLDER: str(folder)}


def is_there(folder: Path) -> None:
    """Return when the process has come to the midst of its work; one that dies before fails the test."""
    pipe = os.open(folder / "here", os.O_RDONLY | os.O_NONBLOCK)
    try:
        assert select.select([pipe], [], [], _MOST_S)[0], "the process never came so far"
    finally:
        os.close(pipe)


def let_go(folder: Path) -> None:
    """Let it go on."""
    (folder / "go").write_text("go", encoding="utf-8")


def at_the_first_step() -> None:
    """Let the command of this process stop when it first tells of its progress: the target is its own by then."""
    from pipeline.cli import publishing
    from pipeline.cli.progress import Listener

    folder, waited = Path(os.environ[FOLDER]), []

    def wait(_step: str, _done: int, _total: int) -> None:
        if not waited:
            waited.append(True)
            (folder / "here").write_text("here", encoding="utf-8")
            (folder / "go").read_text(encoding="utf-8")

    @contextmanager
    def waiting() -> Iterator[Listener]:
        yield Listener(wait)

    publishing.shown_on_stderr = waiting
