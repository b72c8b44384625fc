"""Whether an object of the org can hold what Leadlight writes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from pipeline.crm.connectors.salesforce.describing import Description, ObjectDescription
from pipeline.crm.connectors.salesforce.places import CUSTOM, ID
from pipeline.crm.promise import CrmField, FieldType, Missing

_TEXTS: Final = frozenset({"string", "textarea"})
_PICKLISTS: Final = frozenset({"picklist", "combobox"})
_FRACTIONS: Final = frozenset({"double", "percent", "currency"})
_TYPES: Final = {
    FieldType.TEXT: _TEXTS,
    FieldType.INTEGER: frozenset({"int", "double"}),
    FieldType.NUMBER: _FRACTIONS,
    FieldType.BOOLEAN: frozenset({"boolean"}),
    FieldType.MOMENT: frozenset({"datetime"}),
    FieldType.CHOICE: _PICKLISTS | _TEXTS,
}
_NOT_THERE: Final = "does not exist, or the integration user may not see it (field-level security)"
_LEAST_DIGITS: Final = 3
"""A score goes up to 100."""


def faults(table: ObjectDescription, fields: Sequence[CrmField], *, key: str, may_create: bool) -> list[str]:
    """Return what in *table* does not fit, a line each."""
    lines: list[str] = []
    if not table.is_updateable:
        lines.append(f"{table.name}: the integration user may not edit its records")
    if may_create and not table.is_createable:
        lines.append(f"{table.name}: the integration user may not create records")
    lines += [f"{table.name}.{key}: {fault}" for fault in _key_faults(table, key, may_create=may_create)]
    for one in fields:
        lines += [_of_field(table, one.name, fault) for fault in _faults(table, one, may_create=may_create)]
    if may_create and key != ID:
        lines += _faults_of_new(table, {key, *(one.name for one in fields)}, key=key)
    return lines


def _of_field(table: ObjectDescription, name: str, fault: str) -> str:
    """Return a fault with its place; only custom fields can be made."""
    line = f"{table.name}.{name}: {fault}"
    return Missing(line) if fault == _NOT_THERE and name.endswith(CUSTOM) else line


def _key_faults(table: ObjectDescription, key: str, *, may_create: bool) -> Iterator[str]:
    found = table.fields.get(key)
    if found is None:
        yield _missing(table, key)
    elif key == ID:
        if may_create:
            yield "no record can be created by its Id"
    else:
        if not found.get("externalId"):
            yield "is no external id: the key's field must be marked as one"
        if not found.get("unique"):
            yield "is not unique: two records could carry the same key"
        if may_create and not found.get("createable"):
            yield "cannot be given to new records"


def _faults(table: ObjectDescription, field: CrmField, *, may_create: bool) -> Iterator[str]:
    found = table.fields.get(field.name)
    if found is None:
        yield _missing(table, field.name)
        return
    if not found.get("updateable"):
        yield "is read-only for the integration user"
    elif may_create and not found.get("createable"):
        yield "cannot be given to new records"
    kind = str(found.get("type"))
    if kind not in _TYPES[field.type]:
        yield f"is of the type {kind}; {field.type.value} needs {' or '.join(sorted(_TYPES[field.type]))}"
        return
    yield from _narrow(found, field, kind)


def _faults_of_new(table: ObjectDescription, given: set[str], *, key: str) -> Iterator[str]:
    """Yield why Salesforce would turn away every new record that holds only what is *given*."""
    lacking = sorted(name for name, found in table.fields.items() if name not in given and _is_required(found))
    if lacking:
        yield (
            f"{table.name}: a new record must have {', '.join(lacking)}, which `fields` does not fill. Leave `create` "
            f"off and let records come into the org some other way, with their {key}; or let an admin make these "
            "fields optional or give them defaults, where Salesforce allows it"
        )


def _is_required(found: Description) -> bool:
    return bool(found.get("createable")) and found.get("nillable") is False and not found.get("defaultedOnCreate")


def _missing(table: ObjectDescription, name: str) -> str:
    other = table.other_spelling(name)
    if other:
        return f"is written {other} in Salesforce"
    return _NOT_THERE


def _narrow(found: Description, field: CrmField, kind: str) -> Iterator[str]:
    """Yield why what is written may not fit into a field of the right type."""
    longest = max([field.length, *map(len, field.choices)])
    length = _number(found, "length")
    if kind in _TEXTS and length < longest:
        yield f"holds {length} characters, and {longest} are needed"
    if kind in _FRACTIONS:
        before = _number(found, "precision") - _number(found, "scale")
        if before < _LEAST_DIGITS:
            yield f"holds {before} digits before the point, and {_LEAST_DIGITS} are needed"
        if field.type is FieldType.NUMBER and not _number(found, "scale"):
            yield "keeps no decimals"
    if kind in _PICKLISTS and found.get("restrictedPicklist"):
        lacking = [choice for choice in field.choices if choice not in _values(found)]
        if lacking:
            yield f"does not offer {', '.join(lacking)}"


def _values(found: Description) -> set[str]:
    values = found.get("picklistValues")
    offered = values if isinstance(values, list) else []
    return {str(one.get("value")) for one in offered if isinstance(one, dict) and one.get("active") is not False}


def _number(found: Description, name: str) -> int:
    value = found.get(name)
    return value if isinstance(value, int) else 0
