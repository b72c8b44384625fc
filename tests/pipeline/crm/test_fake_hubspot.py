"""HubSpot's stand-in behaves as HubSpot's documents say."""

import json

import pytest

from fakes.hubspot import FakeHubSpot
from fakes.serving import Request

TOKEN = {"Authorization": "Bearer pat-eu1-secret"}
BATCH = "/crm/v3/objects/contacts/batch"


def ask(fake, path, body=None, *, method="POST", headers=TOKEN):
    """Return the status and the body of an answer."""
    reply = fake.handled(Request(method, path, {}, headers, json.dumps(body).encode()))
    return reply.status, reply.body


def one(key, **rest):
    """Return an input of a batch."""
    return {"id": key, "idProperty": "leadlight_key", "properties": {"firstname": "Ann"}, **rest}


def said(answer):
    """Return the words of the first error, or of the whole answer."""
    body = answer[1]
    return (body.get("errors") or [body])[0]["message"]


def test_a_wrong_token_and_a_missing_scope_are_told_apart():
    """401 is for the token, 403 for what it may do."""
    fake = FakeHubSpot(missing_scopes=("crm.objects.contacts.write",))
    assert ask(fake, f"{BATCH}/upsert", {"inputs": []}, headers={})[0] == 401
    status, body = ask(fake, f"{BATCH}/upsert", {"inputs": []})
    assert (status, body["category"]) == (403, "MISSING_SCOPES")
    assert ask(fake, f"{BATCH}/read", {"inputs": [], "properties": []})[0] == 200


def test_limits_are_told_in_headers_and_searches_are_counted_apart():
    """The 429 names its policy; ten seconds later calls are let in again."""
    now = [0.0]
    fake = FakeHubSpot(calls_per_10_s=2, calls_per_day=3, searches_per_s=1, clock=lambda: now[0])
    reply = fake.handled(Request("GET", "/crm/v3/properties/contacts", {}, TOKEN, b""))
    assert reply.headers["X-HubSpot-RateLimit-Remaining"] == "1"
    ask(fake, "/crm/v3/properties/contacts", method="GET")
    assert ask(fake, "/crm/v3/properties/contacts", method="GET")[1]["policyName"] == "TEN_SECONDLY_ROLLING"
    assert ask(fake, "/crm/v3/objects/contacts/search", {})[0] == 200
    assert ask(fake, "/crm/v3/objects/contacts/search", {})[1]["policyName"] == "SECONDLY"
    now[0] = 10
    assert ask(fake, "/crm/v3/properties/contacts", method="GET")[1]["policyName"] == "DAILY"


def test_one_bad_row_spoils_a_batch_without_trace_ids_and_only_itself_with_them():
    """400 names the first offender alone; 207 tells of each row."""
    fake = FakeHubSpot()
    bad = {"firstname": "x" * 70_000}
    inputs = [one("C-1"), one("C-2", properties=bad), one("C-3", properties=bad)]
    assert ask(fake, f"{BATCH}/upsert", {"inputs": inputs})[0] == 400
    assert len(list(fake.contacts.all())) == 0
    traced = [{**row, "objectWriteTraceId": row["id"]} for row in inputs]
    status, body = ask(fake, f"{BATCH}/upsert", {"inputs": traced})
    assert (status, body["numErrors"], len(body["results"])) == (207, 2, 1)
    assert body["errors"][0]["context"] == {"objectWriteTraceId": ["C-2"]}


@pytest.mark.parametrize(
    ("inputs", "words"),
    [
        ([one("C-1"), one("C-1")], "Duplicate IDs"),
        ([one(f"C-{n}") for n in range(101)], "maximum number of inputs"),
        ([one("ann@example.com", idProperty="email")], "non-unique"),
        ([one("Ann", idProperty="firstname")], "non-unique"),
        ([one("C-1", properties={"nowhere": "1"})], "does not exist"),
        ([one("C-1", properties={"lifecyclestage": "king"})], "allowed options"),
        ([one("C-1", properties={"hs_object_id": "1"})], "read only"),
    ],
)
def test_a_senseless_batch_is_refused(inputs, words):
    """What HubSpot cannot take is refused in its own words."""
    assert words in said(ask(FakeHubSpot(), f"{BATCH}/upsert", {"inputs": inputs}))


def test_email_takes_no_partial_upsert():
    """Even where e-mail addresses are unique, they are no key for an upsert."""
    fake = FakeHubSpot()
    fake.properties["email"]["hasUniqueValue"] = True
    assert "Partial upserts" in said(ask(fake, f"{BATCH}/upsert", {"inputs": [one("a@b.example", idProperty="email")]}))


def test_an_unknown_contact_is_not_updated():
    """404 for a batch without trace ids; an archived contact is not there either."""
    fake = FakeHubSpot(contacts=2)
    fake.contacts.find(1_000_001).is_archived = True
    assert ask(fake, f"{BATCH}/update", {"inputs": [one("L-0000000")]})[0] == 200
    for key in ("L-0000001", "L-0000002"):
        assert ask(fake, f"{BATCH}/update", {"inputs": [one(key)]})[0] == 404
    status, body = ask(fake, f"{BATCH}/read", {"inputs": [one("L-0000000"), one("L-9")], "properties": []})
    assert (status, body["errors"][0]["context"]) == (207, {"ids": ["L-9"]})


def test_answers_leave_out_properties_that_are_not_there():
    """An empty one is null; one that is unknown, spelled otherwise or archived is not in the answer at all."""
    fake = FakeHubSpot(contacts=1)
    fake.properties["lifecyclestage"]["archived"] = True
    asked = {"properties": ["firstname", "Firstname", "nowhere", "lifecyclestage"]}
    usual = {"createdate", "hs_object_id", "lastmodifieddate"}
    for path, inputs in ((f"{BATCH}/read", {"inputs": [one("L-0000000")]}), ("/crm/v3/objects/contacts/search", {})):
        (result,) = ask(fake, path, {"idProperty": "leadlight_key", **inputs, **asked})[1]["results"]
        assert set(result["properties"]) == {"firstname", *usual}
        assert result["properties"]["firstname"] is None


def test_the_search_ends_at_its_wall():
    """Nobody pages beyond so many results."""
    fake = FakeHubSpot(contacts=30, search_wall=20)
    page = {"limit": 10, "after": "10"}
    assert ask(fake, "/crm/v3/objects/contacts/search", page)[1]["paging"]["next"]["after"] == "20"
    assert ask(fake, "/crm/v3/objects/contacts/search", {**page, "after": "20"})[0] == 400


def test_a_million_contacts_take_no_room_until_they_are_touched():
    """A contact that nobody looked at is nowhere; its key is known all the same."""
    fake = FakeHubSpot(contacts=1_000_000)
    assert ask(fake, f"{BATCH}/update", {"inputs": [one("L-0999999")]})[0] == 200
    assert len(list(fake.contacts.touched())) == 1
