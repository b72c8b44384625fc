"""Which of HubSpot's answers are none, and what is to be done about each (its "Error handling" and "Usage guidelines").

======================  ==================================================================
answer                  what it means
======================  ==================================================================
400, 409, 422           something in the batch, or a property for all of them
401, 403                stop: the token; the scopes
404 OBJECT_NOT_FOUND    none of the batch is there
413                     the batch is too large
423                     a lock, for two seconds
429                     too fast, or no more today
477                     the account moves to another data centre; it says for how long
500, 502, 503, 504      a few seconds' rest
======================  ==================================================================
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import Any, Final

import httpx

from pipeline.crm.connectors.hubspot.words import Said, said, short
from pipeline.crm.http import retry_after
from pipeline.crm.trouble import BatchRefusedError, RetryError, StopError, StopReason

_LOCKED_S: Final = 2.0
_OVERLOADED_S: Final = 3.0
_MOVING_S: Final = 60.0
_WINDOW_S: Final = 10.0
_MILLISECONDS: Final = re.compile(r"\d{1,9}", re.ASCII)
_OF_THE_BATCH: Final = frozenset({400, 409, 422})
_SET_UP: Final = "run `leadlight publish --setup`, or compare the target's mapping with HubSpot's property settings."


@dataclass(frozen=True)
class Judge:
    """Raises trouble for answers that are none.

    The words of a `BatchRefusedError` are whole: whoever sent the batch takes its values out of them.

    Args:
        token: What must not be repeated.
        token_env: Where it was found, for hints.
    """

    token: str = field(repr=False)
    token_env: str

    def __call__(self, answer: httpx.Response) -> None:
        """Return if *answer* is one.

        Raises:
            RetryError, StopError, BatchRefusedError: It is not.
        """
        if answer.is_success:
            # Whether it is JSON all through shows when it is read; this much finds pages of proxies, and cut ends.
            body = answer.content.strip()
            if not (body.startswith(b"{") and body.endswith(b"}")):
                raise RetryError("HubSpot's answer is no JSON object.")
            return
        heard = self._heard(answer)
        brief = replace(heard, words=short(heard.words))
        self._wait(answer, brief)
        self._stop(answer, brief)
        if answer.status_code == httpx.codes.REQUEST_ENTITY_TOO_LARGE:
            raise BatchRefusedError(heard.words, code=heard.code)
        is_lost = answer.status_code == httpx.codes.NOT_FOUND and heard.code == "OBJECT_NOT_FOUND"
        if answer.status_code in _OF_THE_BATCH or is_lost:
            raise BatchRefusedError(heard.words, code=heard.code)
        hint = "`connect.base_url` must be HubSpot's address, or that of something that answers like it."
        raise StopError(brief.words, reason=StopReason.SETUP, hint=hint)

    def _heard(self, answer: httpx.Response) -> Said:
        body = object_in(answer) or {}
        heard = said(body)
        plain = f"HTTP {answer.status_code} {answer.reason_phrase}".strip()
        words = (heard.words or plain).replace(self.token, "…")
        return Said(words, heard.code or str(answer.status_code), heard.scopes)

    def _wait(self, answer: httpx.Response, heard: Said) -> None:
        """Raise what passes by itself."""
        status, asked = answer.status_code, retry_after(answer)
        if status == 423:
            raise RetryError(heard.words, after_s=max(asked or 0.0, _LOCKED_S), is_turned_away=True)
        if status == httpx.codes.TOO_MANY_REQUESTS:
            if (object_in(answer) or {}).get("policyName") == "DAILY":
                hint = "no more calls are taken until midnight in the account's time zone; run it again then."
                raise StopError(heard.words, reason=StopReason.QUOTA, hint=hint)
            raise RetryError(heard.words, after_s=_window_s(answer) if asked is None else asked, is_turned_away=True)
        if status == 477:
            raise RetryError(heard.words, after_s=_MOVING_S if asked is None else asked, is_turned_away=True)
        if status in {502, 503, 504}:
            raise RetryError(heard.words, after_s=max(asked or 0.0, _OVERLOADED_S))
        if status >= 500 or status == httpx.codes.REQUEST_TIMEOUT:
            raise RetryError(heard.words, after_s=asked)

    def _stop(self, answer: httpx.Response, heard: Said) -> None:
        """Raise what only a person mends."""
        if answer.status_code == httpx.codes.UNAUTHORIZED:
            hint = f"set {self.token_env} to the access token of a HubSpot private app."
            raise StopError(heard.words, reason=StopReason.CREDENTIALS, hint=hint)
        if answer.status_code == httpx.codes.FORBIDDEN:
            needed = ", ".join(heard.scopes)
            named = f"grant the private app {needed}" if needed else "grant the private app what its words name"
            raise StopError(
                f"{heard.words} {needed}".rstrip(), reason=StopReason.PERMISSION, hint=f"{named}, then run it again."
            )
        if answer.status_code in _OF_THE_BATCH and heard.is_about_all:
            raise set_up(heard)


def set_up(heard: Said) -> StopError:
    """Return the trouble where properties are not as Leadlight needs them: no row is at fault."""
    return StopError(short(heard.words), reason=StopReason.SETUP, hint=_SET_UP)


def object_in(answer: httpx.Response) -> dict[str, Any] | None:
    """Return the JSON object of an answer; None = it holds none."""
    try:
        body = answer.json()
    except (ValueError, RecursionError):
        return None
    return body if isinstance(body, dict) else None


def _window_s(answer: httpx.Response) -> float:
    """Return the longest that a limit which names no pause may last."""
    if (object_in(answer) or {}).get("policyName") == "SECONDLY":
        return 1.0
    said_ms = answer.headers.get("X-HubSpot-RateLimit-Interval-Milliseconds", "")
    return min(int(said_ms) / 1000, 60.0) if _MILLISECONDS.fullmatch(said_ms) else _WINDOW_S
