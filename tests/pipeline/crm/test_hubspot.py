"""HubSpot: every row that is sent gets one answer, whatever HubSpot says."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fakes.hubspot import FakeHubSpot
from fakes.hubspot_use import FIELDS, TOKEN, connected
from fakes.serving import Reply, Trouble
from features.errors import LeadlightError
from pipeline.crm.connectors.hubspot import KIND
from pipeline.crm.connectors.hubspot.batches import Batch, as_text
from pipeline.crm.kinds import Surroundings, kind_of
from pipeline.crm.promise import Answer, Outcome, PassingTicket, Row
from pipeline.crm.trouble import BatchRefusedError, StopError, StopReason


def row(key, trace="", **fields):
    """Return a row."""
    return Row(key, {"leadlight_score": 72, "leadlight_grade": "A", **fields}, trace or f"run42-{key}")


def send(hubspot, *rows):
    """Return the answers by key."""
    answers = hubspot.send(rows, PassingTicket())
    assert sorted(answer.key for answer in answers) == sorted(row.key for row in rows)
    return {answer.key: answer for answer in answers}


def writes(fake):
    """Return the bodies of the batches that arrived."""
    return [call.json() for call in fake.calls if call.path.endswith(("/upsert", "/update"))]


def test_values_arrive_as_hubspot_spells_them(tmp_path):
    """Everything is a text; nothing empties a property."""
    fake = FakeHubSpot(contacts=1)
    moment = "2025-01-20T09:00:00+00:00"
    with connected(fake, tmp_path) as hubspot:
        hubspot.setup(FIELDS)
        more = {"leadlight_is_hot": True, "leadlight_as_of": moment, "leadlight_reason": "Bought twice"}
        written = send(hubspot, row("L-0000000", leadlight_probability=1e-7, **more))
        assert written == {"L-0000000": Answer("L-0000000", Outcome.WRITTEN)}
        assert fake.state() == {
            "L-0000000": {
                "leadlight_score": "72", "leadlight_grade": "A", "leadlight_probability": "0.0000001",
                "leadlight_is_hot": "true", "leadlight_as_of": "2025-01-20T09:00:00Z",
                "leadlight_reason": "Bought twice",
            }
        }  # fmt: skip
        send(hubspot, row("L-0000000", leadlight_reason=None, leadlight_is_hot=False))
    assert "leadlight_reason" not in fake.state()["L-0000000"]
    assert fake.state()["L-0000000"]["leadlight_is_hot"] == "false"


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_number_stays_the_same_number(number):
    """As a text without an exponent, it is read back as it was."""
    assert float(as_text(number)) == number
    assert "e" not in as_text(number)


def test_writing_twice_is_writing_once(tmp_path):
    """The same rows again leave the same contacts."""
    fake = FakeHubSpot()
    with connected(fake, tmp_path, may_create=True) as hubspot:
        hubspot.setup(FIELDS)
        send(hubspot, row("C-1"), row("C-2"))
        once = fake.state()
        send(hubspot, row("C-1"), row("C-2"))
    assert fake.state() == once
    assert len(list(fake.contacts.all())) == 2


def test_unknown_contacts_are_created_only_where_that_is_allowed(tmp_path):
    """Else their rows are rejected, in HubSpot's words, and the others are written."""
    fake = FakeHubSpot(contacts=1)
    with connected(fake, tmp_path) as hubspot:
        hubspot.setup(FIELDS)
        answers = send(hubspot, row("L-0000000"), row("C-9"))
    assert answers["L-0000000"].outcome is Outcome.WRITTEN
    assert answers["C-9"].outcome is Outcome.REJECTED
    assert answers["C-9"].code == "OBJECT_NOT_FOUND"
    assert "may be deleted or not exist" in answers["C-9"].words
    assert list(fake.state()) == ["L-0000000"]
    with connected(fake, tmp_path, may_create=True) as hubspot:
        assert send(hubspot, row("C-9"))["C-9"].outcome is Outcome.WRITTEN
    assert fake.contacts.find(fake.contacts.number_of("C-9")).key == "C-9"


