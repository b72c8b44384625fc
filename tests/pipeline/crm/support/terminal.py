"""A terminal at which a process of `support.forks` sits: its questions are read, and answered."""

from __future__ import annotations

import os
import pty
import select
import time
from types import TracebackType
from typing import Final, Self

NAMED_BY: Final = "TERMINAL_OF_THE_TEST"
ATTACH: Final = "support.terminal:attach"
"""What the process calls before the command."""
_LONGEST_S: Final = 60.0


class Terminal:
    """Both ends of a terminal; the process is told its name by `environment`."""

    def __enter__(self) -> Self:
        self._ours, self._theirs = pty.openpty()
        self.environment = {NAMED_BY: os.ttyname(self._theirs), "TERM": "xterm", "COLUMNS": "120"}
        self.said = ""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.close(self._ours)
        os.close(self._theirs)

    def wait_for(self, words: str) -> None:
        """Read until *words* were said."""
        until = time.monotonic() + _LONGEST_S
        while words not in self.said:
            left = until - time.monotonic()
            assert left > 0, self.said
            assert select.select([self._ours], [], [], left)[0], self.said
            self.said += os.read(self._ours, 4096).decode()

    def type(self, keys: str) -> None:
        """Type."""
        os.write(self._ours, keys.encode())


def attach() -> None:
    """Let this process read from the terminal, and log to it."""
    terminal = os.open(os.environ[NAMED_BY], os.O_RDWR | os.O_NOCTTY)
    os.dup2(terminal, 0)
    os.dup2(terminal, 2)
