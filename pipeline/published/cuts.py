"""Which keys a page holds: a slice of sorted keys behind one place or before another."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pipeline.published.asks import Ask, Cursor


@dataclass(frozen=True)
class Cut:
    """The keys of one page.

    Attributes:
        keys: Ascending, int64.
        is_something_before: Whether there is a page before.
        is_something_behind: Whether there is a page behind.
        total: Keys on all pages.
    """

    keys: npt.NDArray[np.int64]
    is_something_before: bool
    is_something_behind: bool
    total: int

    def next(self, ask: Ask) -> Cursor | None:
        """Return where the page behind begins; of a page without keys, the way back to what there is."""
        if not self.is_something_behind:
            return None
        return Cursor(ask.sort, int(self.keys[-1]) if len(self.keys) else _key(ask.before) - 1)

    def previous(self, ask: Ask) -> Cursor | None:
        """Return where the page before ends."""
        if not self.is_something_before:
            return None
        return Cursor(ask.sort, int(self.keys[0]) if len(self.keys) else _key(ask.after) + 1)


def cut(keys: npt.NDArray[np.int64], ask: Ask) -> Cut:
    """Return the page of *ask* among sorted *keys*."""
    behind = None if ask.after is None else int(np.searchsorted(keys, ask.after.key, side="right"))
    before = None if ask.before is None else int(np.searchsorted(keys, ask.before.key, side="left"))
    start, stop = _span(len(keys), ask.size, behind=behind, before=before)
    return Cut(keys[start:stop], start > 0, stop < len(keys), len(keys))


def cut_of_all(total: int, ask: Ask) -> Cut:
    """Return the page of *ask* where nobody is left out and the order is that of the files: keys are 0 … total - 1."""
    behind = None if ask.after is None else min(max(ask.after.key + 1, 0), total)
    before = None if ask.before is None else min(max(ask.before.key, 0), total)
    start, stop = _span(total, ask.size, behind=behind, before=before)
    return Cut(np.arange(start, stop), start > 0, stop < total, total)


def _span(total: int, size: int, *, behind: int | None, before: int | None) -> tuple[int, int]:
    if before is not None:
        return max(before - size, 0), before
    start = behind or 0
    return start, min(start + size, total)


def _key(place: Cursor | None) -> int:
    return 0 if place is None else place.key
