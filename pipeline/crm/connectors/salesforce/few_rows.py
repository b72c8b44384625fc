"""Few rows: sObject Collections, 200 records a call, each with an answer of its own in the same order."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any, Final

from pipeline.crm.connectors.salesforce.api import GARBLED, Api
from pipeline.crm.connectors.salesforce.places import ID
from pipeline.crm.connectors.salesforce.rows import Part, answer_of, require_no_stop
from pipeline.crm.promise import Answer, Outcome, Row
from pipeline.crm.trouble import RetryError

MOST: Final = 200


def write(api: Api, part: Part) -> Iterator[Answer]:
    """Write the rows of *part*, and yield an answer for each."""
    path = "/composite/sobjects"
    if part.column != ID:
        path += f"/{part.object}/{part.column}"
    waiting = iter(part.rows.items())
    while some := list(islice(waiting, MOST)):
        records = [{"attributes": {"type": part.object}, **row.fields, part.column: ident} for ident, row in some]
        answered = api.json("PATCH", path, body={"allOrNone": False, "records": records})
        if not isinstance(answered, list) or len(answered) != len(some):
            raise RetryError(GARBLED)
        answers = [_answer(row, said) for (_, row), said in zip(some, answered, strict=True)]
        require_no_stop(answers)
        yield from answers


def _answer(row: Row, said: Any) -> Answer:  # noqa: ANN401 - whatever JSON holds
    if not isinstance(said, dict) or not isinstance(said.get("success"), bool):
        raise RetryError(GARBLED)
    if said["success"]:
        return Answer(row.key, Outcome.WRITTEN)
    errors = said.get("errors")
    first = errors[0] if isinstance(errors, list) and errors else {}
    first = first if isinstance(first, dict) else {}
    code = str(first.get("statusCode") or first.get("errorCode") or "")
    return answer_of(row, code, str(first.get("message") or ""))
