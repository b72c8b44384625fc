"""Whose turn it is on a shared machine: a nightly run can wait, a person who opens a page cannot."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import Final, Literal

Priority = Literal["idle", "low", "normal"]
_LOW: Final = 15


def give_way(to: Priority) -> None:
    """Let other processes go first from now on; threads that run already keep their turn.

    Args:
        to: ``idle``: to all that wants to run (the system's idle policy; as ``low`` where there is none); ``low``: most
            of the time (niceness 15); ``normal``: not at all. A process that gives way further already stays so, and
            where the system knows no priorities nothing happens.
    """
    if to == "normal" or not hasattr(os, "setpriority"):
        return
    if to == "idle" and hasattr(os, "SCHED_IDLE"):
        # A container may forbid it.
        with suppress(OSError):
            os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
            return
    if os.getpriority(os.PRIO_PROCESS, 0) < _LOW:
        os.setpriority(os.PRIO_PROCESS, 0, _LOW)
