"""The custom fields that Leadlight writes, made through the Tooling API.

A new field is seen by nobody until an admin gives the permission to it: each line says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from pipeline.crm.connectors.salesforce.api import Api
from pipeline.crm.connectors.salesforce.describing import described
from pipeline.crm.connectors.salesforce.places import CUSTOM
from pipeline.crm.promise import CrmField, FieldType
from pipeline.crm.trouble import StopError, StopReason

_SHORT_TEXT: Final = 255
_LONGEST_TEXT: Final = 131_072
_THERE_ALREADY: Final = "DUPLICATE_DEVELOPER_NAME"
_THEN: Final = "an admin must now let the integration user edit it"
_HINT: Final = "let an admin give the integration user 'Customize Application', or create the fields by hand."


def set_up(api: Api, objects: Sequence[str], fields: Sequence[CrmField]) -> list[str]:
    """Create what is missing of *fields* in each of *objects*, and return a line for each.

    Raises:
        StopError: Salesforce refuses to make fields, or one that is missing is no custom field.
    """
    lines: list[str] = []
    for name in objects:
        table = described(api, name)
        missing = [field for field in fields if field.name not in table.fields]
        standard = [field.name for field in missing if not field.name.endswith(CUSTOM)]
        if standard:
            words = f"{name} has no {', '.join(standard)}, and only fields that end in {CUSTOM} can be made."
            raise StopError(words, reason=StopReason.SETUP)
        lines += [f"{name}.{field.name} ({field.type.value}); {_THEN}" for field in missing if _made(api, name, field)]
    return lines


def _made(api: Api, table: str, field: CrmField) -> bool:
    """Make one field; False = it is there, and only may not be seen."""
    body = {"FullName": f"{table}.{field.name}", "Metadata": metadata(field)}
    try:
        api.mapping("POST", "/tooling/sobjects/CustomField", body=body)
    except StopError as error:
        if _THERE_ALREADY in error.words:
            return False
        if error.reason in {StopReason.PERMISSION, StopReason.SETUP}:
            raise StopError(error.words, reason=StopReason.PERMISSION, hint=_HINT) from error
        raise
    return True


def metadata(field: CrmField) -> dict[str, Any]:
    """Return what Salesforce is told of a new field."""
    label = field.label or field.name.removesuffix(CUSTOM).replace("_", " ")
    told = {"label": label[:40], "description": "Written by Leadlight.", "required": False}
    return told | _TYPE_OF[field.type] | _more(field)


_TYPE_OF: Final[dict[FieldType, dict[str, Any]]] = {
    FieldType.TEXT: {"type": "Text"},
    FieldType.INTEGER: {"type": "Number", "precision": 18, "scale": 0},
    FieldType.NUMBER: {"type": "Number", "precision": 18, "scale": 6},
    FieldType.BOOLEAN: {"type": "Checkbox", "defaultValue": False},
    FieldType.MOMENT: {"type": "DateTime"},
    FieldType.CHOICE: {"type": "Picklist"},
}


def _more(field: CrmField) -> dict[str, Any]:
    if field.type is FieldType.TEXT:
        if field.length <= _SHORT_TEXT:
            return {"length": _SHORT_TEXT}
        return {"type": "LongTextArea", "length": min(field.length, _LONGEST_TEXT), "visibleLines": 3}
    if field.type is FieldType.CHOICE:
        values = [{"fullName": choice, "label": choice, "default": False} for choice in field.choices]
        return {"valueSet": {"restricted": True, "valueSetDefinition": {"sorted": False, "value": values}}}
    return {}
