"""How often somebody may try a password: failures are counted per user and address, in bounded memory."""

from __future__ import annotations

import hashlib
from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Lock
from typing import Final

MOST_KEPT: Final = 20_000
"""Keys remembered at once; the oldest is forgotten first."""


@dataclass(frozen=True)
class Limit:
    """At most *failures* within *seconds*."""

    failures: int
    seconds: float


@dataclass
class Attempts:
    """The failed logins of late.

    Attributes:
        clock: Seconds that only go forward.
        of_both: Per user and address.
        of_address: Per address, whoever it tries to be.
        of_user: Per user, from wherever: high, since anyone can fail for another.
    """

    clock: Callable[[], float]
    of_both: Limit = Limit(5, 300)
    of_address: Limit = Limit(30, 300)
    of_user: Limit = Limit(100, 3600)
    _failed: OrderedDict[str, deque[float]] = field(default_factory=OrderedDict)
    _lock: Lock = field(default_factory=Lock)

    def wait(self, user: str, address: str) -> int:
        """Return the seconds until the next attempt is allowed; 0 = now."""
        now = self.clock()
        with self._lock:
            waits = [self._wait(key, limit, now) for key, limit in self._keys(user, address)]
        return max(waits)

    def failed(self, user: str, address: str) -> None:
        """Count a failure."""
        now = self.clock()
        with self._lock:
            for key, limit in self._keys(user, address):
                times = self._failed.setdefault(key, deque(maxlen=limit.failures))
                times.append(now)
                self._failed.move_to_end(key)
            while len(self._failed) > MOST_KEPT:
                self._failed.popitem(last=False)

    def succeeded(self, user: str, address: str) -> None:
        """Forget what this user failed from this address."""
        with self._lock:
            self._failed.pop(self._keys(user, address)[0][0], None)

    def _keys(self, user: str, address: str) -> tuple[tuple[str, Limit], ...]:
        # Hashed: what people type as a name may be long, or a password in the wrong field.
        both, alone = _hashed("both", user, address), _hashed("user", user, "")
        return ((both, self.of_both), (_hashed("address", "", address), self.of_address), (alone, self.of_user))

    def _wait(self, key: str, limit: Limit, now: float) -> int:
        times = self._failed.get(key)
        if times is None or len(times) < limit.failures:
            return 0
        return max(0, int(times[0] + limit.seconds - now) + 1) if now < times[0] + limit.seconds else 0


def _hashed(kind: str, user: str, address: str) -> str:
    return hashlib.sha256(f"{kind}\0{user}\0{address}".encode("utf-8", "replace")).hexdigest()
