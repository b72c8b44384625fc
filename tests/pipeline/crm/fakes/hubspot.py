"""HubSpot's stand-in: contacts, properties, groups and search, as HubSpot's documents describe them."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from fakes.hubspot_contacts import Contact, Contacts, search
from fakes.hubspot_limits import Refused, Window, too_many
from fakes.hubspot_schema import creation_fault, definition, iso, stored, usual_definitions
from fakes.serving import Fake, Reply, Request

MOST_INPUTS: Final = 100
_OBJECTS: Final = "/crm/v3/objects/contacts/"
_PROPERTIES: Final = "/crm/v3/properties/contacts"
_GROUPS: Final = _PROPERTIES + "/groups"
_NOT_FOUND: Final = "Could not get some CONTACT objects, they may be deleted or not exist. Check that ids are valid."
_NO_SCOPE: Final = "This app hasn't been granted all required scopes to make this call."


class FakeHubSpot(Fake):
    """HubSpot.

    Args:
        token: The one that is let in.
        calls_per_10_s: The limit of an app; None = none.
        calls_per_day: The account's; None = none.
        searches_per_s: The search's own; None = none.
        latency_s: How long each call takes.
        contacts: How many there are, with the keys L-0000000, L-0000001 ...
        key: The property that holds the keys.
        has_key: Whether that property exists from the start.
        is_partial: Whether good rows of a batch are written beside bad ones; else one bad row refuses them all.
        missing_scopes: What the app was not granted.
        search_wall: Results that can be paged through.
        keeps_calls: Whether calls are kept to be looked at.
        clock: Seconds that only go forward.
    """

    def __init__(
        self,
        token: str = "pat-eu1-secret",
        *,
        calls_per_10_s: int | None = None,
        calls_per_day: int | None = None,
        searches_per_s: int | None = None,
        latency_s: float = 0.0,
        contacts: int = 0,
        key: str = "leadlight_key",
        has_key: bool = True,
        is_partial: bool = True,
        missing_scopes: Sequence[str] = (),
        search_wall: int = 10_000,
        keeps_calls: bool = True,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__()
        self.keeps_calls = keeps_calls
        self.token, self.is_partial, self.missing_scopes = token, is_partial, tuple(missing_scopes)
        self.contacts = Contacts(contacts, key)
        self.properties = usual_definitions()
        if has_key:
            self.properties[key] = definition(key, "string", hasUniqueValue=True)
        self.groups: dict[str, dict[str, Any]] = {"contactinformation": {"name": "contactinformation"}}
        self.unindexed: set[str] = set()
        self._latency_s, self._search_wall = latency_s, search_wall
        self._ten_s, self._day = Window(calls_per_10_s, 10, clock), Window(calls_per_day, 86_400, clock)
        self._second = Window(searches_per_s, 1, clock)

    def state(self) -> dict[str, dict[str, str]]:
        """Return what Leadlight's own properties hold, by key; contacts without any are absent."""
        kept = {}
        for one in self.contacts.touched():
            held = {n: v for n, v in one.held().items() if n.startswith("leadlight") and n != self.contacts.key and v}
            if held and not one.is_archived:
                kept[str(one.key)] = held
        return kept

    def answer(self, request: Request) -> Reply:
        """Return what HubSpot would."""
        time.sleep(self._latency_s / 2)
        with self.lock:
            try:
                headers = self._let_in(request)
                status, body = self._routed(request)
                reply = Reply(status, body, headers)
            except Refused as refused:
                reply = refused.reply
        time.sleep(self._latency_s / 2)
        return reply

    def _let_in(self, request: Request) -> dict[str, str]:
        headers = {name.lower(): value for name, value in request.headers.items()}
        if headers.get("authorization") != f"Bearer {self.token}":
            raise Refused(401, "INVALID_AUTHENTICATION", "Authentication credentials not found or not valid.")
        if lacking := _scope(request) & set(self.missing_scopes):
            detail = {"message": "One or more of the following scopes are required."}
            detail["context"] = {"requiredGranularScopes": sorted(lacking)}
            raise Refused(403, "MISSING_SCOPES", _NO_SCOPE, errors=[detail])
        if request.path == _OBJECTS + "search":  # neither counted with the others nor told in headers
            if self._second.take() < 0:
                raise too_many("SECONDLY", "You have reached your secondly limit.", {})
            return {}
        left_today = self._day.take()
        left = self._ten_s.take()
        told = {
            "X-HubSpot-RateLimit-Interval-Milliseconds": "10000",
            "X-HubSpot-RateLimit-Max": str(self._ten_s.calls or 190),
            "X-HubSpot-RateLimit-Remaining": str(max(left, 0)),
            "X-HubSpot-RateLimit-Daily": str(self._day.calls or 1_000_000),
            "X-HubSpot-RateLimit-Daily-Remaining": str(max(left_today, 0)),
        }
        if left_today < 0:
            raise too_many("DAILY", "You have reached your daily limit.", told)
        if left < 0:
            raise too_many("TEN_SECONDLY_ROLLING", "You have reached your ten_secondly_rolling limit.", told)
        return told

    def _routed(self, request: Request) -> tuple[int, Any]:
        method, path = request.method, request.path
        if path.startswith(_OBJECTS) and method == "POST":
            acts = {"batch/upsert": self._upsert, "batch/update": self._update, "batch/read": self._read}
            return {**acts, "search": self._search}[path.removeprefix(_OBJECTS)](_body(request))
        if path == _GROUPS:
            return self._group(_body(request)) if method == "POST" else (200, _all(self.groups))
        if path == _PROPERTIES:
            if method == "POST":
                return self._create_property(_body(request))
            is_archived = request.query.get("archived") == "true"
            return 200, _all({n: p for n, p in self.properties.items() if p["archived"] == is_archived})
        name = path.removeprefix(_PROPERTIES + "/")
        if method == "PATCH" and name in self.properties:
            self.properties[name].update(_body(request))
            return 200, self.properties[name]
        raise Refused(404, "OBJECT_NOT_FOUND", f"No such address or property: {path}")

    def _group(self, body: Mapping[str, Any]) -> tuple[int, Any]:
        if body["name"] in self.groups:
            raise Refused(409, "CONFLICT", f"A property group named '{body['name']}' already exists.")
        self.groups[body["name"]] = {"archived": False, "displayOrder": -1, **body}
        return 201, self.groups[body["name"]]

    def _create_property(self, body: Mapping[str, Any]) -> tuple[int, Any]:
        if fault := creation_fault(body, self.groups):
            raise Refused(400, "VALIDATION_ERROR", fault)
        if body["name"] in self.properties:
            raise Refused(409, "OBJECT_ALREADY_EXISTS", f"A property named '{body['name']}' already exists.")
        self.properties[body["name"]] = definition(body["name"], body["type"], **body)
        return 201, self.properties[body["name"]]

    def _upsert(self, body: Mapping[str, Any]) -> tuple[int, Any]:
        inputs = self._inputs(body)
        if any(one.get("idProperty") == "email" for one in inputs):
            said = "Partial upserts are not supported when using email as the idProperty."
            raise Refused(400, "VALIDATION_ERROR", said)
        if any("idProperty" not in one for one in inputs):
            raise Refused(400, "VALIDATION_ERROR", "idProperty is required for upsert.")
        return self._written(inputs, creates=True)

    def _update(self, body: Mapping[str, Any]) -> tuple[int, Any]:
        return self._written(self._inputs(body), creates=False)

    def _inputs(self, body: Mapping[str, Any]) -> list[dict[str, Any]]:
        inputs: list[dict[str, Any]] = body["inputs"]
        if len(inputs) > MOST_INPUTS:
            said = (
                f"The maximum number of inputs supported in a batch request is {MOST_INPUTS} but found {len(inputs)}."
            )
            raise Refused(400, "VALIDATION_ERROR", said)
        ids = [one["id"] for one in inputs]
        if len(set(ids)) < len(ids):
            twice = next(one for one in ids if ids.count(one) > 1)
            raise Refused(400, "VALIDATION_ERROR", f"Duplicate IDs found in batch input: [{twice}]. IDs must be unique")
        traces = [one["objectWriteTraceId"] for one in inputs if "objectWriteTraceId" in one]
        if len(set(traces)) < len(traces):
            raise Refused(400, "VALIDATION_ERROR", "objectWriteTraceId must be unique within a batch")
        for name in {one["idProperty"] for one in inputs if "idProperty" in one}:
            self._is_unique(name)
        return inputs

    def _is_unique(self, name: str) -> None:
        if name == "hs_object_id" or not self.properties.get(name, {}).get("hasUniqueValue"):
            said = f"Unable to perform update/upsert by non-unique 0-1 property {name} in portal ID 42"
            raise Refused(400, "VALIDATION_ERROR", said)

    def _written(self, inputs: list[dict[str, Any]], *, creates: bool) -> tuple[int, Any]:
        self.contacts.now_ms += 1
        results, errors, accepted = [], [], []
        for one in inputs:
            found = self._found(one)
            kept, fault = self._kept(one["properties"])
            if found is None and not creates:
                fault = ("OBJECT_NOT_FOUND", _NOT_FOUND)
            if fault is not None and not (self.is_partial and "objectWriteTraceId" in one):
                raise Refused(404 if fault[0] == "OBJECT_NOT_FOUND" else 400, *fault)
            if fault is None:
                accepted.append((one, found, kept))
            else:
                errors.append(_row_error(one, *fault))
        for one, found, kept in accepted:
            contact = found or self.contacts.create(one["id"])
            kept.pop(self.contacts.key, None)
            self.contacts.write(contact, kept)
            shown = self.contacts.shown(contact, kept)
            new = {"new": found is None} if creates else {}
            results.append(_result(contact, shown, objectWriteTraceId=one.get("objectWriteTraceId", ""), **new))
        return _batch(results, errors)

    def _kept(self, properties: Mapping[str, str]) -> tuple[dict[str, str], tuple[str, str] | None]:
        kept, faults = {}, []
        for name, value in properties.items():
            prop = self.properties.get(name)
            if prop is None or prop["archived"]:
                said = {"isValid": False, "message": f'Property "{name}" does not exist', "name": name}
                faults.append({**said, "error": "PROPERTY_DOESNT_EXIST"})
            elif prop["modificationMetadata"]["readOnlyValue"]:
                said = {"isValid": False, "message": f"{name} is a read only property", "name": name}
                faults.append({**said, "error": "READ_ONLY_VALUE"})
            else:
                kept[name], fault = stored(prop, value)
                faults += [fault] if fault else []
        if not faults:
            return kept, None
        return kept, ("VALIDATION_ERROR", "Property values were not valid: " + json.dumps(faults[:1]))

    def _found(self, one: Mapping[str, Any]) -> Contact | None:
        said = str(one["id"])
        if one.get("idProperty"):
            return self.contacts.find(self.contacts.number_of(said))
        return self.contacts.find(int(said) if said.isdigit() else None)

    def _read(self, body: Mapping[str, Any]) -> tuple[int, Any]:
        if len(body["inputs"]) > MOST_INPUTS:
            raise Refused(400, "VALIDATION_ERROR", f"At most {MOST_INPUTS} inputs")
        if "idProperty" in body:
            self._is_unique(body["idProperty"])
        named = {"idProperty": body["idProperty"]} if "idProperty" in body else {}
        results, lost = [], []
        names = self._known(body["properties"])
        for one in body["inputs"]:
            found = self._found({**one, **named})
            if found is None:
                lost.append(one["id"])
            else:
                results.append(_result(found, self.contacts.shown(found, names)))
        errors = [_error("OBJECT_NOT_FOUND", _NOT_FOUND, {"ids": lost})] if lost else []
        return _batch(results, errors)

    def _known(self, names: Sequence[str]) -> dict[str, None]:
        """Return the properties that are spoken of: one that is archived, or not there, is left out without a word."""
        return dict.fromkeys(n for n in names if n in self.properties and not self.properties[n]["archived"])

    def _search(self, body: Mapping[str, Any]) -> tuple[int, Any]:
        start, limit = int(body.get("after") or 0), int(body.get("limit") or 10)
        if limit > 200 or start + limit > self._search_wall:
            raise Refused(400, "VALIDATION_ERROR", f"Paging beyond {self._search_wall} results is not supported")
        found = search(self.contacts, body, self.unindexed)
        names = self._known(body.get("properties") or [])
        results = [_result(one, self.contacts.shown(one, names)) for one in found[start : start + limit]]
        paging = {"paging": {"next": {"after": str(start + limit)}}} if start + limit < len(found) else {}
        return 200, {"total": len(found), "results": results, **paging}


