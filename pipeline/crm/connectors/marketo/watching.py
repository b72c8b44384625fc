"""Imports watched until they have ended, by the name that Marketo gave them.

Marketo knows an import for seven days, and may not find one for a moment all the same: as long as it was not yet made
known to all of its machines, or where one of them is behind. Taken for gone while it runs, its leads would be created a
second time. So one look that does not find it says nothing:

* An import that was made or seen in this run is there. It is looked for as long as patience lasts, and then left to the
  next run.
* An import of an earlier run is gone when no look has found it for as long as imports are let settle.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from pipeline.crm.connectors.marketo.calls import Calls, results
from pipeline.crm.patience import Patience
from pipeline.crm.trouble import BatchRefusedError, StopError, StopReason

_LONGER: Final = 6
"""The longest pause between two looks at an import, in first pauses."""
_ENDED: Final = frozenset({"Complete", "Failed"})
_NEXT_RUN: Final = "run the same command again: it goes on waiting for it."


@dataclass(frozen=True)
class Pace:
    """How imports are waited for.

    Args:
        poll_s: The first pause.
        most_s: Seconds for which one import is waited for.
        settle_s: Seconds that an import is given to end where it has no name, or is not found by it.
        patience: Its clock and its sleep.
        now: The time of day.
    """

    poll_s: float
    most_s: float
    settle_s: float
    patience: Patience
    now: Callable[[], datetime] = lambda: datetime.now(UTC)


@dataclass(frozen=True)
class Watch:
    """Waits for imports to end.

    Args:
        calls: The way to Marketo.
        pace: How they are waited for.
        known: The names of those that were made or seen in this run.
    """

    calls: Calls
    pace: Pace
    known: set[str] = field(default_factory=set)

    def made(self, job: str) -> dict[str, Any] | None:
        """Return the last state of an import that was made a moment ago, as `ended` does."""
        self.known.add(job)
        self.pace.patience.sleep(self.pace.poll_s)
        return self.ended(job)

    def ended(self, job: str) -> dict[str, Any] | None:
        """Return the state of the import *job* once it has ended; None where it is gone.

        Raises:
            StopError: It did not end within its time, or was there and is not found any more; its name is kept.
        """
        patience, pause = self.pace.patience, self.pace.poll_s
        begun = found_at = patience.clock()
        while True:
            state, now = self._state(job), patience.clock()
            if state is not None:
                self.known.add(job)
                found_at = now
                if str(state.get("status")) in _ENDED:
                    return state
                if now - begun > self.pace.most_s:
                    words = f"The import {job} has not ended after {self.pace.most_s:g} s."
                    raise StopError(words, reason=StopReason.NETWORK, hint=_NEXT_RUN)
            elif job not in self.known:
                if now - found_at >= self.pace.settle_s:
                    return None
            elif now - found_at >= patience.most_s:
                words = f"It does not find the import {job}, which it was given in this run."
                raise StopError(words, reason=StopReason.NETWORK, hint=_NEXT_RUN)
            patience.sleep(pause)
            pause = min(2 * pause, _LONGER * self.pace.poll_s)

    def _state(self, job: str) -> dict[str, Any] | None:
        """Return what Marketo says of an import; None where it does not find it."""
        try:
            told = results(self.calls.question(f"/bulk/v1/leads/batch/{job}.json", {}))
        except BatchRefusedError:
            return None
        return told[0] if told else None
