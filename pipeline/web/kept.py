"""What requests have in common and costs time to make: the newest values are kept, the oldest are let go."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from threading import Lock
from typing import Generic, TypeVar

from cachetools import LRUCache

Value = TypeVar("Value")


class Kept(Generic[Value]):
    """Values under their keys; one serves all threads.

    Args:
        most: How many are kept.
    """

    def __init__(self, most: int) -> None:
        self._values: LRUCache[Hashable, Value] = LRUCache(most)
        self._lock = Lock()

    def get(self, key: Hashable, make: Callable[[], Value]) -> Value:
        """Return the value under *key*, made now where it is not kept; two threads may make the same at once."""
        with self._lock:
            found = self._values.get(key)
        if found is None:
            found = make()
            with self._lock:
                self._values[key] = found
        return found
