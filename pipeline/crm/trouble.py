"""Trouble with a CRM, in the classes that decide what happens next.

A row that is rejected for good is an `Answer`, no exception: the others of its batch were written.
"""

from __future__ import annotations

from enum import StrEnum


class TroubleError(Exception):
    """What a CRM, or the way to it, said no with.

    Args:
        words: What it said, in its own words, without credentials or values of leads.
    """

    def __init__(self, words: str) -> None:
        super().__init__(words)
        self.words = words


class RetryError(TroubleError):
    """It passes by itself: a rate limit, a server that is away for a moment, a connection cut short.

    Args:
        words: What was said.
        after_s: Seconds that the CRM asks to wait; None = it does not say.
        is_turned_away: True where the CRM is well and only asks to go slower: this opens no circuit breaker.
    """

    def __init__(self, words: str, *, after_s: float | None = None, is_turned_away: bool = False) -> None:
        super().__init__(words)
        self.after_s = after_s
        self.is_turned_away = is_turned_away


class BatchRefusedError(TroubleError):
    """The CRM refused a batch as a whole because of something in it; a batch of one row is that row's rejection.

    Args:
        words: What was said.
        code: The CRM's own code.
    """

    def __init__(self, words: str, *, code: str = "") -> None:
        super().__init__(words)
        self.code = code


class StopReason(StrEnum):
    """Why nothing can be written for now."""

    QUOTA = "quota"
    CREDENTIALS = "credentials"
    PERMISSION = "permission"
    SETUP = "setup"
    NETWORK = "network"
    LATER = "later"
    CHANGED = "changed"


class StopError(TroubleError):
    """Waiting a moment will not help, and no row is at fault; what is pending stays pending.

    Args:
        words: What was said.
        reason: Which kind of trouble.
        hint: What a person can do.
    """

    def __init__(self, words: str, *, reason: StopReason, hint: str = "") -> None:
        super().__init__(words)
        self.reason = reason
        self.hint = hint