def test_a_row_that_is_refused_leaves_the_others_written(tmp_path):
    """The refused one carries HubSpot's words and code, and none of its values."""
    fake = FakeHubSpot(contacts=3)
    with connected(fake, tmp_path) as hubspot:
        hubspot.setup(FIELDS)
        answers = send(hubspot, row("L-0000000"), row("L-0000001", leadlight_grade="Golden"), row("L-0000002"))
    refused = answers["L-0000001"]
    assert (refused.outcome, refused.code) == (Outcome.REJECTED, "INVALID_OPTION")
    assert refused.words == (
        "Property values were not valid: leadlight_grade: … was not one of the allowed options: [A, B, C]"
    )
    assert set(fake.state()) == {"L-0000000", "L-0000002"}


def test_a_batch_that_is_refused_whole_is_told_as_such(tmp_path):
    """The sender halves it; the values of its rows are not repeated."""
    fake = FakeHubSpot(contacts=2, is_partial=False)
    with connected(fake, tmp_path) as hubspot:
        hubspot.setup(FIELDS)
        with pytest.raises(BatchRefusedError) as refused:
            send(hubspot, row("L-0000000"), row("L-0000001", leadlight_grade="Golden"))
        assert send(hubspot, row("L-0000000"))["L-0000000"].outcome is Outcome.WRITTEN
    assert refused.value.code == "INVALID_OPTION"
    assert "Golden" not in refused.value.words


def test_a_value_that_is_cut_in_the_message_does_not_show_its_beginning():
    """Values are taken out of HubSpot's words before these are cut."""
    long = "Ann Smith wrote " + "a" * 400
    batch = Batch([row("C-1", "t", leadlight_reason=long)], "leadlight_key", creates=False)
    error = {"message": f"'{long}' is too long for ann@example.com", "context": {"objectWriteTraceId": ["t"]}}
    [answer] = batch.answers({"errors": [error]}, batch.traced())
    assert answer.words == "'…' is too long for …"


def test_every_input_has_a_trace_id_of_its_own(tmp_path):
    """Also where rows come without one, or with the same."""
    fake = FakeHubSpot(contacts=3)
    rows = [Row("L-0000000", {}), Row("L-0000001", {}), Row("L-0000002", {}, "t"), Row("L-0000003", {}, "t")]
    with connected(fake, tmp_path) as hubspot:
        assert send(hubspot, *rows)["L-0000002"].outcome is Outcome.WRITTEN
    traces = [one["objectWriteTraceId"] for one in writes(fake)[0]["inputs"]]
    assert len(set(traces)) == 4


def test_batches_hold_a_hundred(tmp_path):
    """As many as HubSpot takes, however many there are; several go out at once; none of nothing."""
    fake = FakeHubSpot()
    with connected(fake, tmp_path, at_once=3) as hubspot:
        assert (hubspot.at_once, hubspot.batch_size(7), hubspot.batch_size(1_000_000)) == (3, 100, 100)
        assert hubspot.send([], PassingTicket()) == []
        hubspot.abandon("")
        hubspot.finish()
    assert fake.calls == []


def test_record_ids_are_a_key_as_well(tmp_path):
    """HubSpot wants no idProperty then; nothing can be created by a record id."""
    fake = FakeHubSpot(contacts=1)
    with connected(fake, tmp_path, key="hs_object_id", may_create=True) as hubspot:
        assert hubspot.check([])[0].startswith("hs_object_id: HubSpot gives record ids itself")
        hubspot.setup(FIELDS)
        assert send(hubspot, row("1000000"), row("7"))["7"].outcome is Outcome.REJECTED
        assert hubspot.read(["1000000"], ["leadlight_score"])["1000000"].fields == {"leadlight_score": "72"}
        assert hubspot.changes("", ["leadlight_score"]).records[0].key == "1000000"
    assert "idProperty" not in writes(fake)[0]["inputs"][0]


BATCH = Batch([row("C-1", "t1"), row("C-2", "t2")], "leadlight_key", creates=False)
ERROR = {"category": "VALIDATION_ERROR", "message": "no"}


