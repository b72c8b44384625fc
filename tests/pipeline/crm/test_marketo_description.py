"""Marketo's fields, and every kind of request held against the description that Marketo publishes."""

import json

import pytest

from fakes.marketo import FakeMarketo, done, failed, skipped
from fakes.serving import Reply, Request, Trouble
from pipeline.crm.promise import CrmField, FieldType, Missing, PassingTicket
from pipeline.crm.trouble import StopError, StopReason
from support import marketo_description
from support.marketo_target import outcomes, rows, talking

SCORE = CrmField("leadlight_score", FieldType.INTEGER)
GRADE = CrmField("leadlight_grade", FieldType.CHOICE, choices=("A", "B"))
needs_description = pytest.mark.skipif(
    not marketo_description.is_here(), reason="Marketo's description is not here: specs in ../shared"
)


@needs_description
def test_every_operation_is_used_as_it_is_described(tmp_path):
    """Logging in, writing, importing, reading, describing, creating fields, following changes, counting calls."""
    fake = FakeMarketo(n_leads=600, refused={"C-3": "no"})
    fake.imports.warns["C-4"] = "odd"
    with talking(fake, tmp_path, may_create=True, partition="EU", daily_calls=50_000) as marketo:
        marketo.setup([CrmField("leadlight_new", FieldType.TEXT, 100, label="New: yes?")])
        marketo.check([SCORE, GRADE])
        outcomes(marketo.send(rows(2), PassingTicket()))
        outcomes(marketo.send(rows(600), PassingTicket()))
        marketo.read([f"C-{n}" for n in range(600)], ["leadlight_score"])
        marketo.read([f"C-{n}" * 30 for n in range(300)], ["leadlight_score"])
        marketo.changes("", ["leadlight_score"])
    used = marketo_description.hold_against_description(fake.calls)
    assert used == {
        "identityUsingGET",
        "createLeadFieldUsingPOST",
        "describeUsingGET_2",
        "describeUsingGET_6",
        "getActivitiesPagingTokenUsingGET",
        "getDailyUsageUsingGET",
        "getImportLeadFailuresUsingGET",
        "getImportLeadStatusUsingGET",
        "getImportLeadWarningsUsingGET",
        "getLeadChangesUsingGET",
        "getLeadsByFilterUsingGET",
        "importLeadUsingPOST",
        "syncLeadUsingPOST",
    }


@needs_description
@pytest.mark.parametrize(
    "request_",
    [
        Request("POST", "/rest/v1/leads.json", {}, {}, json.dumps({"action": "upsert", "input": []}).encode()),
        Request("POST", "/rest/v1/leads.json", {}, {}, json.dumps({"action": "updateOnly"}).encode()),
        Request("POST", "/rest/v1/leads.json", {}, {}, json.dumps({"input": [{"id": "7"}]}).encode()),
        Request("POST", "/rest/v1/leads.json", {}, {}, json.dumps({"input": [], "partition": "EU"}).encode()),
        Request("GET", "/rest/v1/leads.json", {"filterType": "id"}, {}, b""),
        Request("GET", "/rest/v1/leads/describe.json", {"access_token": "x"}, {}, b""),
        Request("GET", "/rest/v1/leads/describe3.json", {}, {}, b""),
        Request("PUT", "/rest/v1/leads.json", {}, {}, b"{}"),
        Request("GET", "/bulk/v1/leads/batch/x.json", {}, {}, b""),
        Request("POST", "/bulk/v1/leads.json", {"format": "xls"}, {}, b""),
        Request("GET", "/identity/oauth/token", {"grant_type": "password"}, {}, b""),
    ],
)
def test_a_request_that_is_not_as_described_is_found(request_):
    """Else the test above would prove nothing."""
    with pytest.raises(marketo_description.NotDescribedError):
        marketo_description.hold_against_description([request_])


def test_what_does_not_fit_is_told_line_by_line(tmp_path):
    """Missing, of another type, too short, only to be read: all at once, and nothing is written."""
    fake = FakeMarketo(fields={"a_date": "date", "short": "string", "fixed": "string", "flag": "boolean"})
    fake.leads.lengths["short"] = 20
    fake.leads.read_only.add("fixed")
    wanted = [
        SCORE,
        GRADE,
        CrmField("nowhere", FieldType.TEXT, 10),
        CrmField("a_date", FieldType.MOMENT),
        CrmField("short", FieldType.TEXT, 21),
        CrmField("fixed", FieldType.CHOICE, choices=("A",)),
        CrmField("leadlight_grade", FieldType.NUMBER),
        CrmField("flag", FieldType.BOOLEAN),
        CrmField("jobDescription", FieldType.TEXT, 2_000),
    ]
    with talking(fake, tmp_path) as marketo:
        assert marketo.check(wanted) == [
            "nowhere: Marketo has no such field",
            "a_date: it is of type date, which does not hold a value of type moment",
            "short: it holds 20 characters, and up to 21 are written",
            "fixed: it can only be read",
            "leadlight_grade: it is of type string, which does not hold a value of type number",
        ]
    assert not fake.leads.log


