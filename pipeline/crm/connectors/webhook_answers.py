"""What a receiver's answers mean."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import httpx

from models.wording import one_line
from pipeline.crm.connectors.value_texts import as_text, moment_of
from pipeline.crm.http import retry_after
from pipeline.crm.promise import Answer, Outcome, Record, Row
from pipeline.crm.said import LONGEST, fit_to_keep, shown, values_of
from pipeline.crm.trouble import BatchRefusedError, RetryError, StopError, StopReason

_LONGEST_CODE: Final = 80
_REFUSED: Final = frozenset({400, 422})
_LATER: Final = frozenset({408, 409, 423, 425})
_STOPS: Final = {
    401: (StopReason.CREDENTIALS, "see that sender and receiver have the same secret, and clocks that agree."),
    402: (StopReason.QUOTA, "see what the receiver's plan allows."),
    403: (StopReason.PERMISSION, "see that the receiver lets this machine in, and that both have the same secret."),
    404: (StopReason.SETUP, "correct the receiver's address."),
    410: (StopReason.SETUP, "correct the receiver's address."),
}
_NOT_MENTIONED: Final = "The receiver's answer does not mention this row."
_NOT_UNDERSTOOD: Final = "The receiver's answer is not understood"


def judge(answer: httpx.Response) -> None:
    """Raise what an answer means that is no success.

    Raises:
        BatchRefusedError, RetryError, StopError: See docs/crm.md.
    """
    status = answer.status_code
    if answer.is_success:
        return
    words = _words(answer)
    if status in _REFUSED:
        raise BatchRefusedError(words, code=str(status))
    if status == httpx.codes.REQUEST_ENTITY_TOO_LARGE:
        raise BatchRefusedError(words, code=str(status))
    if status == httpx.codes.TOO_MANY_REQUESTS:
        raise RetryError(words, after_s=retry_after(answer), is_turned_away=True)
    if status in _LATER or answer.is_server_error:
        raise RetryError(words, after_s=retry_after(answer))
    reason, hint = _STOPS.get(status, (StopReason.SETUP, "see what the receiver expects at this address."))
    raise StopError(words, reason=reason, hint=hint)


def check_understood(answer: httpx.Response, *, any_answer: bool) -> None:
    """Judge an answer to a batch; one that says nothing of its rows in a way we know may be from anybody.

    Args:
        answer: The answer.
        any_answer: Whether every success counts, whatever it says.

    Raises:
        RetryError: It is a success that says nothing that is known, such as a page to log in.
    """
    judge(answer)
    if answer.content.strip() and not any_answer:
        results = _json(answer).get("results")
        if not isinstance(results, list) or not all(isinstance(one, dict) for one in results):
            raise RetryError(f"{_NOT_UNDERSTOOD}: it has no list 'results'.")


def answers(rows: Sequence[Row], answer: httpx.Response, *, any_answer: bool) -> list[Answer]:
    """Return an answer for each of *rows*, from one that `check_understood` let pass."""
    if any_answer or not answer.content.strip():
        return [Answer(row.key, Outcome.WRITTEN) for row in rows]
    said = {one.get("key"): one for one in _json(answer)["results"] if isinstance(one.get("key"), str)}
    return [_answer(row, said.get(row.key)) for row in rows]


def _answer(row: Row, said: Mapping[str, Any] | None) -> Answer:
    if said is None:
        return Answer(row.key, Outcome.RETRY, _NOT_MENTIONED)
    status = said.get("status")
    if status == Outcome.WRITTEN:
        return Answer(row.key, Outcome.WRITTEN)
    words = fit_to_keep(_text(said.get("error")), values=values_of([row]))
    code = one_line(_text(said.get("code")), longest=_LONGEST_CODE)
    if status == Outcome.REJECTED:
        return Answer(row.key, Outcome.REJECTED, words, code)
    return Answer(row.key, Outcome.RETRY, words or "The receiver says neither 'written' nor 'rejected'.", code)


def records(answer: httpx.Response) -> list[Record]:
    """Return the records of an answer to a reading.

    Raises:
        RetryError: It has none.
    """
    listed = _json(answer).get("records")
    if not isinstance(listed, list):
        raise RetryError(f"{_NOT_UNDERSTOOD}: it has no list 'records'.")
    return [_record(one) for one in listed]


def page_end(answer: httpx.Response) -> tuple[str, bool]:
    """Return the cursor of an answer to a reading, and whether there is more.

    Raises:
        RetryError: It has no cursor.
    """
    said = _json(answer)
    cursor, is_more = said.get("cursor"), said.get("is_more", False)
    if not isinstance(cursor, str) or not isinstance(is_more, bool):
        raise RetryError(f"{_NOT_UNDERSTOOD}: it has no text 'cursor'.")
    return cursor, is_more


def _record(said: object) -> Record:
    if not isinstance(said, dict) or not isinstance(said.get("key"), str) or not isinstance(said.get("fields"), dict):
        raise RetryError(f"{_NOT_UNDERSTOOD}: a record has no 'key' or no 'fields'.")
    return Record(said["key"], {name: as_text(value) for name, value in said["fields"].items()}, _moment(said))


def _moment(said: Mapping[str, Any]) -> datetime | None:
    at = said.get("changed_at")
    if at is None:
        return None
    moment = moment_of(at)
    if moment is None:
        raise RetryError(f"{_NOT_UNDERSTOOD}: 'changed_at' is no moment.")
    return moment


def _json(answer: httpx.Response) -> dict[str, Any]:
    try:
        found = json.loads(answer.content)
    except (ValueError, RecursionError):
        raise RetryError(f"{_NOT_UNDERSTOOD}: it is no JSON.") from None
    if not isinstance(found, dict):
        raise RetryError(f"{_NOT_UNDERSTOOD}: it is no JSON object.")
    return found


def _words(answer: httpx.Response) -> str:
    """Return what an answer says, where it says it in JSON; whole pages say nothing to anybody."""
    said = ""
    try:
        found = json.loads(answer.content)
    except (ValueError, RecursionError):
        found = None
    if isinstance(found, dict):
        said = _text(found.get("error")) or _text(found.get("message"))
    said = fit_to_keep(said, values=_values_asked(answer.request))
    words = f"The receiver answered {answer.status_code}" + (f": {said}" if said else f" {answer.reason_phrase}.")
    return one_line(words, longest=LONGEST)


def _values_asked(request: httpx.Request) -> set[str]:
    """Return what a call held of leads: a receiver may repeat any of it."""
    asked = json.loads(request.content)
    of_rows = (value for row in asked.get("rows", ()) for value in (row["key"], *row["fields"].values()))
    return shown([*of_rows, *asked.get("keys", ())])


def _text(said: object) -> str:
    return said if isinstance(said, str) else ""
