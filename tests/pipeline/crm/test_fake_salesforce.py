"""Salesforce's stand-in keeps to the documents."""

import csv
import io

import pytest

from fakes.salesforce import CLIENT_ID, CLIENT_SECRET, FakeSalesforce
from fakes.salesforce_records import described_field
from fakes.salesforce_soql import MalformedError, parsed
from fakes.serving import Request

KEY = "Leadlight_Key__c"
ROOT = "/services/data/v62.0"
SCORE = described_field("Score__c", "double", precision=3)


def ask(fake, method, path, *, body=b"", token=None, **query):
    """Return what the stand-in says to a call; a token of its own is asked for."""
    if token is None:
        form = f"grant_type=client_credentials&client_id={CLIENT_ID}&client_secret={CLIENT_SECRET}".encode()
        token = fake.handled(Request("POST", "/services/oauth2/token", {}, {}, form)).body["access_token"]
    headers = {"Authorization": f"Bearer {token}"}
    return fake.handled(Request(method, ROOT + path, query, headers, body))


def test_a_token_lives_for_the_calls_it_was_given():
    """Then it is answered 401 INVALID_SESSION_ID; no token at all is answered so too."""
    fake = FakeSalesforce(token_calls=1)
    ask(fake, "GET", "/sobjects/Lead/describe")
    token = next(iter(fake.tokens))
    told = ask(fake, "GET", "/sobjects/Lead/describe", token=token)
    assert (told.status, told.body[0]["errorCode"]) == (401, "INVALID_SESSION_ID")
    assert ask(fake, "GET", "/sobjects/Lead/describe", token="no").status == 401


def test_the_days_calls_are_told_and_end():
    """Each answer tells how many are used; beyond the last one stands REQUEST_LIMIT_EXCEEDED."""
    fake = FakeSalesforce(daily=1)
    assert ask(fake, "GET", "/sobjects/Lead/describe").headers["Sforce-Limit-Info"] == "api-usage=1/1"
    told = ask(fake, "GET", "/sobjects/Lead/describe")
    assert (told.status, told.body[0]["errorCode"]) == (403, "REQUEST_LIMIT_EXCEEDED")


def test_a_query_is_paged_and_its_columns_must_exist():
    """Pages follow each other by nextRecordsUrl; an unknown column is INVALID_FIELD."""
    fake = FakeSalesforce(leads=5, page=2)
    page = ask(fake, "GET", "/query", q="SELECT Id FROM Lead ORDER BY Id").body
    sizes = [len(page["records"])]
    while not page["done"]:
        page = ask(fake, "GET", page["nextRecordsUrl"].removeprefix(ROOT)).body
        sizes.append(len(page["records"]))
    assert sizes == [2, 2, 1]
    assert ask(fake, "GET", "/query", q="SELECT Nope FROM Lead").body[0]["errorCode"] == "INVALID_FIELD"


def test_soql_takes_escapes_apart_and_refuses_what_breaks_out():
    """A quote that is escaped belongs to the text; one that is not ends it."""
    query = parsed(r"SELECT Id FROM Lead WHERE K__c IN ('O\'Hara', 'b\\', 'x\ny') AND Id != null")
    assert query.among == [("K__c", ["O'Hara", "b\\", "x\ny"])]
    for broken in ("SELECT Id FROM Lead WHERE K__c = 'O'Hara'", "SELECT Id FROM Lead WHERE K__c IN ('x' OR"):
        with pytest.raises(MalformedError):
            parsed(broken)


