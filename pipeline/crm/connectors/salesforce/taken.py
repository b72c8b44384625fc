"""Which contacts were written for which leads: two leads may have been converted to one person.

Only as long as this process lives, and only contacts that leads were converted to: of each 16 bytes, in many short
lists, since a million numbers of their own would take a fifth of the memory that a run may have.
"""

from __future__ import annotations

import threading
from array import array
from typing import Final

_LISTS: Final = 2**16


class Taken:
    """Contacts that were written for a lead, and for which; hashes stand for both."""

    def __init__(self) -> None:
        self._lists: dict[int, array[int]] = {}
        self._lock = threading.Lock()

    def is_by_other(self, contact: str, key: str) -> bool:
        """Return whether *contact* was written for another lead than that of *key*."""
        with self._lock:
            taken_by = self._taken_by(hash(contact))
        return taken_by is not None and taken_by != hash(key)

    def take(self, contact: str, key: str) -> bool:
        """Note that *contact* is written for the lead of *key*; False = it was for another, and stays so."""
        contact_hash, key_hash = hash(contact), hash(key)
        with self._lock:
            taken_by = self._taken_by(contact_hash)
            if taken_by is None:
                self._lists.setdefault(contact_hash % _LISTS, array("q")).extend((contact_hash, key_hash))
        return taken_by in {None, key_hash}

    def _taken_by(self, contact_hash: int) -> int | None:
        pairs = self._lists.get(contact_hash % _LISTS, array("q"))
        return next((pairs[at + 1] for at in range(0, len(pairs), 2) if pairs[at] == contact_hash), None)
