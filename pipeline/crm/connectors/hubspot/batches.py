"""Batches: rows as HubSpot takes them, and its answer told row by row.

Each input carries a trace id of its own. HubSpot repeats it in the result or in the error of that row; without unique
ones a batch would be refused whole. Where an answer lacks the trace, the key is looked for. What no answer mentions
may be sent again: a record is written over with the same values.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final
from uuid import uuid4

from pipeline.crm.connectors.hubspot.judging import set_up
from pipeline.crm.connectors.hubspot.words import Said, said, without
from pipeline.crm.promise import Answer, Outcome, Row, Value
from pipeline.crm.said import values_of
from pipeline.crm.trouble import BatchRefusedError

RECORD_ID: Final = "hs_object_id"
MOST_ROWS: Final = 100
_SILENT: Final = "HubSpot's answer says nothing of this row."


def as_text(value: Value) -> str:
    """Return a value as HubSpot takes it: everything is a text, and an empty one empties the property."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        text = repr(value)
        return format(Decimal(text), "f") if "e" in text else text
    return str(value)


@dataclass(frozen=True)
class Batch:
    """Rows that go out in one call.

    Args:
        rows: The rows, each with a key of its own.
        key: The property that tells records apart.
        creates: Whether records that are not there are created.
    """

    rows: Sequence[Row]
    key: str
    creates: bool

    def traced(self) -> dict[str, Row]:
        """Return the rows by a trace id that no other of the batch has."""
        traced: dict[str, Row] = {}
        call = ""
        for number, row in enumerate(self.rows):
            trace = row.trace
            if not trace or trace in traced:
                call = call or uuid4().hex
                trace = f"{trace or call}-{number}"
            traced[trace] = row
        return traced

    def body(self, traced: Mapping[str, Row]) -> dict[str, Any]:
        """Return what is sent."""
        named = {} if self.key == RECORD_ID else {"idProperty": self.key}
        inputs = []
        for trace, row in traced.items():
            properties = {name: as_text(value) for name, value in row.fields.items()}
            if self.creates:
                properties[self.key] = row.key
            inputs.append({"id": row.key, **named, "objectWriteTraceId": trace, "properties": properties})
        return {"inputs": inputs}

    def answers(self, body: Mapping[str, Any], traced: Mapping[str, Row]) -> list[Answer]:
        """Return one answer for each row.

        Raises:
            StopError: A property is not as Leadlight needs it.
            BatchRefusedError: An error names no row: the batch is to be halved until it is clear which is meant.
        """
        told = _Told(traced, self.key)
        for result in _objects(body.get("results")):
            told.result(result)
        for error in _objects(body.get("errors")):
            told.error(error)
        told.settle()
        return list(told.answers.values())


class _Told:
    """What an answer tells of each row.

    Args:
        traced: The rows that were sent, by trace id.
        key: The property that tells records apart.
    """

    def __init__(self, traced: Mapping[str, Row], key: str) -> None:
        self._traced, self._key = traced, key
        self._of_key = {row.key: row for row in traced.values()}
        self._nameless_results = 0
        self._nameless: list[Said] = []
        self.answers: dict[str, Answer] = {}

    def result(self, result: Mapping[str, Any]) -> None:
        """Note a row that was written; results of rows that were never sent are passed over."""
        trace = result.get("objectWriteTraceId")
        properties = result.get("properties")
        key = properties.get(self._key) if isinstance(properties, dict) else None
        key = result.get("id") if self._key == RECORD_ID else key
        row = self._traced.get(trace) if isinstance(trace, str) else None
        row = row or (self._of_key.get(key) if isinstance(key, str) else None)
        if row is not None:
            self.answers[row.key] = Answer(row.key, Outcome.WRITTEN)
        elif not trace and not key:
            self._nameless_results += 1

    def error(self, error: Mapping[str, Any]) -> None:
        """Note rows that were not: an error counts for more than a result."""
        heard = said(error)
        if heard.is_about_all:
            raise set_up(Said(without(heard.words, values_of(self._traced.values())), heard.code))
        rows = self._named_in(error.get("context"))
        if not rows:
            self._nameless.append(heard)
        for row in rows:
            self._refuse(row, heard)

    def settle(self) -> None:
        """Answer for the rows that nothing named."""
        left = [row for row in self._traced.values() if row.key not in self.answers]
        if not left:
            return
        lasting = next((heard for heard in self._nameless if not heard.passes), None)
        if lasting is not None and len(left) > 1:
            raise BatchRefusedError(without(lasting.words, values_of(left)), code=lasting.code)
        if not self._nameless and self._nameless_results == len(left):
            self.answers.update({row.key: Answer(row.key, Outcome.WRITTEN) for row in left})
            return
        heard = lasting or (self._nameless[0] if self._nameless else None)
        for row in left:
            if heard is None:
                self.answers[row.key] = Answer(row.key, Outcome.RETRY, _SILENT)
            else:
                self._refuse(row, heard)

    def _named_in(self, context: object) -> list[Row]:
        if not isinstance(context, dict):
            return []
        traces = [self._traced.get(one) for one in _texts(context.get("objectWriteTraceId"))]
        keys = [
            self._of_key.get(one) for name, named in context.items() if "id" in name.lower() for one in _texts(named)
        ]
        return [row for row in traces if row is not None] or [row for row in keys if row is not None]

    def _refuse(self, row: Row, heard: Said) -> None:
        outcome = Outcome.RETRY if heard.passes else Outcome.REJECTED
        self.answers[row.key] = Answer(row.key, outcome, without(heard.words, values_of([row])), heard.code)


def _objects(value: object) -> list[dict[str, Any]]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def _texts(value: object) -> list[str]:
    listed = value if isinstance(value, list) else [value]
    return [one for one in listed if isinstance(one, str)]