@pytest.mark.parametrize("polls", [1, 3])
def test_a_job_goes_its_way_and_tells_its_rows_in_another_order(polls):
    """Written rows and failed rows lie in files of their own; the job is complete all the same."""
    fake = FakeSalesforce(leads=40, polls=polls, fields=[SCORE])
    asked = (
        b'{"object": "Lead", "operation": "upsert", "externalIdFieldName": "Leadlight_Key__c", "contentType": "CSV"}'
    )
    name = ask(fake, "POST", "/jobs/ingest", body=asked).body["id"]
    lines = [f"C-{n},{'much' if n == 7 else n}" for n in range(1, 41)]
    ask(fake, "PUT", f"/jobs/ingest/{name}/batches", body="\n".join(["Leadlight_Key__c,Score__c", *lines]).encode())
    assert ask(fake, "PUT", f"/jobs/ingest/{name}/batches", body=b"x").status == 400
    ask(fake, "PATCH", f"/jobs/ingest/{name}", body=b'{"state": "UploadComplete"}')
    states = [ask(fake, "GET", f"/jobs/ingest/{name}").body["state"] for _ in range(polls)]
    assert states == ["InProgress"] * (polls - 1) + ["JobComplete"]
    written, failed = (
        list(csv.DictReader(io.StringIO(ask(fake, "GET", f"/jobs/ingest/{name}/{which}").body.decode())))
        for which in ("successfulResults", "failedResults")
    )
    keys = [one["Leadlight_Key__c"] for one in written]
    assert sorted(keys) != keys
    assert len(keys) == 39
    assert [(one["Leadlight_Key__c"], one["sf__Error"][:31]) for one in failed] == [
        ("C-7", "INVALID_TYPE_ON_FIELD_IN_RECORD")
    ]
    assert fake.state()["C-9"] == {"Score__c": 9}
    assert fake.state()["C-7"] == {}


def test_a_new_record_must_have_what_describe_says():
    """A lead LastName and Company, a contact LastName; what has a default need not be given."""
    fake = FakeSalesforce()
    for name, needed in (("Lead", {"LastName", "Company"}), ("Contact", {"LastName"})):
        fields = ask(fake, "GET", f"/sobjects/{name}/describe").body["fields"]
        required = [one for one in fields if one["createable"] and not (one["nillable"] or one["defaultedOnCreate"])]
        assert {one["name"] for one in required} == needed
        told = fake.tables[name].write(KEY, "new", {"Email": "ann@shop.example"})
        assert (told.code, set(told.fields)) == ("REQUIRED_FIELD_MISSING", needed)
        assert fake.tables[name].write(KEY, "new", dict.fromkeys(needed, "Silva")).is_created


def test_what_a_record_must_have_is_not_emptied():
    """Neither by null nor by nothing; the record keeps what it has."""
    fake = FakeSalesforce(leads=1)
    assert not fake.leads.write(KEY, "C-1", {"LastName": "Silva"}).code
    for nothing in (None, ""):
        assert fake.leads.write(KEY, "C-1", {"LastName": nothing}).code == "REQUIRED_FIELD_MISSING"
    assert fake.state() == {"C-1": {"LastName": "Silva"}}


def test_leads_of_a_file_are_there(tmp_path):
    """Each line is the key of one."""
    (tmp_path / "keys.txt").write_text("lead-7\nlead-8")
    assert list(FakeSalesforce(keys_in=str(tmp_path / "keys.txt")).state()) == ["lead-7", "lead-8"]


def test_an_aborted_job_writes_no_more():
    """What it wrote before stays; the rest is unprocessed."""
    fake = FakeSalesforce(leads=4, polls=2, fields=[SCORE])
    asked = (
        b'{"object": "Lead", "operation": "upsert", "externalIdFieldName": "Leadlight_Key__c", "contentType": "CSV"}'
    )
    name = ask(fake, "POST", "/jobs/ingest", body=asked).body["id"]
    content = b"Leadlight_Key__c,Score__c\nC-1,1\nC-2,2\nC-3,3\nC-4,4\n"
    ask(fake, "PUT", f"/jobs/ingest/{name}/batches", body=content)
    ask(fake, "PATCH", f"/jobs/ingest/{name}", body=b'{"state": "UploadComplete"}')
    ask(fake, "GET", f"/jobs/ingest/{name}")
    ask(fake, "PATCH", f"/jobs/ingest/{name}", body=b'{"state": "Aborted"}')
    assert ask(fake, "GET", f"/jobs/ingest/{name}").body["state"] == "Aborted"
    assert [key for key, held in fake.state().items() if held] == ["C-1", "C-2"]
    assert ask(fake, "GET", f"/jobs/ingest/{name}/unprocessedrecords").body.count(b"\n") == 3
    assert ask(fake, "PATCH", f"/jobs/ingest/{name}", body=b'{"state": "Aborted"}').status == 400