def _scope(request: Request) -> set[str]:
    kind = "schemas" if request.path.startswith(_PROPERTIES) else "objects"
    reads = request.method == "GET" or request.path.endswith(("/read", "/search"))
    return {f"crm.{kind}.contacts.{'read' if reads else 'write'}"}


def _body(request: Request) -> dict[str, Any]:
    try:
        body = request.json()
    except ValueError as error:
        raise Refused(400, "VALIDATION_ERROR", "Invalid input JSON") from error
    return body


def _all(things: Mapping[str, Any]) -> dict[str, Any]:
    return {"results": list(things.values())}


def _result(contact: Contact, properties: Mapping[str, Any], **rest: Any) -> dict[str, Any]:
    created, changed = properties["createdate"], properties["lastmodifieddate"]
    shown = {"id": str(contact.number), "properties": properties, "createdAt": created, "updatedAt": changed}
    return {**shown, "archived": False, **rest}


def _error(category: str, message: str, context: Mapping[str, Any]) -> dict[str, Any]:
    return {"status": "error", "category": category, "message": message, "context": context}


def _row_error(one: Mapping[str, Any], category: str, message: str) -> dict[str, Any]:
    return _error(category, message, {"objectWriteTraceId": [one["objectWriteTraceId"]]})


def _batch(results: list[Any], errors: list[Any]) -> tuple[int, Any]:
    times = {"startedAt": iso(0), "completedAt": iso(0)}
    body = {"status": "COMPLETE", "results": results, **times}
    return (207, {**body, "numErrors": len(errors), "errors": errors}) if errors else (200, body)
