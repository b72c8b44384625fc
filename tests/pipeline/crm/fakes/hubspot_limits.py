"""HubSpot's stand-in: how calls are refused, and when there are too many of them."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from typing import Any

from fakes.serving import Reply


class Refused(Exception):  # noqa: N818 - it carries an answer, it is no fault
    """A call is answered with an error."""

    def __init__(self, status: int, category: str, message: str, **rest: Any) -> None:
        super().__init__(message)
        body = {"status": "error", "message": message, "correlationId": "5e7a1c9e-5a4f-4a5e-9f0e-000000000000"}
        self.reply = Reply(status, {**body, "category": category, **rest})


class Window:
    """A limit of calls within a span that moves along.

    Args:
        calls: How many; None = no limit.
        seconds: The span.
        clock: Seconds that only go forward.
    """

    def __init__(self, calls: int | None, seconds: float, clock: Callable[[], float]) -> None:
        self.calls, self._seconds, self._clock = calls, seconds, clock
        self._at: deque[float] = deque()

    def take(self) -> int:
        """Return how many calls are left after this one; below zero = it is one too many."""
        if self.calls is None:
            return 189
        now = self._clock()
        while self._at and self._at[0] <= now - self._seconds:
            self._at.popleft()
        if len(self._at) >= self.calls:
            return -1
        self._at.append(now)
        return self.calls - len(self._at)


def too_many(policy: str, message: str, headers: Mapping[str, str]) -> Refused:
    """Return the refusal of a call beyond a limit."""
    refused = Refused(429, "RATE_LIMITS", message, errorType="RATE_LIMIT", policyName=policy)
    refused.reply = Reply(429, refused.reply.body, headers)
    return refused
