"""Every request to HubSpot is as HubSpot's own OpenAPI descriptions say."""

import json

import pytest

from fakes.hubspot import FakeHubSpot
from fakes.hubspot_use import FIELDS, connected
from fakes.serving import Request
from pipeline.crm.promise import CrmField, FieldType, PassingTicket, Row
from support import hubspot_description

ROWS = [
    Row("L-0000000", {"leadlight_score": 72, "leadlight_probability": 0.5, "leadlight_grade": "A"}, "run42-0"),
    Row("C-1", {"leadlight_score": None, "leadlight_is_hot": True, "leadlight_reason": "Bought twice"}, "run42-1"),
]
needs_description = pytest.mark.skipif(
    not hubspot_description.is_here(), reason="HubSpot's descriptions are not here: specs in ../shared"
)


@needs_description
def test_every_request_is_as_described(tmp_path):
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
    kinds = {(call.method, call.path.removeprefix("/crm/v3/")) for call in fake.calls}
    assert kinds == {
        ("GET", "properties/contacts"), ("POST", "properties/contacts"),
        ("PATCH", "properties/contacts/leadlight_grade"),
        ("GET", "properties/contacts/groups"), ("POST", "properties/contacts/groups"),
        ("POST", "objects/contacts/batch/upsert"), ("POST", "objects/contacts/batch/update"),
        ("POST", "objects/contacts/batch/read"), ("POST", "objects/contacts/search"),
    }  # fmt: skip


@needs_description
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
def test_a_wrong_request_would_be_found(body):
    """The descriptions are read for good: a number for a text, a missing and a misspelt member do not pass."""
    headers = {"Authorization": "Bearer x", "Content-Type": "application/json"}
    call = Request("POST", "/crm/v3/objects/contacts/batch/upsert", {}, headers, json.dumps(body).encode())
    with pytest.raises(hubspot_description.NotDescribedError):
        hubspot_description.hold_against_description([call])


@needs_description
def test_a_request_without_a_token_would_be_found():
    """Each call must carry it."""
    body = json.dumps({"inputs": []}).encode()
    call = Request("POST", "/crm/v3/objects/contacts/batch/upsert", {}, {"Content-Type": "application/json"}, body)
    with pytest.raises(hubspot_description.NotDescribedError):
        hubspot_description.hold_against_description([call])
