"""Whose turn it is on a shared machine: a nightly run can wait, a person who opens a page cannot."""

from __future__ import annotations

import os


def give_way(niceness: int) -> None:
    """Let other processes go first from now on; threads that run already keep their turn.

    Args:
        niceness: How far, 0–19 as Unix counts; 0 = not at all. A process that gives way further already stays so, and
            where the system knows no niceness nothing happens.
    """
    if hasattr(os, "setpriority") and os.getpriority(os.PRIO_PROCESS, 0) < niceness:
        os.setpriority(os.PRIO_PROCESS, 0, niceness)
