"""The command `leadlight` in processes of its own, started in no time: each is forked from one that has imported all.

A process that is forked is a process like any other: it opens its own files and connections, and a SIGKILL ends it
between any two instructions. Only the seconds of importing, in which nothing is published, are saved.

with Forks() as forks:
    one = forks.start(["publish", "--yes"], environment, folder)
    os.kill(one.pid, signal.SIGKILL)
    one.ended()
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

_CRM = Path(__file__).parents[1]
_ROOT = _CRM.parents[2]
_NUMBERS_ARE_SMALL = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "NUMBA_NUM_THREADS": "1"}


@dataclass(frozen=True)
class Ended:
    """How a process ended.

    Attributes:
        code: Its exit code; minus the signal that ended it.
        out: What it printed.
        err: What it logged.
    """

    code: int
    out: str
    err: str


@dataclass(frozen=True)
class Forked:
    """A process that was started."""

    pid: int
    forks: Forks
    folder: Path

    def ended(self) -> Ended:
        """Wait for its end."""
        code = self.forks.ask("wait", self.pid)
        return Ended(code, *((self.folder / name).read_text(encoding="utf-8") for name in ("out.txt", "err.txt")))


class Forks:
    """Starts the command."""

    def __init__(self) -> None:
        path = [str(_CRM), *([] if os.environ.get("LEADLIGHT_WHEEL_SITE") else [str(_ROOT)])]
        old = [part for part in os.environ.get("PYTHONPATH", "").split(os.pathsep) if part]
        environment = {**os.environ, **_NUMBERS_ARE_SMALL, "PYTHONPATH": os.pathsep.join([*path, *old])}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "support.forks"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment,
        )  # fmt: skip
        self._asking = threading.Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.stdout.close()
        self._process.wait(timeout=30)

    def start(
        self, arguments: Sequence[str], environment: Mapping[str, str], folder: Path, *, patched: str = ""
    ) -> Forked:
        """Start ``leadlight ARGUMENTS``.

        Args:
            arguments: What is typed.
            environment: What stands in the environment beside the usual.
            folder: Where what it prints is kept.
            patched: ``module:function``, which is called in the process before the command; several with blanks
                between.
        """
        folder.mkdir(parents=True, exist_ok=True)
        return Forked(self.ask("start", list(arguments), dict(environment), str(folder), patched), self, folder)

    def run(self, arguments: Sequence[str], environment: Mapping[str, str], folder: Path) -> Ended:
        """Start it and wait for its end."""
        return self.start(arguments, environment, folder).ended()

    def ask(self, *asked: Any) -> int:
        """Ask the process that forks."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with self._asking:
            self._process.stdin.write(json.dumps(asked) + "\n")
            self._process.stdin.flush()
            return int(self._process.stdout.readline())


def _import_all() -> None:
    import pipeline.cli.show_publish
    import pipeline.cli.show_publish_checks
    import pipeline.stages.publish_checks
    import pipeline.stages.publish_undo  # noqa: F401 - they are loaded, and forked with all that they load
    from features.errors import LeadlightError
    from pipeline.crm.kinds import kind_of

    for name in ("file", "sql", "hubspot", "salesforce", "marketo", "webhook"):
        with suppress(LeadlightError):
            kind_of(name)


def _start(arguments: list[str], environment: dict[str, str], folder: str, patched: str) -> int:
    pid = os.fork()
    if pid:
        return pid
    code = 70
    try:
        for number, name in ((1, "out.txt"), (2, "err.txt")):
            os.dup2(os.open(f"{folder}/{name}", os.O_WRONLY | os.O_CREAT | os.O_TRUNC), number)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.environ.update(environment)
        sys.argv = ["leadlight", *arguments]
        code = _commanded(patched)
        sys.stdout.flush()
        sys.stderr.flush()
    finally:
        os._exit(code)


def _commanded(patched: str) -> int:
    import traceback
    from importlib import import_module

    from pipeline.cli import main

    try:
        for one in patched.split():
            module, _, name = one.partition(":")
            getattr(import_module(module), name)()
        return main()
    except SystemExit as end:
        return int(end.code or 0)
    except BaseException:  # noqa: BLE001 - it is shown, and the process ends
        traceback.print_exc()
        return 1


def _serve() -> None:
    _import_all()
    for line in sys.stdin:
        what, *rest = json.loads(line)
        code = _start(*rest) if what == "start" else os.waitstatus_to_exitcode(os.waitpid(rest[0], 0)[1])
        sys.stdout.write(f"{code}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    _serve()
