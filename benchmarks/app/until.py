"""How long readers read."""

from __future__ import annotations

import time
from collections.abc import Set as AbstractSet
from typing import Final

_LONGEST: Final = 600.0
"""Seconds after which nobody waits any more for a night."""


class Until:
    """Some seconds, and on until some editions were seen: on a busy machine a night takes its time.

    Args:
        seconds: How long at least.
        seen: The editions that readers have seen; grows meanwhile.
        editions: How many of them there must be.
    """

    def __init__(self, seconds: float, seen: AbstractSet[str], editions: int) -> None:
        now = time.monotonic()
        self._end, self._latest = now + seconds, now + max(seconds, _LONGEST)
        self._seen, self._editions = seen, editions

    def goes_on(self) -> bool:
        """Return whether there is more to read."""
        now = time.monotonic()
        return now < self._end or (len(self._seen) < self._editions and now < self._latest)
