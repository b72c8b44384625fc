"""Calls to one org: JSON that has the right shape, queries to their last page, and the day's calls watched.

Queries go out five together through the Composite resource, which counts as one call; the Batch resource would count
each of them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Any, Final

import httpx

from pipeline.crm.connectors.salesforce.judging import judge, trouble_of
from pipeline.crm.connectors.salesforce.login import ClientCredentials
from pipeline.crm.connectors.salesforce.soql import encoded
from pipeline.crm.http import Http
from pipeline.crm.trouble import RetryError, StopError, StopReason

_QUERIES_TOGETHER: Final = 5
_USED: Final = re.compile(r"api-usage=(\d{1,15})/(\d{1,15})(?!\d)")
_PAGE: Final = re.compile(r"/services/data/v\d+\.\d+/query(?:All)?/[\w-]+")
GARBLED: Final = (
    "The answer is not of the form that Salesforce documents, perhaps a login page or a proxy's; see that base_url is "
    "the org's My Domain address."
)


class Usage:
    """The share of the org's daily calls that is used, as each answer tells.

    Args:
        most: The share from which on nothing new is sent.
        login: Told of calls that were let in.
    """

    def __init__(self, most: float, login: ClientCredentials) -> None:
        self._most, self._login = most, login
        self._share = 0.0

    def judge(self, answer: httpx.Response) -> None:
        """Note what *answer* tells, and raise its trouble."""
        counts = _USED.findall(answer.headers.get("Sforce-Limit-Info", ""))
        shares = [int(used) / int(most) for used, most in counts if int(most)]
        if shares:
            self._share = max(shares)
        judge(answer)
        self._login.worked(answer.request.headers.get("Authorization", ""))

    def guard(self) -> None:
        """Raise where the day's calls are nearly used up.

        Raises:
            StopError: More than the share given is used.
        """
        if self._share > self._most:
            words = f"{self._share:.0%} of the org's daily API calls are used; daily_share allows {self._most:.0%}."
            hint = "what is pending is kept; run the same command when calls are free again, or raise daily_share."
            raise StopError(words, reason=StopReason.QUOTA, hint=hint)


class Api:
    """One org's REST API.

    Args:
        http: Calls, with a login.
        version: Of the API.
    """

    def __init__(self, http: Http, version: str) -> None:
        self._http = http
        self.root = f"/services/data/v{version}"

    def ask(self, method: str, path: str, **parts: Any) -> httpx.Response:  # noqa: ANN401 - those of `Http.ask`
        """Return the answer to a call of the path below the version."""
        return self._http.ask(method, self.root + path, **parts)

    def json(self, method: str, path: str, *, body: Any = None) -> Any:  # noqa: ANN401 - whatever JSON holds
        """Return the JSON that a call brings.

        Raises:
            RetryError: It brings none.
        """
        # Written out in ASCII: half a character from a broken text must not break the call.
        content = None if body is None else json.dumps(body).encode()
        headers = None if body is None else {"Content-Type": "application/json"}
        return _json_of(self.ask(method, path, content=content, headers=headers))

    def mapping(self, method: str, path: str, *, body: Any = None) -> Mapping[str, Any]:  # noqa: ANN401 - JSON
        """Return the JSON object that a call brings.

        Raises:
            RetryError: It brings none.
        """
        return _mapping(self.json(method, path, body=body))

    def records(self, queries: Iterable[str]) -> Iterator[dict[str, Any]]:
        """Yield every record of *queries*, page after page."""
        waiting = iter(queries)
        while together := list(islice(waiting, _QUERIES_TOGETHER)):
            for first in self._first_pages(together):
                yield from self._pages(first)

    def _first_pages(self, queries: list[str]) -> list[Mapping[str, Any]]:
        if len(queries) == 1:
            return [self.mapping("GET", f"/query?q={encoded(queries[0])}")]
        asked = [
            {"method": "GET", "url": f"{self.root}/query?q={encoded(query)}", "referenceId": f"q{number}"}
            for number, query in enumerate(queries)
        ]
        answer = self.mapping("POST", "/composite", body={"allOrNone": False, "compositeRequest": asked})
        parts = answer.get("compositeResponse")
        if not isinstance(parts, list) or len(parts) != len(queries):
            raise RetryError(GARBLED)
        return [_part(part) for part in parts]

    def _pages(self, page: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        seen: set[str] = set()
        while True:
            yield from _records(page)
            is_done = page.get("done")
            if not isinstance(is_done, bool):
                raise RetryError(GARBLED)
            if is_done:
                return
            following = page.get("nextRecordsUrl")
            # The token goes along: only pages of this org's own queries are followed, and none twice.
            if not isinstance(following, str) or not _PAGE.fullmatch(following) or following in seen:
                raise RetryError(GARBLED)
            seen.add(following)
            page = _mapping(_json_of(self._http.ask("GET", following)))

    def close(self) -> None:
        """Close the connections."""
        self._http.close()


def _json_of(answer: httpx.Response) -> Any:  # noqa: ANN401 - whatever JSON holds
    try:
        return answer.json()
    except (ValueError, RecursionError) as error:
        raise RetryError(GARBLED) from error


def _mapping(found: Any) -> Mapping[str, Any]:  # noqa: ANN401 - whatever JSON holds
    if not isinstance(found, dict):
        raise RetryError(GARBLED)
    return found


def _part(part: Any) -> Mapping[str, Any]:  # noqa: ANN401 - whatever JSON holds
    """Return what one query of several brought."""
    answered = _mapping(part)
    status = answered.get("httpStatusCode")
    if not isinstance(status, int):
        raise RetryError(GARBLED)
    if not 200 <= status < 300:
        raise trouble_of(status, answered.get("body"), path="/query")
    return _mapping(answered.get("body"))


def _records(page: Mapping[str, Any]) -> list[dict[str, Any]]:
    records = page.get("records")
    if not isinstance(records, list) or not all(isinstance(record, dict) for record in records):
        raise RetryError(GARBLED)
    return records
