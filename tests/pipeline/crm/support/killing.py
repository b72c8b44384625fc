"""Processes that publish, ended by SIGKILL at any moment of their work, and what the ledger knows afterwards."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import time
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from support.desk import Desk
from support.forks import Forked, Forks

_MOST_S: Final = 60
_LOOKS_EVERY_S: Final = 0.002


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
    def workspace(self) -> Path:
        """The shop's workspace."""
        return self.desk.shop.settings.shop.workspace

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
        """Return when a process last began to publish: that is when it opens the file of its lock."""
        lock = self.workspace / f".ledger.db.target-{self.desk.place.name}.lock"
        return lock.stat().st_mtime_ns

    def _started(self) -> Forked:
        return self.forks.start(
            ["publish", "--config", str(self.desk.shop.path), "--yes", "--json"],
            self.desk.place.environment,
            self.desk.folder / "said",
            patched=self.desk.place.slowed_by,
        )

    def _asked(self, question: str) -> Any:
        with closing(sqlite3.connect(self.workspace / "ledger.db", timeout=30)) as ledger:
            return ledger.execute(question).fetchone()[0]
