"""The stand-in of Marketo behaves as the vendor's documents say Marketo does."""

import json
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from fakes.marketo import CLIENT_ID, CLIENT_SECRET, FakeMarketo
from fakes.serving import serving

KEY = "leadlight_key"
IDENTITY = "/identity/oauth/token"
LEADS = "/rest/v1/leads.json"
FILE = "/bulk/v1/leads.json?format=csv&lookupField=leadlight_key"


@pytest.fixture
def talk():
    """Return a function that gives a client to a stand-in, logged in."""
    opened = []

    def to(fake):
        server = serving(fake)
        opened.append(server)
        client = httpx.Client(base_url=server.__enter__())
        opened.append(client)
        asked = {"grant_type": "client_credentials", "client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}
        client.headers["Authorization"] = f"Bearer {client.get(IDENTITY, params=asked).json()['access_token']}"
        return client

    yield to
    for one in reversed(opened):
        one.__exit__(None, None, None)


def code(answer):
    """Return the code of an answer that failed, which is HTTP 200 all the same."""
    assert answer.status_code == 200
    assert answer.json()["success"] is False
    return answer.json()["errors"][0]["code"]


def sync(client, *records, action="createOrUpdate"):
    """Write records."""
    return client.post(LEADS, json={"action": action, "lookupField": KEY, "input": list(records)})


def test_a_token_is_the_same_until_it_ends_and_the_header_alone_counts(talk):
    """602 comes in the middle of a run; without the header it is 600, with nonsense 601."""
    fake = FakeMarketo(token_calls=1)
    client = talk(fake)
    assert client.get("/rest/v1/leads/describe.json").json()["success"]
    assert code(client.get("/rest/v1/leads/describe.json")) == "602"
    assert code(client.get("/rest/v1/leads/describe.json", headers={"Authorization": "Bearer x"})) == "601"
    del client.headers["Authorization"]
    assert code(client.get("/rest/v1/leads/describe.json")) == "600"


def test_records_are_answered_in_their_order(talk):
    """One that is skipped says why, and the others are written."""
    client = talk(FakeMarketo(n_leads=2))
    told = sync(client, {KEY: "C-0"}, {KEY: "C-9"}, {KEY: "C-1", "leadlight_score": "x"}, action="updateOnly").json()
    assert [one["status"] for one in told["result"]] == ["updated", "skipped", "skipped"]
    assert [one["reasons"][0]["code"] for one in told["result"][1:]] == ["1004", "1001"]


def test_two_upserts_of_one_key_at_once_make_two_leads(talk):
    """Each looks before the other has written."""
    fake = FakeMarketo(latency_s=0.1)
    client = talk(fake)
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda _: sync(client, {KEY: "C-1"}), range(2)))
    assert sorted(fake.state()) == ["C-1", "C-1 (again)"]


def test_limits_are_told_by_their_codes(talk):
    """606 for too many calls, 607 for the day's, 413 and 414 for too much."""
    client = talk(FakeMarketo(calls_per_20_s=3))
    answers = [client.get("/rest/v1/leads/describe.json") for _ in range(4)]
    assert code(answers[-1]) == "606"
    assert code(talk(FakeMarketo(daily=0)).get("/rest/v1/leads/describe.json")) == "607"
    assert sync(talk(FakeMarketo()), {KEY: "x" * 1_000_000}).status_code == 413
    assert talk(FakeMarketo()).get(LEADS, params={"filterValues": "x" * 8_000}).status_code == 414


def test_ten_imports_wait_and_two_run(talk):
    """The eleventh is turned away."""
    fake = FakeMarketo()
    client = talk(fake)
    told = [client.post(FILE, files={"file": f"{KEY}\nC-{n}\n".encode()}) for n in range(11)]
    assert code(told[-1]) == "1016"
    assert [job.status for job in fake.imports.jobs.values()] == ["Importing"] * 2 + ["Queued"] * 8
    assert len(fake.state()) == 10


def test_an_import_ends_and_tells_its_failures_in_another_order(talk):
    """The reason stands behind the cells, of which empty ones at the end are gone."""
    fake = FakeMarketo(n_leads=9, import_looks=1)
    client = talk(fake)
    lines = "".join(f"C-{n},x,\n" for n in range(9))
    number = client.post(FILE, files={"file": f"{KEY},leadlight_score,leadlight_grade\n{lines}"}).json()["result"][0]
    states = [client.get(f"/bulk/v1/leads/batch/{number['batchId']}.json").json()["result"][0] for _ in range(2)]
    assert [state["status"] for state in states] == ["Importing", "Complete"]
    assert states[1]["numOfRowsFailed"] == 9
    told = client.get(f"/bulk/v1/leads/batch/{number['batchId']}/failures.json").text.splitlines()
    keys = [line.split(",")[0] for line in told[1:]]
    assert keys != sorted(keys)
    assert {len(line.split(",")) for line in told[1:]} == {3}


def test_the_log_of_changes_goes_on_where_it_was_left(talk):
    """A position is good for ever; only the fields asked for are told."""
    fake = FakeMarketo(n_leads=1)
    client = talk(fake)
    since = client.get("/rest/v1/activities/pagingtoken.json", params={"sinceDatetime": "2020-01-01T00:00:00Z"}).json()
    sync(client, {KEY: "C-0", "leadlight_score": 1})
    sync(client, {KEY: "C-0", "leadlight_grade": "A"})
    asked = {"nextPageToken": since["nextPageToken"], "fields": "leadlight_score"}
    page = client.get("/rest/v1/activities/leadchanges.json", params=asked).json()
    assert [change["newValue"] for one in page["result"] for change in one["fields"]] == ["1"]
    assert not page["moreResult"]
    assert json.loads(page["nextPageToken"]) == 3
