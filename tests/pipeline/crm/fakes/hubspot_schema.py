"""HubSpot's stand-in: definitions of properties, and what a value must be to fit one."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any, Final

LONGEST_TEXT: Final = 65_536
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,99}")
_TYPES: Final = frozenset({"bool", "date", "datetime", "enumeration", "number", "phone_number", "string"})
_NEEDED: Final = ("fieldType", "groupName", "label", "name", "type")


def definition(name: str, kind: str, /, **rest: Any) -> dict[str, Any]:
    """Return a property as HubSpot serves it."""
    modification = {"archivable": True, "readOnlyDefinition": False, "readOnlyValue": False, "readOnlyOptions": False}
    return {
        "name": name, "label": name, "type": kind, "fieldType": "text", "groupName": "contactinformation",
        "description": "", "options": [], "displayOrder": -1, "hasUniqueValue": False, "hidden": False,
        "formField": False, "calculated": False, "externalOptions": False, "archived": False, "hubspotDefined": False,
        "modificationMetadata": modification, **rest,
    }  # fmt: skip


def usual_definitions() -> dict[str, dict[str, Any]]:
    """Return those of an account that is new."""
    read_only = {"archivable": False, "readOnlyDefinition": True, "readOnlyValue": True}
    own = {"hubspotDefined": True}
    statuses = [{"label": v.title(), "value": v, "hidden": False} for v in ("NEW", "OPEN", "UNQUALIFIED")]
    return {
        "email": definition("email", "string", **own),
        "firstname": definition("firstname", "string", **own),
        "hs_object_id": definition("hs_object_id", "number", hasUniqueValue=True, modificationMetadata=read_only),
        "createdate": definition("createdate", "datetime", modificationMetadata=read_only),
        "lastmodifieddate": definition("lastmodifieddate", "datetime", modificationMetadata=read_only),
        "hubspot_owner_id": definition("hubspot_owner_id", "enumeration", externalOptions=True, **own),
        "hs_lead_status": definition("hs_lead_status", "enumeration", options=statuses, **own),
        "lifecyclestage": definition(
            "lifecyclestage", "enumeration", fieldType="radio", **own,
            options=[{"label": v.title(), "value": v, "hidden": False} for v in ("lead", "opportunity", "customer")],
        ),
    }  # fmt: skip


def creation_fault(body: Mapping[str, Any], groups: Mapping[str, Any]) -> str:
    """Return why a property cannot be created; empty = it can."""
    missing = [name for name in _NEEDED if not body.get(name)]
    if missing:
        return f"Invalid input JSON: some required fields were not set: [{', '.join(missing)}]"
    if not _NAME.fullmatch(str(body["name"])):
        return f"Property name '{body['name']}' is not valid: lower-case letters, digits and underscores only"
    if body["type"] not in _TYPES:
        return f"Cannot deserialize value of type PropertyType from '{body['type']}'"
    if body["groupName"] not in groups:
        return f"Property group '{body['groupName']}' does not exist"
    if body["type"] == "enumeration" and not body.get("options"):
        return "Enumeration properties need options"
    return ""


def stored(prop: Mapping[str, Any], value: str) -> tuple[str, dict[str, Any] | None]:
    """Return what HubSpot keeps of *value*, and the fault where it keeps nothing."""
    kind = prop["type"]
    if value == "":
        return value, None
    if kind in {"string", "phone_number"}:
        said = f"The value for {prop['name']} is too long: at most {LONGEST_TEXT} characters"
        return value, None if len(value) <= LONGEST_TEXT else _fault(prop, said, "INVALID_LENGTH")
    if kind == "number":
        return value, None if _is_number(value) else _fault(prop, f"{value} was not a valid number.", "INVALID_DOUBLE")
    if kind in {"enumeration", "bool"}:
        return _choice(prop, value)
    return _moment(prop, value)


@lru_cache(maxsize=10_000)
def iso(moment_ms: int) -> str:
    """Return a moment as HubSpot writes it: no fraction where there is none."""
    text = (EPOCH + timedelta(milliseconds=moment_ms)).isoformat(timespec="milliseconds")
    return text.removesuffix("+00:00").removesuffix(".000") + "Z"


@lru_cache(maxsize=10_000)
def milliseconds(text: str) -> int:
    """Return a moment that is ISO 8601 or milliseconds already."""
    if text.lstrip("-").isdigit():
        return int(text)
    moment = datetime.fromisoformat(text)
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return round((aware - EPOCH) / timedelta(milliseconds=1))


def _choice(prop: Mapping[str, Any], value: str) -> tuple[str, dict[str, Any] | None]:
    allowed = ["true", "false"] if prop["type"] == "bool" else [one["value"] for one in prop["options"]]
    if value in allowed:
        return value, None
    return value, _fault(prop, f"{value} was not one of the allowed options: [{', '.join(allowed)}]", "INVALID_OPTION")


def _moment(prop: Mapping[str, Any], value: str) -> tuple[str, dict[str, Any] | None]:
    try:
        kept = milliseconds(value)
    except ValueError:
        return value, _fault(prop, f"{value} was not a valid date.", "INVALID_DATE")
    if prop["type"] == "date" and kept % 86_400_000:
        return value, _fault(prop, f"{value} is not at midnight UTC.", "INVALID_DATE")
    return iso(kept), None


def _is_number(value: str) -> bool:
    try:
        float(value)
    except ValueError:
        return False
    return value == value.strip()


def _fault(prop: Mapping[str, Any], said: str, code: str) -> dict[str, Any]:
    return {"isValid": False, "message": said, "error": code, "name": prop["name"]}
