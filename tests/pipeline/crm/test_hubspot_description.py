"""Every request to HubSpot is as HubSpot's own OpenAPI descriptions say."""

import json
import os
from pathlib import Path

import pytest
from openapi_core import OpenAPI
from openapi_core.exceptions import OpenAPIError
from openapi_core.testing import MockRequest

from fakes.hubspot import FakeHubSpot
from fakes.hubspot_use import FIELDS, connected
from fakes.serving import Request
from pipeline.crm.promise import CrmField, FieldType, PassingTicket, Row

CHECKOUT = Path(os.environ.get("LEADLIGHT_CHECKOUT", Path(__file__).parents[3]))
DATA = Path(os.environ.get("LEADLIGHT_SHARED_DATA", CHECKOUT.parent / "shared" / "data"))
SPECS = ("hubspot-contacts-v3.json", "hubspot-properties-v3.json")
ROWS = [
    Row("L-0000000", {"leadlight_score": 72, "leadlight_probability": 0.5, "leadlight_grade": "A"}, "run42-0"),
    Row("C-1", {"leadlight_score": None, "leadlight_is_hot": True, "leadlight_reason": "Bought twice"}, "run42-1"),
]


def description(name):
    """Return a published description, with what is mended in it.

    It says that a search is sorted by texts. HubSpot's guide to searches, and HubSpot itself, want an object with a
    property and a direction: a text is let pass and orders nothing. And openapi-core cannot tell whether a call
    carries a token of OAuth; that of a private app is a bearer token like any other.
    """
    path = DATA.parent / "specs" / name
    if not path.is_file():
        pytest.skip(f"HubSpot's description is not here: {name} in ../shared/specs")
    spec = json.loads(path.read_text("utf-8"))
    search = spec["components"]["schemas"].get("PublicObjectSearchRequest")
    if search is not None:
        members = {"propertyName": {"type": "string"}, "direction": {"enum": ["ASCENDING", "DESCENDING"]}}
        assert search["properties"]["sorts"]["items"]["type"] == "string"
        sort = {"type": "object", "required": list(members), "properties": members, "additionalProperties": False}
        search["properties"]["sorts"]["items"] = sort
    spec["components"]["securitySchemes"] = {
        name: {"type": "http", "scheme": "bearer"} for name in spec["components"]["securitySchemes"]
    }
    _close(spec["components"]["schemas"])
    return OpenAPI.from_dict(spec)


def _close(schemas):
    """Let no member pass that a description does not know: a misspelt one would be passed over in silence."""
    for schema in schemas.values():
        if "properties" in schema and "additionalProperties" not in schema:
            schema["additionalProperties"] = False


@pytest.fixture(scope="module")
def descriptions():
    """Return both descriptions, by the beginning of the paths that they are about."""
    contacts, properties = (description(name) for name in SPECS)
    return {"/crm/v3/objects/": contacts, "/crm/v3/properties/": properties}


def check(descriptions, call):
    """Raise if a call is not as described."""
    described = next(one for start, one in descriptions.items() if call.path.startswith(start))
    headers = {name: value for name, value in call.headers.items() if name.lower() != "host"}
    request = MockRequest(
        "https://api.hubapi.com", call.method.lower(), call.path, args=call.query, headers=headers,
        data=call.body or None, content_type=headers.get("Content-Type", ""),
    )  # fmt: skip
    described.validate_request(request)


def test_every_request_is_as_described(descriptions, tmp_path):
    """Settings, writes, reads and searches, in all their forms."""
    fake = FakeHubSpot(contacts=300, has_key=False)
    with connected(fake, tmp_path, may_create=True) as hubspot:
        hubspot.check(FIELDS)
        hubspot.setup(FIELDS)
        hubspot.setup([CrmField("leadlight_grade", FieldType.CHOICE, choices=("A", "D"))])
        hubspot.send(ROWS, PassingTicket())
        hubspot.read(["L-0000000", "C-1", "C-2"], ["leadlight_score"])
        cursor, is_more = "", True
        while is_more:
            changes = hubspot.changes(cursor, ["lifecyclestage"])
            cursor, is_more = changes.cursor, changes.is_more
    with connected(fake, tmp_path) as hubspot:
        hubspot.send(ROWS, PassingTicket())
    with connected(fake, tmp_path, key="hs_object_id") as hubspot:
        hubspot.send([Row("1000001", {"leadlight_score": 3}, "t")], PassingTicket())
        hubspot.read(["1000001"], ["leadlight_score"])
        hubspot.changes("", ["lifecyclestage"])
    for call in fake.calls:
        check(descriptions, call)
    kinds = {(call.method, call.path.removeprefix("/crm/v3/")) for call in fake.calls}
    assert kinds == {
        ("GET", "properties/contacts"), ("POST", "properties/contacts"),
        ("PATCH", "properties/contacts/leadlight_grade"),
        ("GET", "properties/contacts/groups"), ("POST", "properties/contacts/groups"),
        ("POST", "objects/contacts/batch/upsert"), ("POST", "objects/contacts/batch/update"),
        ("POST", "objects/contacts/batch/read"), ("POST", "objects/contacts/search"),
    }  # fmt: skip


@pytest.mark.parametrize(
    "body",
    [
        {"inputs": [{"id": "C-1", "properties": {"leadlight_score": 72}}]},
        {"inputs": [{"id": 1, "properties": {}}]},
        {"inputs": [{"properties": {}}]},
        {"inputs": [{"id": "C-1", "properties": {}, "idproperty": "leadlight_key"}]},
        {"rows": []},
    ],
)
def test_a_wrong_request_would_be_found(body, descriptions):
    """The descriptions are read for good: a number for a text, a missing and a misspelt member do not pass."""
    headers = {"Authorization": "Bearer x", "Content-Type": "application/json"}
    call = Request("POST", "/crm/v3/objects/contacts/batch/upsert", {}, headers, json.dumps(body).encode())
    with pytest.raises(OpenAPIError):
        check(descriptions, call)


def test_a_request_without_a_token_would_be_found(descriptions):
    """Each call must carry it."""
    body = json.dumps({"inputs": []}).encode()
    call = Request("POST", "/crm/v3/objects/contacts/batch/upsert", {}, {"Content-Type": "application/json"}, body)
    with pytest.raises(OpenAPIError):
        check(descriptions, call)
