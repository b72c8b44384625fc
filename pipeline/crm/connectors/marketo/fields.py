"""Marketo's fields: do those that are to be written exist, fit and may they be written; and how they are made."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from pipeline.crm.connectors.marketo.calls import Calls, no_batch, results
from pipeline.crm.connectors.marketo.sync import ID
from pipeline.crm.connectors.marketo.wording import plain_words
from pipeline.crm.promise import CrmField, FieldType, Missing
from pipeline.crm.trouble import RetryError, StopError, StopReason

_TAKES: Final[Mapping[FieldType, tuple[str, ...]]] = {
    FieldType.TEXT: ("string", "text"),
    FieldType.CHOICE: ("string", "text"),
    FieldType.INTEGER: ("integer", "score", "float", "percent", "currency"),
    FieldType.NUMBER: ("float", "currency"),
    FieldType.BOOLEAN: ("boolean",),
    FieldType.MOMENT: ("datetime",),
}
"""Marketo's types that hold each kind of value without loss; the first is the one that is made."""
_STRING_LENGTH: Final = 255
_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
_SCHEMA: Final = "/rest/v1/leads/schema/fields.json"
_MADE: Final = frozenset({"created", "updated"})
_THERE_ALREADY: Final = frozenset({"1005", "1017"})


@dataclass(frozen=True)
class LeadFields:
    """The fields of leads.

    Args:
        calls: The way to Marketo.
        key: The field that tells leads apart.
        may_create: Whether leads are to be created.
        secrets: What no words may show.
    """

    calls: Calls
    key: str
    may_create: bool
    secrets: Callable[[], Iterable[str]]

    def faults(self, fields: Sequence[CrmField]) -> list[str]:
        """Return what does not fit, a line each."""
        held = self._held()
        return self._faults_of_key(held) + [line for field in fields for line in _faults(field, held.get(field.name))]

    def create(self, fields: Sequence[CrmField]) -> list[str]:
        """Create those of *fields* that are missing, and return a line for each.

        Raises:
            StopError: The role may not, or a field is one that Marketo makes only by hand.
        """
        held = self._held()
        missing = [field for field in fields if field.name not in held]
        by_hand = [line for field in missing if (line := _why_by_hand(field))]
        makeable = [field for field in missing if not _why_by_hand(field)]
        made = self._made(makeable) if makeable else []
        if by_hand:
            words = "; ".join([*made, *by_hand])
            raise StopError(words, reason=StopReason.SETUP, hint="create these under Admin > Field Management.")
        return made

    def _held(self) -> dict[str, dict[str, Any]]:
        """Return what Marketo says of each field that its REST API knows, by the name there."""
        with no_batch():
            told = results(self.calls.question("/rest/v1/leads/describe.json", {}))
        held = {str(one["rest"].get("name")): one for one in told if isinstance(one.get("rest"), dict)}
        if not held:
            raise RetryError("Marketo described no fields.")
        return held

    def _faults_of_key(self, held: Mapping[str, Any]) -> list[str]:
        if self.key not in held:
            return [f"{self.key}: Marketo has no such field; it is to tell leads apart"]
        lines = []
        if self.key not in self._searchable():
            lines.append(f"{self.key}: leads cannot be looked up by it; a custom field of type string can")
        if self.key == ID and self.may_create:
            lines.append(f"{self.key}: Marketo gives it out itself, so no lead can be created by it")
        return lines

    def _searchable(self) -> set[str]:
        with no_batch():
            told = results(self.calls.question("/rest/v1/leads/describe2.json", {}))
        listed = told[0].get("searchableFields") if told else None
        sets = [one for one in listed if isinstance(one, list)] if isinstance(listed, list) else []
        return {str(one[0]) for one in sets if len(one) == 1}

    def _made(self, fields: Sequence[CrmField]) -> list[str]:
        content = json.dumps({"input": [_order(field) for field in fields]}).encode()
        with no_batch():
            told = results(self.calls.order(_SCHEMA, content))
        if len(told) != len(fields):
            raise RetryError(f"{len(told)} answers came for {len(fields)} fields")
        return [line for field, one in zip(fields, told, strict=True) for line in self._line(field, one)]

    def _line(self, field: CrmField, told: Mapping[str, Any]) -> list[str]:
        if str(told.get("status")) in _MADE:
            return [f"{field.name}: created as {_TAKES[field.type][0]}"]
        reasons = told.get("reasons")
        reason = reasons[0] if isinstance(reasons, list) and reasons and isinstance(reasons[0], dict) else {}
        if str(reason.get("code")) in _THERE_ALREADY:
            return []  # made a moment ago: a description may lag behind
        words = plain_words(reason.get("code"), reason.get("message"), hidden=self.secrets())
        raise StopError(f"{field.name} was not created: {words or told.get('status')}", reason=StopReason.SETUP)


def _faults(field: CrmField, told: Mapping[str, Any] | None) -> list[str]:
    if told is None:
        line = f"{field.name}: Marketo has no such field"
        by_hand = _why_by_hand(field)
        return [f"{line}; {by_hand.partition(': ')[2]}" if by_hand else Missing(line)]
    lines = []
    if told["rest"].get("readOnly") is True:
        lines.append(f"{field.name}: it can only be read")
    kind, length = told.get("dataType"), told.get("length")
    if kind not in _TAKES[field.type]:
        lines.append(f"{field.name}: it is of type {kind}, which does not hold a value of type {field.type}")
    elif isinstance(length, int) and _longest(field) > length:
        lines.append(f"{field.name}: it holds {length} characters, and up to {_longest(field)} are written")
    return lines


def _longest(field: CrmField) -> int:
    if _TAKES[field.type][0] != "string":
        return 0
    return max([field.length, *map(len, field.choices)])


def _why_by_hand(field: CrmField) -> str:
    if not _NAME.fullmatch(field.name):
        return f"{field.name}: a name in Marketo begins with a letter and has letters, digits and underscores"
    if _longest(field) > _STRING_LENGTH:
        return f"{field.name}: a text of {_longest(field)} characters needs a field of type Text Area"
    return ""


def _order(field: CrmField) -> dict[str, Any]:
    # A display name has no special characters, and is unique: the API name behind it makes it so.
    label = " ".join(re.findall(r"[A-Za-z0-9]+", field.label or field.name))
    return {
        "displayName": label or field.name,
        "name": field.name,
        "dataType": _TAKES[field.type][0],
        "description": "Written by Leadlight",
        "isHidden": False,
    }