@pytest.mark.parametrize(
    ("body", "outcomes"),
    [
        ({}, "retry retry"),
        ({"results": None, "errors": None}, "retry retry"),
        ({"results": {"id": 1}, "errors": "x"}, "retry retry"),
        ({"results": [None, 3, {"objectWriteTraceId": ["t1"]}]}, "retry retry"),
        ({"results": [{"objectWriteTraceId": "t2"}]}, "retry written"),
        ({"results": [{"objectWriteTraceId": "t2"}] * 2 + [{"objectWriteTraceId": "t9"}]}, "retry written"),
        ({"results": [{"properties": {"leadlight_key": "C-1"}}]}, "written retry"),
        ({"results": [{"id": "8"}, {"id": "9"}]}, "written written"),
        ({"results": [{"id": "8"}]}, "retry retry"),
        ({"results": [{"objectWriteTraceId": "t1"}, {"id": "9"}]}, "written written"),
        ({"errors": [{**ERROR, "context": {"ids": ["C-1"]}}]}, "rejected retry"),
        ({"errors": [{**ERROR, "context": {"objectWriteTraceId": "t1"}}]}, "rejected retry"),
        ({"results": [{"objectWriteTraceId": "t2"}], "errors": [ERROR]}, "rejected written"),
        ({"results": [{"objectWriteTraceId": "t1"}], "errors": [{**ERROR, "context": {"ids": ["C-1"]}}]},
         "rejected retry"),
        ({"errors": [{"category": "RATE_LIMITS"}]}, "retry retry"),
        ({"errors": [{"category": "CONFLICT", "context": {"ids": ["C-1", "C-2"]}}]}, "retry retry"),
        ({"errors": [{"message": "[{broken", "context": {"ids": ["C-1", "C-2"]}, "errors": 5}]}, "rejected rejected"),
    ],
)  # fmt: skip
def test_no_row_is_lost_whatever_an_answer_lacks(body, outcomes):
    """What an answer does not tell may be sent again; an error counts for more than a result."""
    answers = {one.key: one.outcome.value for one in BATCH.answers(body, BATCH.traced())}
    assert f"{answers['C-1']} {answers['C-2']}" == outcomes


def test_an_error_that_names_no_row_halves_the_batch():
    """Alone in its batch, the row is the one that is meant."""
    with pytest.raises(BatchRefusedError, match="no"):
        BATCH.answers({"results": [], "errors": [ERROR]}, BATCH.traced())


def test_a_property_that_is_gone_stops_the_run(tmp_path):
    """No row is at fault, and none is rejected; without trace ids HubSpot says the same as a whole."""
    for is_partial in (True, False):
        with connected(FakeHubSpot(contacts=1, is_partial=is_partial), tmp_path) as hubspot:
            with pytest.raises(StopError, match="leadlight_score") as stopped:
                send(hubspot, row("L-0000000"))
            assert stopped.value.reason is StopReason.SETUP


def test_a_batch_that_is_too_large_is_no_rows_fault(tmp_path):
    """The size alone is to blame for a 413."""
    fake = FakeHubSpot(contacts=1)
    fake.trouble(Trouble(Reply(413, b"<html>Request Entity Too Large</html>")))
    with connected(fake, tmp_path) as hubspot, pytest.raises(BatchRefusedError):
        send(hubspot, row("L-0000000"))


def test_the_kind_is_known_by_name_and_closed():
    """Its options refuse what they do not know, and more calls than HubSpot allows."""
    assert kind_of("hubspot") is KIND
    for wrong in ({"token": "x"}, {"calls_per_10_s": 191}):
        with pytest.raises(ValueError, match="validation error"):
            KIND.options(**wrong)


def test_a_token_is_needed_and_never_shown(tmp_path):
    """It comes from the environment alone."""
    surroundings = Surroundings("sales", "leadlight_key", tmp_path, tmp_path, {})
    with pytest.raises(LeadlightError, match="LEADLIGHT_HUBSPOT_TOKEN"):
        KIND.connect(KIND.options(), surroundings)
    with pytest.raises(LeadlightError, match="http:// would show"):
        KIND.connect(KIND.options(base_url="http://crm.example.com"), surroundings)
    fake = FakeHubSpot()
    echo = json.dumps({"message": f"who is {TOKEN}, known as ann@example.com"}).encode()
    fake.trouble(Trouble(Reply(400, echo), times=9))
    with connected(fake, tmp_path) as hubspot:
        assert TOKEN not in repr(hubspot) + repr(vars(hubspot))
        with pytest.raises(BatchRefusedError) as refused:
            send(hubspot, row("C-1"))
        with pytest.raises(StopError) as stopped:
            hubspot.check(FIELDS)
    assert refused.value.words == stopped.value.words == "who is …, known as …"
    assert not [path for path in tmp_path.rglob("*") if path.is_file() and TOKEN.encode() in path.read_bytes()]
