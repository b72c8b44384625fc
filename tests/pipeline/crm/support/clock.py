"""Time that passes only while somebody sleeps."""

from __future__ import annotations

import threading

from pipeline.crm.patience import Patience


class Clock:
    """A clock without time: whoever sleeps moves its hands, and goes on at once."""

    def __init__(self) -> None:
        self.now = 0.0
        self.slept: list[float] = []
        self._lock = threading.Lock()

    def __call__(self) -> float:
        """Return the seconds that were slept so far."""
        return self.now

    def sleep(self, seconds: float) -> None:
        """Let them pass."""
        with self._lock:
            self.slept.append(seconds)
            self.now += seconds


def patience_by(clock: Clock, *, most_s: float = 100) -> Patience:
    """Return how to wait by that clock."""
    return Patience(most_s=most_s, clock=clock, sleep=clock.sleep)
