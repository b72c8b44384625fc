"""Turns: how many calls go out in a span of time, counted together for all processes of one workspace.

A CRM's limit belongs to an account, not to a process, so the turns taken are counted in a small SQLite file in the
workspace. Besides the limit itself, calls are spread within its span: a burst at its end and another at the beginning
of the next would otherwise meet in one span of the CRM's own clock.
"""

from __future__ import annotations

import hashlib
import math
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from pyrate_limiter import Duration, Limiter, Rate, SQLiteBucket

_PAUSE_S: Final = 0.005
_SPREAD_MS: Final = 1_000


@dataclass(frozen=True)
class Limit:
    """So many calls in so many seconds."""

    calls: int
    seconds: float


class Turns(Protocol):
    """Whoever calls takes a turn first."""

    def take(self) -> None:
        """Return when a call may go out."""

    def close(self) -> None:
        """Let go of the file."""


class NoTurns:
    """For CRMs without a limit."""

    def take(self) -> None:
        """Return at once."""

    def close(self) -> None:
        """Nothing is held."""


class SharedTurns:
    """Turns that all processes of one workspace take from one file.

    Args:
        folder: Where the file lies; it exists.
        account: Whose limit it is: the same for all targets of one account. It may hold a secret; only its hash is
            kept.
        limits: The limits, all of which hold.
        sleep: Waits.
    """

    def __init__(
        self, folder: Path, account: str, limits: Sequence[Limit], *, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        name = hashlib.sha256(account.encode()).hexdigest()[:16]
        self._sleep = sleep
        self._mine = threading.Lock()
        bucket = SQLiteBucket.init_from_file(
            _rates(limits), table="turns", db_path=str(folder / f"turns-{name}.db"), use_file_lock=True
        )
        self._limiter = Limiter(bucket)

    def take(self) -> None:
        """Return when a call may go out; threads are served one after the other."""
        with self._mine:
            while not self._limiter.try_acquire("call", timeout=0):
                self._sleep(_PAUSE_S)

    def close(self) -> None:
        """Let go of the file."""
        self._limiter.close()


def _rates(limits: Sequence[Limit]) -> list[Rate]:
    """Return the limits, each with its even share of a second, as pyrate-limiter wants them: shorter spans first.

    A limit that others imply is left out: over a longer span more calls must be allowed, and no more of them a second.
    """
    least: dict[int, int] = {}
    for limit in limits:
        span = round(limit.seconds * Duration.SECOND)
        shares = {span: limit.calls}
        if span > _SPREAD_MS:
            shares[_SPREAD_MS] = max(1, math.ceil(limit.calls * _SPREAD_MS / span))
        for length, calls in shares.items():
            least[length] = min(calls, least.get(length, calls))
    kept: list[Rate] = []
    for length, calls in sorted(least.items()):
        while kept and kept[-1].limit >= calls:
            kept.pop()
        if not kept or calls * kept[-1].interval <= kept[-1].limit * length:
            kept.append(Rate(calls, length))
    return kept
