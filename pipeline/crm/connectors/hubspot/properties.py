"""HubSpot's property settings: whether they can hold what Leadlight writes, and the creation of what is missing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from features.errors import nearest
from pipeline.crm.connectors.hubspot.asking import Asking, listed, no_batch
from pipeline.crm.connectors.hubspot.batches import RECORD_ID
from pipeline.crm.http import Http
from pipeline.crm.promise import CrmField, FieldType, Missing
from pipeline.crm.trouble import BatchRefusedError

LONGEST_TEXT: Final = 65_536
_ONE_LINE: Final = 255
_PROPERTIES: Final = "/crm/v3/properties/contacts"
_GROUPS: Final = f"{_PROPERTIES}/groups"
_TYPES: Final[Mapping[FieldType, tuple[str, ...]]] = {
    FieldType.TEXT: ("string",),
    FieldType.INTEGER: ("number",),
    FieldType.NUMBER: ("number",),
    FieldType.BOOLEAN: ("bool", "enumeration"),
    FieldType.MOMENT: ("datetime",),
    FieldType.CHOICE: ("enumeration", "string"),
}
_YES_NO: Final = (("Yes", "true"), ("No", "false"))
_OPTION: Final = ("label", "value", "displayOrder", "hidden")


@dataclass(frozen=True)
class Properties:
    """The settings of contacts' properties.

    Args:
        http: HubSpot.
        asking: Questions to it.
        key: The property that tells contacts apart.
        group: Where new properties stand in HubSpot's settings.
        creates: Whether unknown contacts are created.
    """

    http: Http
    asking: Asking
    key: str
    group: str
    creates: bool

    def faults(self, fields: Sequence[CrmField]) -> list[str]:
        """Return what does not fit, a line each."""
        there = self._all()
        is_complete = all(name in there for name in (self.key, *(field.name for field in fields)))
        gone = {} if is_complete else self._all(archived=True)
        lines = list(self._key_faults(there, gone))
        for field in fields:
            prop = there.get(field.name)
            lines += [_missing(field.name, gone)] if prop is None else _faults(field, prop)
        return lines

    def absent(self, names: Sequence[str]) -> dict[str, str]:
        """Return those of *names* that HubSpot has no property of, each with a line that says so."""
        there = self._all()
        missing = [name for name in names if name not in there]
        gone = self._all(archived=True) if missing else {}
        return {name: _missing(name, gone) + _meant(name, gone, there) for name in missing}

    def make(self, fields: Sequence[CrmField]) -> list[str]:
        """Create what is missing, and return a line for each."""
        there = self._all()
        wanted = {field.name: _new(field) for field in fields}
        if self.key not in {RECORD_ID, "email"}:
            unique = {"type": "string", "fieldType": "text", "hasUniqueValue": True}
            wanted[self.key] = {"label": "Leadlight key", **unique}
        missing = {name: prop for name, prop in wanted.items() if name not in there}
        made = self._make_group() if missing else []
        for name, prop in missing.items():
            body = {"name": name, "groupName": self.group, "formField": False, **prop}
            made += [f"property {name} ({prop['type']})"] if self._made(_PROPERTIES, body) else []
        return made + [line for field in fields if field.name in there for line in self._add_options(field, there)]

    def _all(self, *, archived: bool = False) -> dict[str, dict[str, Any]]:
        found = self._listed(_PROPERTIES, {"archived": "true"} if archived else {})
        return {prop["name"]: prop for prop in found if isinstance(prop.get("name"), str)}

    def _listed(self, path: str, params: Mapping[str, str]) -> list[dict[str, Any]]:
        with no_batch():
            return self.asking.ask("GET", path, lambda body: listed(body, "properties"), params=params)

    def _make_group(self) -> list[str]:
        if any(group.get("name") == self.group for group in self._listed(_GROUPS, {})):
            return []
        is_made = self._made(_GROUPS, {"name": self.group, "label": self.group.title(), "displayOrder": -1})
        return [f"property group {self.group}"] if is_made else []

    def _made(self, path: str, body: Mapping[str, Any]) -> bool:
        """Return whether it was this call that made it: another run may have been faster."""
        with no_batch():
            try:
                self.http.ask("POST", path, json=body)
            except BatchRefusedError as error:
                if error.code in {"409", "CONFLICT", "OBJECT_ALREADY_EXISTS"}:
                    return False
                raise
        return True

    def _add_options(self, field: CrmField, there: Mapping[str, Mapping[str, Any]]) -> list[str]:
        prop = there[field.name]
        lacking = _lacking(field, prop)
        if field.type is not FieldType.CHOICE or not lacking:
            return []
        kept = [{name: one[name] for name in _OPTION if name in one} for one in _options(prop)]
        body = {"options": [{"hidden": False, **one} for one in kept] + _as_options([(one, one) for one in lacking])}
        with no_batch():
            self.http.ask("PATCH", f"{_PROPERTIES}/{field.name}", json=body)
        return [f"property {field.name}: the options {', '.join(lacking)}"]

    def _key_faults(self, there: Mapping[str, Mapping[str, Any]], gone: Mapping[str, object]) -> Iterator[str]:
        if self.key == RECORD_ID:
            if self.creates:
                yield f"{self.key}: HubSpot gives record ids itself, so no contact can be created by one"
        elif self.key == "email":
            yield "email: HubSpot writes no part of a contact by e-mail address; use a property with unique values"
        elif self.key not in there:
            yield _missing(self.key, gone)
        elif there[self.key].get("hasUniqueValue") is not True:
            yield f"{self.key}: its values need not be unique, which HubSpot settles when a property is created"


def _missing(name: str, gone: Mapping[str, object]) -> str:
    if name in gone:
        return f"{name}: is archived in HubSpot; restore it there"
    return Missing(f"{name}: there is no such property")


def _meant(name: str, gone: Mapping[str, object], there: Mapping[str, object]) -> str:
    found = None if name in gone else nearest(name, there)
    return f" ('{found}'?)" if found else ""


def _faults(field: CrmField, prop: Mapping[str, Any]) -> list[str]:
    lines = []
    allowed = _TYPES[field.type]
    if prop.get("type") not in allowed:
        lines.append(f"{field.name}: is of type {prop.get('type')}, and {' or '.join(allowed)} is needed")
    elif lacking := _lacking(field, prop):
        line = f"{field.name}: lacks the options {', '.join(lacking)}"
        lines.append(Missing(line) if field.type is FieldType.CHOICE else line)
    if field.length > LONGEST_TEXT:
        lines.append(f"{field.name}: texts of {field.length} characters do not fit into {LONGEST_TEXT}")
    modification = prop.get("modificationMetadata")
    if prop.get("calculated") or (isinstance(modification, dict) and modification.get("readOnlyValue")):
        lines.append(f"{field.name}: is read-only in HubSpot")
    if prop.get("archived"):
        lines.append(_missing(field.name, {field.name: prop}))
    return lines


def _lacking(field: CrmField, prop: Mapping[str, Any]) -> list[str]:
    """Return the values that a property with options has no option for."""
    if prop.get("type") != "enumeration" or prop.get("externalOptions"):
        return []
    wanted = [value for _, value in _YES_NO] if field.type is FieldType.BOOLEAN else field.choices
    known = [option.get("value") for option in _options(prop)]
    return [value for value in wanted if value not in known]


def _options(prop: Mapping[str, Any]) -> list[dict[str, Any]]:
    options = prop.get("options")
    return [one for one in options if isinstance(one, dict)] if isinstance(options, list) else []


def _as_options(labelled: Sequence[tuple[str, str]]) -> list[dict[str, Any]]:
    return [{"label": label, "value": value, "hidden": False} for label, value in labelled]


def _new(field: CrmField) -> dict[str, Any]:
    """Return the property that a field needs."""
    label = {"label": field.label or field.name}
    if field.type is FieldType.TEXT or (field.type is FieldType.CHOICE and not field.choices):
        return {**label, "type": "string", "fieldType": "textarea" if field.length > _ONE_LINE else "text"}
    if field.type is FieldType.CHOICE:
        options = _as_options([(value, value) for value in field.choices])
        return {**label, "type": "enumeration", "fieldType": "select", "options": options}
    if field.type is FieldType.BOOLEAN:
        return {**label, "type": "bool", "fieldType": "booleancheckbox", "options": _as_options(_YES_NO)}
    if field.type is FieldType.MOMENT:
        return {**label, "type": "datetime", "fieldType": "date"}
    return {**label, "type": "number", "fieldType": "number"}
