"""Processes that publish, ended by SIGKILL at any moment of their work, and what the ledger knows afterwards."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Engine, create_engine, text
from sqlalchemy.pool import NullPool

from pipeline.crm.ledger.opening import ledger_address
from support.desk import Desk
from support.forks import Forked, Forks

_MOST_S: Final = 60
_LOOKS_EVERY_S: Final = 0.002
_BEGUN: Final = "LEADLIGHT_TEST_TOUCHES"
"""Names the file that a process touches when the target is its own."""


@dataclass(frozen=True)
class Killer:
    """Publishes at a desk in processes of their own.

    Attributes:
        forks: Starts them.
        desk: Where.
    """

    forks: Forks
    desk: Desk

    @property
    def begun(self) -> Path:
        """The file that a process touches when the target is its own."""
        return self.desk.folder / "begun"

    def finished(self) -> dict[str, Any]:
        """Publish to the end, and return the report of the target, all leads accounted for."""
        ended = self._started().ended()
        assert ended.code == 0, (ended.code, ended.out, ended.err)
        (report,) = json.loads(ended.out)["targets"]
        tally = report["tally"]
        assert tally["pending"] == 0
        assert tally["given"] == sum(tally[name] for name in ("written", "unchanged", "rejected", "pending", "held"))
        return dict(report)

    def killed(self, after_s: float) -> bool:
        """Publish, but only for so many seconds; return whether a batch was on its way when the process died."""
        before = self._begun_at()
        process = self._started()
        until = time.monotonic() + _MOST_S
        while self._begun_at() == before:
            assert time.monotonic() < until, "the process never began to publish"
            time.sleep(_LOOKS_EVERY_S)
        time.sleep(after_s)
        os.kill(process.pid, signal.SIGKILL)
        assert process.ended().code in {-signal.SIGKILL, 0}
        return bool(self._asked("SELECT count(*) FROM ledger_batches WHERE state = 'in_flight'"))

    def seconds(self) -> float:
        """Return how long the last run took that was neither killed nor resumed, from its lock to its end."""
        ended_at = self._asked("SELECT ended_at FROM ledger_runs ORDER BY id DESC LIMIT 1")
        return float(ended_at) / 1e6 - self._begun_at() / 1e9

    def _begun_at(self) -> int:
        """Return when a process last began to publish, ns; 0 = none did."""
        return self.begun.stat().st_mtime_ns if self.begun.exists() else 0

    def _started(self) -> Forked:
        return self.forks.start(
            ["publish", "--config", str(self.desk.shop.path), "--yes", "--json"],
            {**self.desk.place.environment, _BEGUN: str(self.begun)},
            self.desk.folder / "said",
            patched=f"support.killing:touching {self.desk.place.slowed_by}",
        )

    def _asked(self, question: str) -> Any:
        address = ledger_address(self.desk.shop.settings, self.desk.place.environment)
        with create_engine(address, poolclass=NullPool).connect() as ledger:
            return ledger.execute(text(question)).scalar()


def touching() -> None:
    """Let this process touch a file when nobody else writes to its target any more."""
    from pipeline.crm.ledger import opening

    alone: Callable[..., Any] = opening.writing_to

    @contextmanager
    def told(engine: Engine, target: str) -> Iterator[Callable[[], None]]:
        with alone(engine, target) as require_alone:
            Path(os.environ[_BEGUN]).touch()
            yield require_alone

    opening.writing_to = told
