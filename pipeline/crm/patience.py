"""How long trouble that passes by itself is waited out, and when a CRM that is down is left in peace.

Waits grow twofold with full jitter, ``uniform(0, min(longest, first · 2^n))``, unless the CRM says how long (its
``Retry-After`` counts, never less). After several failures in a row that are no mere request to go slower, a circuit
breaker opens: all threads wait, then one of them tries alone; while it fails, nobody else knocks.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, TypeVar

from tenacity import RetryCallState, Retrying, retry_if_exception_type
from tenacity.wait import wait_random_exponential

from pipeline.crm.trouble import RetryError, StopError, StopReason

T = TypeVar("T")
_LEAST_AFTER_REFUSAL_S: Final = 0.05
"""However short a pause the CRM names, a thread never spins."""


@dataclass(frozen=True)
class Patience:
    """How to wait.

    Attributes:
        most_s: A call is given up when this many seconds have gone without an answer that counts.
        first_s: The upper end of the first wait.
        longest_s: The upper end of the longest wait of ours; the CRM may ask for more.
        breaker_after: Failures in a row that open the circuit breaker.
        breaker_s: Seconds that it stays open before one call is let through.
        clock: Seconds that only go forward.
        sleep: Waits.
    """

    most_s: float = 900
    first_s: float = 0.5
    longest_s: float = 60
    breaker_after: int = 5
    breaker_s: float = 20
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep


class Waiting:
    """Waits that can be ended from another thread: a person who stops a run waits for nobody's back-off."""

    def __init__(self) -> None:
        self._is_over = threading.Event()

    def sleep(self, seconds: float) -> None:
        """Wait.

        Raises:
            StopError: Waiting was ended meanwhile.
        """
        if self._is_over.wait(seconds):
            raise StopError("it was stopped", reason=StopReason.NETWORK, hint=_LATER)

    def end(self) -> None:
        """End all waits, also those to come."""
        self._is_over.set()


@dataclass
class Breaker:
    """The circuit breaker of one CRM, shared by all threads that call it.

    Args:
        patience: How many failures, and how long.
    """

    patience: Patience
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _failures: int = 0
    _opens_again: float = 0.0
    _is_tried: bool = False

    def wait(self) -> None:
        """Return when this thread may call; nobody holds the lock while it waits or calls."""
        while (pause := self._pause()) > 0:
            self.patience.sleep(pause)

    def _pause(self) -> float:
        with self._lock:
            if self._failures < self.patience.breaker_after:
                return 0.0
            left = self._opens_again - self.patience.clock()
            if left > 0:
                return left
            if self._is_tried:
                return min(1.0, self.patience.breaker_s)
            self._is_tried = True
            return 0.0

    def succeeded(self) -> None:
        """Note that the CRM answers."""
        with self._lock:
            self._failures, self._is_tried = 0, False

    def failed(self) -> None:
        """Note that it did not."""
        with self._lock:
            self._failures += 1
            self._is_tried = False
            self._opens_again = self.patience.clock() + self.patience.breaker_s


@dataclass
class Standstill:
    """How long nothing that a CRM answered has counted, whichever batch it answered; shared by all threads of a run.

    A CRM that is up and talks no sense, such as one behind a page to log in, puts off every row of every batch. Each
    batch by itself has patience with it; all of them together have no more.

    Args:
        patience: How long.
    """

    patience: Patience
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _since: float | None = None
    _words: str = ""
    _is_over: bool = False

    def moved(self) -> None:
        """Note an answer that counts."""
        with self._lock:
            self._since = None

    def stayed(self, words: str) -> None:
        """Note that none of a call's rows got one; *words* are what was said instead."""
        with self._lock:
            now = self.patience.clock()
            self._since = now if self._since is None else self._since
            self._words = words or self._words
            self._is_over = self._is_over or now - self._since >= self.patience.most_s

    @property
    def stop(self) -> StopError | None:
        """Why nothing more is sent; None = there is patience left."""
        with self._lock:
            if not self._is_over:
                return None
            fact = f"for {self.patience.most_s:g} s nothing that it said was an answer"
            words = f"{fact}; the last was: {self._words}" if self._words else f"{fact}."
            return StopError(words, reason=StopReason.NETWORK, hint=_LATER)


def patiently(call: Callable[[], T], patience: Patience, breaker: Breaker) -> T:
    """Return what *call* returns, called again as long as it raises `RetryError` and patience lasts.

    Raises:
        StopError: Patience has ended, with the last words of the CRM.
    """
    begun = patience.clock()
    grown = wait_random_exponential(multiplier=patience.first_s, max=patience.longest_s)

    def wait(state: RetryCallState) -> float:
        raised = _raised(state)
        asked = raised.after_s if raised is not None else None
        if asked is not None:
            return max(asked, _LEAST_AFTER_REFUSAL_S)
        return float(grown(state))

    def stop(state: RetryCallState) -> bool:
        raised = _raised(state)
        asked = 0.0 if raised is None or raised.after_s is None else raised.after_s
        return patience.clock() - begun + asked > patience.most_s

    def once() -> T:
        breaker.wait()
        try:
            found = call()
        except RetryError as error:
            if error.is_turned_away:
                breaker.succeeded()
            else:
                breaker.failed()
            raise
        except BaseException:
            breaker.succeeded()  # it answered, whatever it said: whoever waits for this trial must not wait for ever
            raise
        breaker.succeeded()
        return found

    again = Retrying(
        retry=retry_if_exception_type(RetryError), wait=wait, stop=stop, sleep=patience.sleep, reraise=True
    )
    try:
        return again(once)
    except RetryError as error:
        raise StopError(error.words, reason=StopReason.NETWORK, hint=_LATER) from error


_LATER: Final = "what is pending is kept; run the same command again when the CRM answers."


def _raised(state: RetryCallState) -> RetryError | None:
    found = state.outcome.exception() if state.outcome is not None else None
    return found if isinstance(found, RetryError) else None
