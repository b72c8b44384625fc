"""Calls to Marketo's REST API: what goes out, and the part of an answer that counts."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final
from urllib.parse import urlencode

from pipeline.crm.connectors.marketo.verdicts import parsed
from pipeline.crm.http import Http
from pipeline.crm.trouble import BatchRefusedError, RetryError, StopError, StopReason

LONGEST_QUERY: Final = 6_000
"""Characters of a question that still go into an address, of which Marketo reads 8 KB."""
_JSON: Final = {"Content-Type": "application/json"}
_COUNTED_EACH: Final = 200


class Calls:
    """Marketo's REST API; one object serves all threads.

    Args:
        http: The way there.
        daily_calls: Calls of all integrations on one day from which on none is made; 0 = any number.
    """

    def __init__(self, http: Http, *, daily_calls: int = 0) -> None:
        self._http = http
        self._daily_calls = daily_calls
        self._lock = threading.Lock()
        self._left = 0

    def question(self, path: str, asked: Mapping[str, str]) -> dict[str, Any]:
        """Return the answer to a question: a GET, or a POST that means one where the address would be too long.

        Raises:
            BatchRefusedError: Marketo finds fault with what is asked.
        """
        self._count()
        if len(urlencode(asked)) <= LONGEST_QUERY:
            return parsed(self._http.ask("GET", path, params=asked))
        return parsed(self._http.ask("POST", path, params={"_method": "GET"}, data=asked))

    def order(self, path: str, content: bytes, *, is_repeatable: bool = True) -> dict[str, Any]:
        """Return the answer to JSON *content*.

        Raises:
            BatchRefusedError: Marketo finds fault with it.
            UnansweredError: It is not repeatable, and nobody knows whether it took effect.
        """
        self._count()
        answer = self._http.ask("POST", path, content=content, headers=_JSON, is_repeatable=is_repeatable)
        return parsed(answer)

    def upload(self, path: str, content: bytes, asked: Mapping[str, str]) -> dict[str, Any]:
        """Return the answer to a CSV file.

        Raises:
            BatchRefusedError: Marketo finds fault with it.
            UnansweredError: Nobody knows whether it was taken.
        """
        self._count()
        files = {"file": ("leads.csv", content, "text/csv")}
        return parsed(self._http.ask("POST", path, params=asked, files=files, is_repeatable=False))

    def download(self, path: str) -> bytes:
        """Return a file of Marketo's."""
        self._count()
        return self._http.ask("GET", path).content

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def _count(self) -> None:
        """Look at Marketo's own count of the day once in a while.

        Raises:
            StopError: The day's share is used up.
        """
        if not self._daily_calls:
            return
        with self._lock:
            if self._left > 0:
                self._left -= 1
                return
            made = _made_today(parsed(self._http.ask("GET", "/rest/v1/stats/usage.json")))
            if made >= self._daily_calls:
                words = f"All integrations made {made} calls today; connect.daily_calls is {self._daily_calls}."
                raise StopError(
                    words, reason=StopReason.QUOTA, hint="Marketo counts anew at midnight, US Central time."
                )
            self._left = _COUNTED_EACH


def _made_today(body: Mapping[str, Any]) -> int:
    days = results(body)
    total = days[0].get("total") if days else 0
    return total if isinstance(total, int) else 0


def results(body: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return what an answer holds, one object each; none where it holds nothing.

    Raises:
        RetryError: It holds something else.
    """
    found = body.get("result") or []
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        raise RetryError("The answer's result is no list of objects.")
    return found


@contextmanager
def no_batch() -> Iterator[None]:
    """Turn a refusal into a stop where there is no batch that could be halved."""
    try:
        yield
    except BatchRefusedError as error:
        raise StopError(error.words, reason=StopReason.SETUP, hint=_HINT) from error


_HINT: Final = "check connect, the key and the fields of this target."