@pytest.mark.parametrize(
    ("key", "line"),
    [
        ("nowhere", "nowhere: Marketo has no such field; it is to tell leads apart"),
        ("a_flag", "a_flag: leads cannot be looked up by it; a custom field of type string can"),
        ("id", "id: Marketo gives it out itself, so no lead can be created by it"),
    ],
)
def test_a_key_that_cannot_tell_leads_apart_is_told(tmp_path, key, line):
    """It must be there, and leads must be found by it."""
    with talking(FakeMarketo(fields={"a_flag": "boolean"}), tmp_path, key=key, may_create=True) as marketo:
        assert marketo.check([]) == [line]


def test_missing_fields_are_created_once(tmp_path):
    """The second time nothing is left to do, also where Marketo's description lags behind."""
    fake = FakeMarketo()
    wanted = [
        SCORE,
        CrmField("leadlight_rank", FieldType.INTEGER),
        CrmField("leadlight_share", FieldType.NUMBER),
        CrmField("leadlight_at", FieldType.MOMENT),
        CrmField("leadlight_hot", FieldType.BOOLEAN),
        CrmField("leadlight_why", FieldType.TEXT, 255),
    ]
    with talking(fake, tmp_path) as marketo:
        assert {type(line) for line in marketo.check(wanted)} == {Missing}
        assert marketo.setup(wanted) == [
            "leadlight_rank: created as integer",
            "leadlight_share: created as float",
            "leadlight_at: created as datetime",
            "leadlight_hot: created as boolean",
            "leadlight_why: created as string",
        ]
        assert marketo.setup(wanted) == []
        assert marketo.check(wanted) == []
        assert marketo.fields._made([wanted[-1]]) == []


def test_what_only_a_person_can_create_is_named(tmp_path):
    """A long text, a name that Marketo does not take: the others are created all the same."""
    fake = FakeMarketo()
    wanted = [
        CrmField("leadlight_story", FieldType.TEXT, 256),
        CrmField("lead-light", FieldType.TEXT, 5),
        CrmField("leadlight_rank", FieldType.INTEGER),
    ]
    with talking(fake, tmp_path) as marketo, pytest.raises(StopError) as raised:
        marketo.setup(wanted)
    assert raised.value.reason == StopReason.SETUP
    assert "leadlight_rank: created as integer; leadlight_story: a text of 256" in str(raised.value)
    assert "leadlight_rank" in fake.leads.types


def test_a_role_that_may_not_create_fields_stops(tmp_path):
    """603 is a matter of permission."""
    with talking(FakeMarketo(may_change_schema=False), tmp_path) as marketo, pytest.raises(StopError) as raised:
        marketo.setup([CrmField("leadlight_rank", FieldType.INTEGER)])
    assert raised.value.reason == StopReason.PERMISSION


def test_a_description_that_is_refused_or_empty_stops(tmp_path):
    """There is no batch that could be halved."""
    for reply in (failed("702", "No data found"), Reply(413, b"")):
        fake = FakeMarketo()
        fake.trouble(Trouble(reply, matches=lambda asked: asked.path.endswith("describe.json")))
        with talking(fake, tmp_path) as marketo, pytest.raises(StopError) as raised:
            marketo.check([SCORE])
        assert raised.value.reason == StopReason.SETUP


@pytest.mark.parametrize("told", [done("none"), done([1]), done([]), done([{"rest": None}])])
def test_a_description_that_is_none_is_asked_for_again(tmp_path, told):
    """No field counts as missing because an answer was garbled."""
    fake = FakeMarketo()
    fake.trouble(Trouble(told, matches=lambda asked: asked.path.endswith("describe.json")))
    with talking(fake, tmp_path) as marketo:
        assert marketo.check([SCORE]) == []


def test_a_field_that_was_not_created_is_told_in_marketos_words(tmp_path):
    """Too few answers are no answer, nor is one of another shape a field that was created."""
    fake = FakeMarketo()
    told = ([skipped("1003", "no")], [], [{"status": ["created"]}])
    fake.trouble(*(Trouble(done(one), matches=lambda asked: asked.method == "POST") for one in told))
    wanted = [CrmField("leadlight_rank", FieldType.INTEGER)]
    with talking(fake, tmp_path) as marketo:
        with pytest.raises(StopError, match="leadlight_rank was not created: 1003 no"):
            marketo.setup(wanted)
        with pytest.raises(StopError, match="leadlight_rank was not created"):
            marketo.setup(wanted)  # the first answer was none, the second of another shape
        assert marketo.setup(wanted) == ["leadlight_rank: created as integer"]
