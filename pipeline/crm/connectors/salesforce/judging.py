"""What an answer of Salesforce means: the trouble it tells of, in words without values of leads.

Errors come as ``[{"errorCode", "message", "fields"}]``; those of single rows are judged in `rows`.
"""

from __future__ import annotations

from typing import Any, Final

import httpx

from pipeline.crm.http import StaleLoginError, retry_after
from pipeline.crm.said import fit_to_keep
from pipeline.crm.trouble import BatchRefusedError, RetryError, StopError, StopReason, TroubleError

_QUERY_ECHO: Final = "ERROR at Row"
_PERMISSION: Final = frozenset({401, 403})
_NO_SUCH_ADDRESS: Final = frozenset({404, 405, 406, 410, 414, 415})
QUOTA_HINT: Final = "the org's daily calls are used up; they free themselves over 24 hours. Run the same command later."
_PERMISSION_HINT: Final = (
    "let an admin give the integration user the permission named; docs/crm.md lists what it needs."
)
_SETUP_HINT: Final = "run `leadlight publish --setup`; it makes what is missing and says what does not fit."


class GoneError(StopError):
    """What was asked for is not there: a job that Salesforce has removed."""


class JobStateError(StopError):
    """A job is not in the state for what was asked."""


def judge(answer: httpx.Response) -> None:
    """Raise the trouble that *answer* tells of."""
    if answer.is_success:
        return
    try:
        body = answer.json()
    except (ValueError, RecursionError):
        body = None
    raise trouble_of(answer.status_code, body, path=answer.request.url.path, after_s=retry_after(answer))


def trouble_of(status: int, body: Any, *, path: str, after_s: float | None = None) -> TroubleError:  # noqa: ANN401
    """Return the trouble of an answer that is no success.

    Args:
        status: Of HTTP.
        body: The answer's JSON; None = it is none.
        path: What was asked.
        after_s: Its ``Retry-After``.
    """
    code, message = _first_error(body)
    words = said(code, message) or f"HTTP {status}"
    if "LIMIT_EXCEEDED" in code:
        return _limit(words, after_s)
    if status == 401:
        return StaleLoginError(words)
    if status >= 500 or status in {408, 420} or code in {"UNABLE_TO_LOCK_ROW", "SERVER_UNAVAILABLE"}:
        return RetryError(words, after_s=after_s)
    if status == 429:
        return RetryError(words, after_s=after_s, is_turned_away=True)
    if status in _PERMISSION:
        return StopError(words, reason=StopReason.PERMISSION, hint=_PERMISSION_HINT)
    return _fault(status, code, words, path)


def _limit(words: str, after_s: float | None) -> TroubleError:
    """Return a limit's trouble: calls at the same time pass in a moment, those of a day do not."""
    if "concurrent" in words.lower():
        return RetryError(words, after_s=after_s, is_turned_away=True)
    return StopError(words, reason=StopReason.QUOTA, hint=QUOTA_HINT)


def _fault(status: int, code: str, words: str, path: str) -> TroubleError:
    """Return the trouble of a call that Salesforce understood to be wrong."""
    if status == 413:
        return BatchRefusedError(words, code=code)
    is_of_setup = code.startswith(("INVALID_FIELD", "INVALID_TYPE", "NOT_FOUND", "API_", "UNSUPPORTED_API"))
    if status == 400 and "/composite/sobjects" in path and not is_of_setup:
        return BatchRefusedError(words, code=code)
    if "/jobs/" in path and status == 404:
        return GoneError(words, reason=StopReason.SETUP)
    if "/jobs/ingest/" in path and status not in _NO_SUCH_ADDRESS:
        return JobStateError(words, reason=StopReason.SETUP)
    return StopError(words, reason=StopReason.SETUP, hint=_SETUP_HINT)


def _first_error(body: Any) -> tuple[str, str]:  # noqa: ANN401 - whatever came
    """Return code and message of an answer's first error; empty where it tells of none."""
    first = body[0] if isinstance(body, list) and body else body
    if not isinstance(first, dict):
        return "", ""
    code = first.get("errorCode") or first.get("statusCode") or first.get("error") or ""
    message = first.get("message") or first.get("error_description") or ""
    return str(code), str(message)


def said(code: str, message: str) -> str:
    """Return an error in one line, without the query that it repeats and without addresses of people."""
    at = message.find(_QUERY_ECHO)
    told = message if at < 0 else message[at:]
    return fit_to_keep(": ".join(part for part in (code, told) if part))
