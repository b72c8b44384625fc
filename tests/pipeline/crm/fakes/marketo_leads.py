"""What a Marketo instance holds: leads, their fields, and the log of their changes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

LONGEST_STRING = 255
STANDARD = {
    "id": "integer",
    "email": "email",
    "firstName": "string",
    "createdAt": "datetime",
    "updatedAt": "datetime",
    "jobDescription": "text",
}
OF_LEADLIGHT = {
    "leadlight_key": "string",
    "leadlight_score": "integer",
    "leadlight_probability": "float",
    "leadlight_grade": "string",
    "leadlight_reasons": "string",
    "leadlight_as_of": "datetime",
    "leadlight_is_hot": "boolean",
    "leadlight_override": "string",
}
SEARCHABLE = frozenset({"string", "email", "integer"})
READ_ONLY = frozenset({"id", "createdAt", "updatedAt"})


class RefusedValueError(Exception):
    """A record that is skipped, with Marketo's code and words."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code, self.message = code, message


class Leads:
    """Leads by id, found by any field that may be searched.

    Args:
        key: The field that is found quickly.
        fields: Field and type, beside the standard ones.
        logs: Whether each change is logged; False saves memory.
    """

    def __init__(self, key: str, fields: Mapping[str, str], *, logs: bool) -> None:
        self.key = key
        self.types = {**STANDARD, key: "string", **fields}
        self.lengths: dict[str, int] = {}
        self.read_only = set(READ_ONLY)
        self.by_id: dict[int, dict[str, Any]] = {}
        self.log: list[dict[str, Any]] = []
        self._of_key: dict[str, list[int]] = {}
        self._logs = logs

    def found(self, field: str, value: Any) -> list[int]:
        """Return the ids of the leads whose *field* is *value*, in whatever case it is written."""
        if field == "id":
            return [int(value)] if str(value).isdigit() and int(value) in self.by_id else []
        folded = str(value).casefold()
        if field == self.key:
            return [number for number in self._of_key.get(folded, []) if number in self.by_id]
        return [number for number, lead in self.by_id.items() if str(lead.get(field, "")).casefold() == folded]

    def checked(self, record: Mapping[str, Any]) -> dict[str, Any]:
        """Return a record's values as their fields hold them."""
        return {name: self._value(name, value) for name, value in record.items()}

    def create(self, values: Mapping[str, Any]) -> int:
        """Create a lead, also where there is one with its key."""
        number = len(self.by_id) + 1_000
        while number in self.by_id:
            number += 1
        self.by_id[number] = {"id": number}
        self.update(number, values, activity=12)
        return number

    def update(self, number: int, values: Mapping[str, Any], *, activity: int = 13) -> None:
        """Write values; None empties a field."""
        lead = self.by_id[number]
        changes = []
        for name, value in values.items():
            former = lead.get(name)
            if name == "id" or former == value:
                continue
            if self._logs:
                changes.append({"id": 48, "name": name, "newValue": _said(value), "oldValue": _said(former)})
            if name == self.key:
                self._of_key.setdefault(str(value).casefold(), []).append(number)
            lead[name] = value
        if changes or activity == 12:
            self._log(number, activity, changes)

    def delete(self, number: int) -> None:
        """Delete a lead."""
        del self.by_id[number]

    def state(self) -> dict[str, dict[str, Any]]:
        """Return what leads hold in Leadlight's fields, by key; a second lead with the same key shows as such."""
        seen: dict[str, dict[str, Any]] = {}
        for number, lead in self.by_id.items():
            key = str(number if self.key == "id" else lead.get(self.key, f"#{number}"))
            while key in seen:
                key += " (again)"
            seen[key] = {name: value for name, value in lead.items() if name not in STANDARD and name != self.key}
        return seen

    def _log(self, number: int, activity: int, changes: list[dict[str, Any]]) -> None:
        if self._logs:
            at = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
            entry = {"id": len(self.log), "marketoGUID": str(len(self.log)), "leadId": number, "activityDate": at}
            self.log.append({**entry, "activityTypeId": activity, "fields": changes, "attributes": []})

    def _value(self, name: str, value: Any) -> Any:
        kind = self.types.get(name)
        if kind is None:
            raise RefusedValueError("1006", f"Field '{name}' not found")
        if value is None:
            return None
        try:
            return _CASTS[kind](value)
        except (ValueError, TypeError, KeyError):
            pass
        if kind in {"string", "email", "text"}:
            text = str(value)
            if len(text) > self.lengths.get(name, LONGEST_STRING if kind != "text" else 30_000):
                raise RefusedValueError("1001", f"Invalid value '{text}'. Required of type 'String'")
            return text
        raise RefusedValueError("1001", f"Invalid value '{value}'. Required of type '{kind.capitalize()}'")


def _boolean(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    return {"true": True, "false": False}[str(value).lower()]


def _moment(value: Any) -> str:
    return datetime.fromisoformat(str(value)).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


_CASTS = {"integer": int, "score": int, "float": float, "boolean": _boolean, "datetime": _moment}


def _said(value: Any) -> str | None:
    return None if value is None else str(value)


def described(leads: Leads) -> list[dict[str, Any]]:
    """Return the fields as Describe Lead does."""
    return [
        {
            "id": place,
            "displayName": name,
            "dataType": kind,
            **({"length": leads.lengths.get(name, LONGEST_STRING)} if kind in {"string", "email"} else {}),
            **({"length": 30_000} if kind == "text" else {}),
            "rest": {"name": name, "readOnly": name in leads.read_only},
        }
        for place, (name, kind) in enumerate(leads.types.items())
    ]


def chosen(lead: Mapping[str, Any], names: Iterable[str]) -> dict[str, Any]:
    """Return the named fields of a lead; one that is empty is null."""
    return {"id": lead["id"], **{name: lead.get(name) for name in names}}
