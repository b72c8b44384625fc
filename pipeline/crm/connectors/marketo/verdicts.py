"""What an answer of Marketo's means as a whole.

HTTP is 200 even where a call failed; the truth is in ``success`` and, where that is false, in the codes of ``errors``.

========================================  ==================================================================
codes                                     what follows
========================================  ==================================================================
601, 602                                  the token ended: a new one
606, 615, 1016, 1019, 1029                too many calls, imports or jobs for a moment: slower
5xx, 604, 608, 611, 614, 713, 719         it passes by itself
607                                       the day's calls of all integrations are used up
600                                       no token arrived, although each call carries one
603, 1008                                 the role of the API user lacks a permission, or a partition
605, 610, 612, 613, 616, 703,             the address, a field or the instance is not as the config says
1006, 1009, 1011
609, 701, 702, 704, 1001 to 1005,         something in the call: `BatchRefusedError`
1007, 1010, 1012, 1021, 1036
610, 702, 1013 where an import is         it is not found: `BatchRefusedError`
asked for
all others                                `UnknownCodeError`: whatever it means, no row is turned away for it
========================================  ==================================================================
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final

import httpx

from pipeline.crm.connectors.marketo.wording import plain_words
from pipeline.crm.http import StaleLoginError, retry_after
from pipeline.crm.trouble import BatchRefusedError, RetryError, StopError, StopReason, TroubleError

TURNED_AWAY: Final = frozenset({"606", "615", "1016", "1019", "1029"})
TRANSIENT: Final = frozenset({"604", "608", "611", "614", "713", "719"})
_OF_A_SERVER: Final = re.compile(r"5\d\d")
_OF_THE_CALL: Final = frozenset(
    ("609", "701", "702", "704", "1001", "1002", "1003", "1004", "1005", "1007", "1010", "1012", "1021", "1036")
)
_NO_IMPORT: Final = frozenset({"610", "702", "1013"})
_STALE: Final = frozenset({"601", "602"})
_SETUP: Final = "check connect.base_url, the key and the fields with `leadlight publish --dry-run`."
_STOPS: Final = {
    **dict.fromkeys(_STALE, (StopReason.CREDENTIALS, "")),
    "607": (StopReason.QUOTA, "Marketo counts anew at midnight, US Central time; what is pending is kept until then."),
    "600": (StopReason.CREDENTIALS, "something between here and Marketo drops the Authorization header."),
    "603": (StopReason.PERMISSION, "the API user's role needs the permissions that docs/crm.md lists."),
    "1008": (StopReason.PERMISSION, "the API user needs access to the workspace of that partition."),
    **dict.fromkeys(
        ("605", "610", "612", "613", "616", "703", "1006", "1009", "1011"), (StopReason.SETUP, _SETUP)
    ),
}  # fmt: skip
STOPPING: Final = frozenset(_STOPS)
"""Codes that stop, of whatever they are said."""
_UNKNOWN: Final = "run the same command again; if it says so again, look the code up in Marketo's list of error codes."
_IMPORTS: Final = "/bulk/v1/leads/batch/"
_FILES: Final = ("/failures.json", "/warnings.json")


@dataclass(frozen=True)
class Verdict:
    """Judges answers, for `pipeline.crm.http.Http`.

    Args:
        secrets: What no words may show: the client's secret and the tokens.
    """

    secrets: Callable[[], Iterable[str]]

    def __call__(self, answer: httpx.Response) -> None:
        """Raise what *answer* means where it is none."""
        if answer.status_code != httpx.codes.OK:
            raise _of_status(answer)
        if answer.request.url.path.endswith(_FILES) and not answer.content.lstrip().startswith(b"{"):
            return
        body = parsed(answer)
        if body.get("success") is True:
            return
        raise self._of_errors(body, is_import=_IMPORTS in answer.request.url.path)

    def _of_errors(self, body: dict[str, Any], *, is_import: bool) -> TroubleError:
        errors = body.get("errors")
        told = [error for error in errors if isinstance(error, dict)] if isinstance(errors, list) else []
        if body.get("success") is not False or not told:
            return RetryError("The answer neither succeeds nor says why not.")
        code = _code(told[0].get("code"))
        words = plain_words(code, told[0].get("message"), hidden=self.secrets())
        if code in _STALE:
            return StaleLoginError(words)
        if code in TURNED_AWAY:
            return RetryError(words, is_turned_away=True)
        if not code or code in TRANSIENT or _OF_A_SERVER.fullmatch(code):
            return RetryError(words or "The answer does not say why it failed.")
        if code in _OF_THE_CALL or (is_import and code in _NO_IMPORT):
            return BatchRefusedError(words, code=code)
        return stop_of(code, words)


class UnknownCodeError(StopError):
    """Marketo refused a call with a code of which nobody knows what it means.

    Args:
        words: What it said.
    """

    def __init__(self, words: str) -> None:
        super().__init__(words, reason=StopReason.LATER, hint=_UNKNOWN)


def stop_of(code: str, words: str) -> StopError:
    """Return what is raised for a code that no waiting mends."""
    if code not in _STOPS:
        return UnknownCodeError(words)
    reason, hint = _STOPS[code]
    return StopError(words, reason=reason, hint=hint)


def _code(told: object) -> str:
    """Return Marketo's code, which it gives as a text or a number; empty where it is neither."""
    return str(told).strip() if isinstance(told, str | int) else ""


def parsed(answer: httpx.Response) -> dict[str, Any]:
    """Return the body of *answer*.

    Raises:
        RetryError: It is no JSON object, as where a machine on the way answered in Marketo's place.
    """
    try:
        body = answer.json()
    except (ValueError, RecursionError) as error:
        raise RetryError("The answer is no JSON.") from error
    if not isinstance(body, dict):
        raise RetryError("The answer is no JSON object.")
    return body


def _of_status(answer: httpx.Response) -> TroubleError:
    """Return what an HTTP status means; Marketo's own are 413 and 414, all others come from machines on the way."""
    status = answer.status_code
    words = f"HTTP {status}"
    if status == httpx.codes.REQUEST_ENTITY_TOO_LARGE:
        return BatchRefusedError(words, code="413")
    if status in {httpx.codes.TOO_MANY_REQUESTS, httpx.codes.REQUEST_TIMEOUT} or status >= 500:
        is_turned_away = status == httpx.codes.TOO_MANY_REQUESTS
        return RetryError(words, after_s=retry_after(answer), is_turned_away=is_turned_away)
    if status == httpx.codes.UNAUTHORIZED:
        return StopError(words, reason=StopReason.CREDENTIALS)
    if status == httpx.codes.FORBIDDEN:
        return StopError(words, reason=StopReason.PERMISSION)
    return StopError(words, reason=StopReason.SETUP, hint="is connect.base_url the address of Marketo's REST API?")
