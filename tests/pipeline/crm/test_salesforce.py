"""Salesforce over sObject Collections: who is written, who is refused and why, and what is read back."""

import json
import threading

import pytest

from fakes.salesforce import CLIENT_SECRET, FakeSalesforce
from fakes.salesforce_records import described_field, picklist
from fakes.serving import Reply, Trouble, serving
from features.errors import LeadlightError
from pipeline.crm.kinds import kind_of
from pipeline.crm.promise import CrmField, FieldType, Missing, PassingTicket, Row
from pipeline.crm.trouble import BatchRefusedError, RetryError, StopError, StopReason
from support.salesforce_org import (
    FIELDS,
    GRADE,
    KEY,
    REASON,
    SCORE,
    SECRETS,
    Clock,
    connector_to,
    named,
    org,
    outcomes,
    paths,
    row,
    rows,
)

CUT = "connection cut short"


def is_write(request):
    """Return whether a call writes records."""
    return "/composite/sobjects" in request.path


def refused(status, code, message="no", **more):
    """Return trouble that answers calls that write."""
    return Trouble(Reply(status, [{"errorCode": code, "message": message}]), matches=is_write, **more)


def whole(key):
    """Return a row with all that a new lead must have."""
    return named(row(key), Company="Silva e Filhos")


def send(connector, sent):
    """Return what became of rows that are sent without a ticket."""
    return connector.send(sent, PassingTicket())


def test_the_kind_is_one_of_the_house():
    """The registry finds it by its name."""
    assert kind_of("salesforce").options.__name__ == "SalesforceOptions"


def test_rows_are_written_once_however_often_they_are_sent(tmp_path):
    """Sending the same rows twice leaves the org as it was."""
    fake = FakeSalesforce(leads=3)
    with org(fake, tmp_path) as connector:
        assert outcomes(send(connector, rows(3))) == dict.fromkeys(["C-1", "C-2", "C-3"], "written")
        state = fake.state()
        assert outcomes(send(connector, rows(3))) == dict.fromkeys(["C-1", "C-2", "C-3"], "written")
    assert state == fake.state() == {one.key: dict(one.fields) for one in rows(3)}
    assert paths(fake) == ["GET /query", "PATCH /composite/sobjects"] * 2


def test_nothing_is_created_unless_it_may_be(tmp_path):
    """An unknown key's row is refused with clear words, or makes a lead where that is allowed and it says enough."""
    fake = FakeSalesforce(leads=1)
    with org(fake, tmp_path) as connector:
        answers = send(connector, [row("C-1"), row("new")])
    assert outcomes(answers) == {"C-1": "written", "new": "rejected NOT_FOUND"}
    assert "none is created" in next(one.words for one in answers if one.key == "new")
    with org(fake, tmp_path, is_set_up=False, objects=["Lead"], may_create=True) as connector:
        assert outcomes(send(connector, [whole("C-1"), whole("new")])) == {"C-1": "written", "new": "written"}
        assert outcomes(send(connector, [row("new", 1)])) == {"new": "written"}
    assert [record.key for record in fake.leads.records] == ["C-1", "new"]
    assert fake.state()["new"][SCORE] == 1


def test_a_converted_lead_is_written_at_its_contact(tmp_path):
    """With or without the key on the contact; a contact without a lead is found by its key."""
    fake = FakeSalesforce(leads=3, contacts=1)
    fake.convert("C-1")
    fake.convert("C-2", with_key=True)
    with org(fake, tmp_path) as connector:
        sent = [*rows(3), row("P-1", 5)]
        assert set(outcomes(send(connector, sent)).values()) == {"written"}
        read = connector.read(["C-1", "C-2", "C-3", "P-1", "no"], [SCORE, "IsConverted"])
    assert {key: record.fields for key, record in read.items()} == {
        "C-1": {SCORE: "72", "IsConverted": "true"},
        "C-2": {SCORE: "72", "IsConverted": "true"},
        "C-3": {SCORE: "72", "IsConverted": "false"},
        "P-1": {SCORE: "5", "IsConverted": None},
    }
    assert [bool(record.values) for record in fake.leads.records] == [False, False, True]


def test_a_converted_lead_without_a_contact_to_write_is_refused(tmp_path):
    """Where only leads are written, or the contact is gone, the row says so and nothing is created."""
    fake = FakeSalesforce(leads=2)
    fake.convert("C-1")
    fake.convert("C-2", has_contact=False)
    locked = {"C-1": "rejected CANNOT_UPDATE_CONVERTED_LEAD", "C-2": "rejected CANNOT_UPDATE_CONVERTED_LEAD"}
    with org(fake, tmp_path, objects=["Lead"], may_create=True) as connector:
        assert outcomes(send(connector, rows(2))) == locked
    with org(fake, tmp_path, may_create=True) as connector:
        assert outcomes(send(connector, rows(2))) == locked | {"C-1": "written"}


def test_a_lead_converted_a_moment_ago_goes_to_its_contact_next_time(tmp_path):
    """The lead was found live, and is locked when it is written: that row goes later."""
    fake = FakeSalesforce(leads=2)
    with org(fake, tmp_path) as connector:
        converted = Trouble(
            Reply(200, json.loads('[{"success":false,"errors":[{"statusCode":"CANNOT_UPDATE_CONVERTED_LEAD"}]}]')),
            matches=is_write,
        )
        fake.trouble(converted)
        assert outcomes(send(connector, rows(1))) == {"C-1": "retry CANNOT_UPDATE_CONVERTED_LEAD"}
        fake.convert("C-1")
        assert outcomes(send(connector, rows(1))) == {"C-1": "written"}


def test_a_key_that_several_records_carry_is_refused(tmp_path):
    """Nobody can know which one is meant; the others of the batch are written."""
    fake = FakeSalesforce(leads=2)
    fake.leads.add("C-2")
    with org(fake, tmp_path, may_create=True) as connector:
        assert outcomes(send(connector, rows(2))) == {"C-1": "written", "C-2": "rejected DUPLICATE"}
        assert list(connector.read(["C-1", "C-2"], [SCORE])) == ["C-1"]


def test_two_leads_of_one_contact_do_not_overwrite_each_other(tmp_path):
    """Both were converted to the same person: the first is written, the other says why it is not."""
    fake = FakeSalesforce(leads=2)
    contact = fake.convert("C-1")
    fake.leads.convert(fake.leads.with_key("C-2")[0], contact)
    with org(fake, tmp_path) as connector:
        answers = send(connector, [row("C-1", 1), row("C-2", 2)])
    assert outcomes(answers) == {"C-1": "written", "C-2": "rejected DUPLICATE"}
    assert fake.state()["C-1"][SCORE] == 1


def test_two_leads_of_one_contact_do_not_overwrite_each_other_in_two_batches(tmp_path):
    """Within one run the second says why it is not written, however often; another run begins anew."""
    fake = FakeSalesforce(leads=3)
    contact = fake.convert("C-1", with_key=False)
    fake.leads.convert(fake.leads.with_key("C-2")[0], contact)
    with org(fake, tmp_path) as connector:
        for _ in range(2):
            assert outcomes(send(connector, [row("C-1", 1), row("C-3")])) == {"C-1": "written", "C-3": "written"}
            (second,) = send(connector, [row("C-2", 2)])
            assert (second.outcome, second.code) == ("rejected", "DUPLICATE")
            assert second.words == "Another lead of this run is written at the same record."
    assert fake.state()["C-1"][SCORE] == 1
    with org(fake, tmp_path, is_set_up=False) as connector:
        assert outcomes(send(connector, [row("C-2", 2)])) == {"C-2": "written"}


def test_a_contacts_own_row_does_not_overwrite_that_of_its_lead(tmp_path):
    """The contact carries another key than the lead that was converted to it, and was written for that lead."""
    fake = FakeSalesforce(leads=1, contacts=2)
    fake.leads.convert(fake.leads.records[0], fake.contacts.id_of(fake.contacts.records[0]))
    with org(fake, tmp_path) as connector:
        assert outcomes(send(connector, [row("C-1", 1)])) == {"C-1": "written"}
        told = outcomes(send(connector, [row("P-1", 2), row("P-2", 3)]))
    assert told == {"P-1": "rejected DUPLICATE", "P-2": "written"}
    assert fake.state()["P-1"][SCORE] == 1


def test_a_key_in_other_letters_is_another_key(tmp_path):
    """Salesforce would take c-1 for C-1 and write one lead's score over another's."""
    fake = FakeSalesforce(leads=1)
    with org(fake, tmp_path, objects=["Lead"], may_create=True) as connector:
        assert outcomes(send(connector, [row("c-1", 1)])) == {"c-1": "rejected OTHER_SPELLING"}
        assert outcomes(send(connector, [row("c-1", 1), row("C-1", 2)])) == {
            "c-1": "rejected OTHER_SPELLING",
            "C-1": "written",
        }
        twins = outcomes(send(connector, [whole("new"), whole("NEW")]))
        assert twins == {"new": "written", "NEW": "rejected OTHER_SPELLING"}
        assert outcomes(send(connector, [row("NEW")])) == {"NEW": "rejected OTHER_SPELLING"}
    assert fake.state()["C-1"][SCORE] == 2
    fake = FakeSalesforce(leads=1, is_case_sensitive=True)
    with org(fake, tmp_path, objects=["Lead"], may_create=True) as connector:
        assert outcomes(send(connector, [whole("c-1"), whole("C-1")])) == {"c-1": "written", "C-1": "written"}


@pytest.mark.parametrize(
    "key", ["O'Hara", "x') OR Name != ('", "back\\slash", "line\nbreak", 'a"b', "über-ß", "🦊", "\\'", "a,b", "50%&?#+"]
)
def test_no_key_breaks_out_of_the_query(tmp_path, key):
    """Whatever a key holds, exactly its own record is written and read."""
    fake = FakeSalesforce(leads=2)
    fake.leads.add(key)
    with org(fake, tmp_path) as connector:
        assert outcomes(send(connector, [row(key)])) == {key: "written"}
        assert list(connector.read([key], [SCORE])) == [key]
    assert [held for held, values in fake.state().items() if values] == [key]


@pytest.mark.parametrize("key", ["", "  ", "x" * 256])
def test_a_key_that_is_none_is_refused_without_a_question(tmp_path, key):
    """An empty key would mean all records that have none."""
    fake = FakeSalesforce()
    fake.leads.add(None)
    with org(fake, tmp_path, may_create=True) as connector:
        assert outcomes(send(connector, [row(key)])) == {key: "rejected NO_KEY"}
    assert paths(fake) == ["GET /sobjects/Lead/describe"]


@pytest.mark.parametrize(
    "text", ['say "hi", twice', "two\nlines\r\nthree", "=SUM(A1:A9)", "🦊 emoji", "#N/A", "a,b;c", " 'x' ", "\\n"]
)
def test_text_arrives_as_it_was(tmp_path, text):
    """Quotes, line breaks, formulas and emoji are plain text."""
    fake = FakeSalesforce(leads=1)
    with org(fake, tmp_path) as connector:
        send(connector, [row("C-1", reason=text)])
    assert fake.state()["C-1"][REASON] == text


def test_none_empties_a_field(tmp_path):
    """What was there is gone."""
    fake = FakeSalesforce(leads=1)
    with org(fake, tmp_path) as connector:
        send(connector, rows(1))
        send(connector, [row("C-1", None, reason=None)])
        assert connector.read(["C-1"], [SCORE, REASON])["C-1"].fields == {SCORE: None, REASON: None}


def test_half_a_character_spoils_nothing_but_its_own_text(tmp_path):
    """A text cut in the middle of an emoji is no traceback."""
    fake = FakeSalesforce(leads=1)
    with org(fake, tmp_path) as connector:
        assert outcomes(send(connector, [row("C-1", reason="cut \ud83e")])) == {"C-1": "written"}


def test_a_row_that_is_refused_leaves_the_others_written(tmp_path):
    """A text too long, a grade that is not offered, a locked and a deleted record: each with its own answer."""
    fake = FakeSalesforce(leads=6)
    fake.leads.records[4].is_deleted = True
    fake.leads.locks["C-3"] = 1
    sent = [row("C-1", reason="long-secret " * 30), row("C-2", grade="Z"), *rows(6)[2:]]
    with org(fake, tmp_path, may_create=False) as connector:
        answers = send(connector, sent)
        assert outcomes(answers) == {
            "C-1": "rejected STRING_TOO_LONG",
            "C-2": "rejected INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST",
            "C-3": "retry UNABLE_TO_LOCK_ROW",
            "C-4": "written",
            "C-5": "rejected NOT_FOUND",
            "C-6": "written",
        }
        assert outcomes(send(connector, sent[2:3])) == {"C-3": "written"}
    words = {answer.key: answer.words for answer in answers}
    assert words["C-1"] == "STRING_TOO_LONG: Leadlight Reason: data value too large: … (max length=255)"
    assert words["C-2"].endswith("restricted picklist field: …")
    assert "long-secret" not in str(answers)


def test_words_repeat_no_address_of_a_person(tmp_path):
    """A message that names somebody's e-mail address is told without it."""
    fake = FakeSalesforce(leads=1)
    told = {"success": False, "errors": [{"statusCode": "DUPLICATES_DETECTED", "message": "like ann@shop.example"}]}
    with org(fake, tmp_path) as connector:
        fake.trouble(Trouble(Reply(200, [told]), matches=is_write))
        assert send(connector, rows(1))[0].words == "DUPLICATES_DETECTED: like …"


def test_a_token_that_ends_is_renewed_and_nothing_is_lost(tmp_path):
    """Each token dies after five calls; all rows arrive, from four threads at once.

    With fewer calls than threads a token could die before any thread has seen that it was let in.
    """
    fake = FakeSalesforce(leads=40, token_calls=5)
    answers = []
    with org(fake, tmp_path) as connector:

        def send_some(sent):
            for start in range(0, len(sent), 5):
                answers.extend(send(connector, sent[start : start + 5]))

        parts = [rows(40)[start : start + 10] for start in range(0, 40, 10)]
        threads = [threading.Thread(target=send_some, args=(part,)) for part in parts]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert set(outcomes(answers).values()) == {"written"}
    assert len(answers) == 40
    assert paths(fake).count("POST /services/oauth2/token") >= 3


def test_a_login_that_is_refused_stops_and_shows_no_secret(tmp_path):
    """Wrong credentials are told with what to look at; the secret is nowhere in it."""
    wrong = SECRETS | {"LEADLIGHT_SALESFORCE_CLIENT_SECRET": "wrong-secret-99"}
    fake = FakeSalesforce(leads=1)
    with serving(fake) as url:
        connector = connector_to(url, tmp_path, secrets=wrong)
        echo = {"error": "invalid_client", "error_description": "no client with wrong-secret-99"}
        fake.trouble(Trouble(Reply(400, echo)))
        for _ in range(2):
            with pytest.raises(StopError) as stopped:
                connector.check(FIELDS)
            assert stopped.value.reason is StopReason.CREDENTIALS
            assert "wrong-secret-99" not in stopped.value.words + repr(vars(connector))
        connector.close()


def test_a_new_token_that_is_not_let_in_stops(tmp_path):
    """A login that works with tokens that do not is no reason to try for a quarter of an hour."""
    fake = FakeSalesforce()
    with serving(fake) as url:
        connector = connector_to(url, tmp_path)
        denied = Reply(401, [{"errorCode": "INVALID_SESSION_ID", "message": "Session expired or invalid"}])
        fake.trouble(Trouble(denied, times=99, matches=lambda call: "/describe" in call.path))
        with pytest.raises(StopError) as stopped:
            connector.check(FIELDS)
        connector.close()
    assert stopped.value.reason is StopReason.CREDENTIALS


def test_a_secret_that_is_missing_is_named(tmp_path):
    """The environment's variable is told; nothing is called."""
    with pytest.raises(LeadlightError, match="LEADLIGHT_SALESFORCE_CLIENT_ID"):
        connector_to("https://acme.my.salesforce.com", tmp_path, secrets={})


@pytest.mark.parametrize("url", ["http://acme.my.salesforce.com", "acme", "https://me:pw@acme.example"])
def test_an_address_that_shows_secrets_is_refused(tmp_path, url):
    """No plain http:// beyond this machine, no password in the address."""
    with pytest.raises(LeadlightError, match="base_url"):
        connector_to(url, tmp_path)


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        (Reply(403, [{"errorCode": "REQUEST_LIMIT_EXCEEDED", "message": "TotalRequests Limit exceeded."}]), "quota"),
        (Reply(403, [{"errorCode": "API_DISABLED_FOR_ORG", "message": "API is not enabled"}]), "permission"),
        (Reply(400, [{"errorCode": "INVALID_FIELD", "message": "No such column"}]), "setup"),
        (Reply(302, b"", {"Location": "https://elsewhere.example"}), "setup"),
        (Reply(404, b"<html>"), "setup"),
    ],
)
def test_trouble_that_no_waiting_mends_stops(tmp_path, reply, reason):
    """Quota, permission and a wrong set-up are told as what they are; no row is at fault."""
    fake = FakeSalesforce(leads=1)
    with org(fake, tmp_path) as connector:
        fake.trouble(Trouble(reply, matches=is_write))
        with pytest.raises(StopError) as stopped:
            send(connector, rows(1))
    assert stopped.value.reason.value == reason


@pytest.mark.parametrize(
    "trouble",
    [
        Trouble(Reply(503, [{"errorCode": "SERVER_UNAVAILABLE", "message": "busy"}]), times=2),
        Trouble(Reply(403, [{"errorCode": "REQUEST_LIMIT_EXCEEDED", "message": "ConcurrentRequests Limit exceeded."}])),
        Trouble(Reply(429, b"", {"Retry-After": "2"})),
        Trouble(Reply(500, b"<html>oops"), is_done_first=True),
        Trouble(cut_after=10),
    ],
    ids=["503", "concurrent", "429", "lost answer", CUT],
)
def test_trouble_that_passes_is_waited_out(tmp_path, trouble):
    """Every row is written, and none twice with other values."""
    fake = FakeSalesforce(leads=3)
    with org(fake, tmp_path) as connector:
        trouble.matches = is_write
        fake.trouble(trouble)
        assert set(outcomes(send(connector, rows(3))).values()) == {"written"}
    assert fake.state() == {one.key: dict(one.fields) for one in rows(3)}


@pytest.mark.parametrize(
    "body", [b"<html>", {"success": True}, [], [{"success": True}], [None, None], [{"ok": 1}, {"ok": 1}], b"null"]
)
def test_a_senseless_answer_to_a_write_is_no_answer(tmp_path, body):
    """HTML, another shape, too few answers: all rows may go later, and none is taken for written."""
    fake = FakeSalesforce(leads=2)
    with org(fake, tmp_path) as connector:
        fake.trouble(Trouble(Reply(200, body), matches=is_write))
        with pytest.raises(RetryError):
            send(connector, rows(2))


@pytest.mark.parametrize(
    "body",
    [
        b"<html>",
        [],
        {"records": None},
        {"records": [1]},
        {"records": [{"Id": 5, KEY: "C-1"}], "done": True},
        {"records": [{"Id": "00Q", KEY: {"a": 1}}], "done": True},
        {"records": [], "done": False},
        b"",
    ],
)
def test_a_senseless_answer_to_a_query_is_no_answer(tmp_path, body):
    """Nobody is taken for unknown because a question was answered with nonsense."""
    fake = FakeSalesforce(leads=2)
    with org(fake, tmp_path, may_create=True) as connector:
        fake.trouble(Trouble(Reply(200, body), matches=lambda call: call.path.endswith("/query")))
        with pytest.raises(RetryError):
            send(connector, rows(2))
    assert not any(fake.state().values())


@pytest.mark.parametrize(
    "address",
    [
        "https://elsewhere.example/services/data/v62.0/query/x",
        "/services/data/v62.0/sobjects/Lead/describe",
        "/services/data/v62.0/query/../sobjects/Lead",
        "/services/data/v62.0/query?q=SELECT",
        ["/services/data/v62.0/query/x"],
    ],
)
def test_the_next_page_is_only_looked_for_among_the_orgs_pages(tmp_path, address):
    """An answer that names another host gets no token, and no other path is asked."""
    fake = FakeSalesforce(leads=2)
    elsewhere = {"records": [], "done": False, "nextRecordsUrl": address}
    with org(fake, tmp_path) as connector:
        fake.trouble(Trouble(Reply(200, elsewhere), matches=lambda call: call.path.endswith("/query")))
        with pytest.raises(RetryError):
            send(connector, rows(2))
    assert paths(fake) == ["GET /query"]


def test_a_batch_that_is_refused_as_a_whole_says_so(tmp_path):
    """The sender halves it until the row at fault is found."""
    fake = FakeSalesforce(leads=1)
    with org(fake, tmp_path) as connector:
        fake.trouble(refused(400, "JSON_PARSER_ERROR"), Trouble(Reply(413, b"<html>"), matches=is_write))
        with pytest.raises(BatchRefusedError, match="JSON_PARSER_ERROR"):
            send(connector, rows(1))
        with pytest.raises(BatchRefusedError, match="413"):
            send(connector, rows(1))


def test_a_field_that_may_not_be_written_stops_before_all_rows_are_spent(tmp_path):
    """Permission is missing for every row alike: none of them is rejected for it."""
    fake = FakeSalesforce(leads=2)
    with org(fake, tmp_path) as connector:
        fake.leads.fields[SCORE]["updateable"] = False
        with pytest.raises(StopError, match=SCORE) as stopped:
            send(connector, rows(2))
    assert stopped.value.reason is StopReason.PERMISSION
    assert "edit access to the field" in stopped.value.hint
    assert "storage" not in stopped.value.hint


def test_the_days_calls_are_not_used_up(tmp_path):
    """Beyond the share that the config allows, nothing new is sent; what is pending stays so."""
    fake = FakeSalesforce(leads=1, daily=20)
    fake.used = 16
    with org(fake, tmp_path, is_set_up=False) as connector:
        assert connector.read(["C-1"], ["Email"])
        with pytest.raises(StopError, match="95% of the org's daily API calls") as stopped:
            send(connector, rows(1))
    assert stopped.value.reason is StopReason.QUOTA
    assert fake.used < fake.daily


def test_many_keys_are_asked_for_with_few_calls(tmp_path):
    """Five queries make one call, each as long as an address may be; every record is found."""
    fake = FakeSalesforce(leads=7_000, page=400)
    with org(fake, tmp_path) as connector:
        found = connector.read([f"C-{number}" for number in range(1, 7_001)], ["Email"])
    assert len(found) == 7_000
    assert paths(fake).count("POST /composite") == 2
    assert max(len(call.body) for call in fake.calls) < 16_384 * 5


def test_setup_makes_the_fields_and_check_is_content(tmp_path):
    """Fields are made once in both objects; the admin's part is told; afterwards everything fits."""
    fake = FakeSalesforce(leads=1)
    with org(fake, tmp_path, is_set_up=False) as connector:
        assert [type(line) for line in connector.check(FIELDS)] == [Missing] * 6
        assert [type(line) for line in connector.check([CrmField("NoSuchStandardField", FieldType.INTEGER)])] == [
            str
        ] * 2
        made = connector.setup(FIELDS)
        assert [line.partition(" ")[0] for line in made] == [
            f"{table}.{field}" for table in ("Lead", "Contact") for field in (SCORE, GRADE, REASON)
        ]
        assert all("an admin must now let the integration user edit it" in line for line in made)
        assert connector.setup(FIELDS) == connector.check(FIELDS) == []


def test_every_type_can_be_made_and_fits(tmp_path):
    """What setup makes, check accepts, for each type and length."""
    fields = [
        CrmField("A__c", FieldType.TEXT, length=2000),
        CrmField("B__c", FieldType.NUMBER),
        CrmField("C__c", FieldType.BOOLEAN),
        CrmField("D__c", FieldType.MOMENT),
        CrmField("E__c", FieldType.INTEGER),
        CrmField("F__c", FieldType.CHOICE, choices=("cold", "hot")),
        CrmField("LastName", FieldType.TEXT, length=40),
        CrmField("Company", FieldType.TEXT, length=40),
    ]
    values = {"A__c": "x", "B__c": 0.25, "C__c": True, "D__c": "2025-01-20T09:00:00Z", "E__c": 3, "F__c": "hot"}
    values |= {"LastName": "Silva", "Company": "Silva e Filhos"}
    fake = FakeSalesforce()
    with org(fake, tmp_path, objects=["Lead"], may_create=True) as connector:
        connector.setup(fields)
        assert connector.check(fields) == []
        assert outcomes(send(connector, [Row("new", values)])) == {"new": "written"}
        told = connector.read(["new"], list(values))["new"].fields
    assert told == values | {"B__c": "0.25", "C__c": "true", "E__c": "3"}


def test_setup_without_the_right_says_so(tmp_path):
    """A refusal names the permission; a standard field cannot be made; a hidden one is not made again."""
    fake = FakeSalesforce()
    with org(fake, tmp_path, is_set_up=False) as connector:
        fake.may_customize = False
        with pytest.raises(StopError, match="INSUFFICIENT_ACCESS") as stopped:
            connector.setup(FIELDS)
        assert stopped.value.reason is StopReason.PERMISSION
        with pytest.raises(StopError, match="only fields that end in __c"):
            connector.setup([CrmField("Rating", FieldType.TEXT)])
        fake.may_customize, fake.hides_new_fields = True, True
        assert len(connector.setup(FIELDS)) == 6
        assert connector.setup(FIELDS) == []
        assert "may not see it" in connector.check(FIELDS)[0]


@pytest.mark.parametrize(
    ("found", "field", "fault"),
    [
        (described_field("X__c", "double", precision=18, updateable=False), FieldType.INTEGER, "read-only"),
        (described_field("X__c", "string", length=50), FieldType.INTEGER, "is of the type string; integer needs"),
        (described_field("X__c", "string", length=50), FieldType.TEXT, "holds 50 characters, and 80 are needed"),
        (described_field("X__c", "double", precision=2), FieldType.INTEGER, "holds 2 digits before the point"),
        (described_field("X__c", "double", precision=18), FieldType.NUMBER, "keeps no decimals"),
        (described_field("X__c", "date"), FieldType.MOMENT, "is of the type date; moment needs datetime"),
        (described_field("x__C", "double", precision=18), FieldType.INTEGER, "is written x__C in Salesforce"),
        (
            described_field("X__c", "picklist", restrictedPicklist=True, picklistValues=picklist(["A"])),
            FieldType.CHOICE,
            "does not offer B",
        ),
    ],
)
def test_a_field_that_does_not_fit_is_told_before_the_first_row(tmp_path, found, field, fault):
    """Each misfit has its own line, with object and field."""
    asked = CrmField(
        "X__c", field, length=80 if field is FieldType.TEXT else 0, choices=("A", "B") if "CHOICE" in field.name else ()
    )
    fake = FakeSalesforce(fields=[found])
    with org(fake, tmp_path, is_set_up=False, objects=["Contact"]) as connector:
        lines = connector.check([asked])
    assert len(lines) == 1
    assert lines[0].startswith("Contact.X__c: ")
    assert fault in lines[0]


def test_a_key_that_does_not_tell_records_apart_is_told(tmp_path):
    """It must be an external id and unique; records cannot be created by their Id."""
    fake = FakeSalesforce()
    fake.leads.fields[KEY] |= {"externalId": False, "unique": False}
    with org(fake, tmp_path, is_set_up=False, objects=["Lead"]) as connector:
        assert len(connector.check([])) == 2
    with org(fake, tmp_path, is_set_up=False, objects=["Lead"], key="Id") as connector:
        assert connector.check([]) == []
    with org(fake, tmp_path, is_set_up=False, objects=["Lead"], key="Id", may_create=True) as connector:
        assert connector.check([]) == ["Lead.Id: no record can be created by its Id"]


def test_records_can_be_told_apart_by_their_id(tmp_path):
    """Fifteen characters or eighteen, lead or contact; what is no Id is refused without a question."""
    fake = FakeSalesforce(leads=2, contacts=1)
    ids = [fake.leads.id_of(fake.leads.records[0]), fake.leads.id_of(fake.leads.records[1])[:15]]
    contact = fake.contacts.id_of(fake.contacts.records[0])
    unknown = "00Q000999999999AAA"
    with org(fake, tmp_path, key="Id", may_create=True) as connector:
        found = outcomes(send(connector, [row(key) for key in [*ids, contact, unknown, "C-1"]]))
        assert len(connector.read([*ids, contact, unknown], [SCORE])) == 3
    assert found == dict.fromkeys([*ids, contact], "written") | {
        unknown: "rejected NOT_FOUND",
        "C-1": "rejected NO_KEY",
    }


def test_a_key_that_is_no_name_is_refused(tmp_path):
    """It would stand in every query."""
    with pytest.raises(LeadlightError, match="no name of a Salesforce field"):
        connector_to("https://acme.my.salesforce.com", tmp_path, key="Id FROM User")


def test_a_property_that_nobody_has_is_told(tmp_path):
    """It is no empty answer."""
    with org(FakeSalesforce(leads=1), tmp_path) as connector, pytest.raises(StopError, match="Nope__c"):
        connector.read(["C-1"], ["Nope__c"])


def all_changes(connector, cursor, names):
    """Return the keys of all pages of changes with what they hold, and the last cursor."""
    found = {}
    while True:
        page = connector.changes(cursor, names)
        found |= {record.key: record.fields for record in page.records}
        cursor = page.cursor
        if not page.is_more:
            return found, cursor


def test_changes_are_read_from_where_the_last_time_ended(tmp_path):
    """At first everything comes; then what was written since, though not much older than the last."""
    fake = FakeSalesforce(leads=3, contacts=1)
    with org(fake, tmp_path) as connector:
        first, cursor = all_changes(connector, "", ["Status", "Email"])
        assert list(first) == ["C-1", "C-2", "C-3", "P-1"]
        for table in fake.tables.values():
            table.seconds += 3600
        fake.leads.put(fake.leads.records[1], {"Status": "Working"})
        second, cursor = all_changes(connector, cursor, ["Status", "Email"])
        third, _ = all_changes(connector, cursor, ["Status", "Email"])
    assert second["C-2"] == third["C-2"] == {"Status": "Working", "Email": None}
    assert "C-1" in second  # within the minutes that the cursor was set back by
    assert set(third) == {"C-2", "P-1"}


def test_a_change_committed_late_is_not_missed(tmp_path):
    """It carries an earlier moment than one that was read already."""
    fake = FakeSalesforce(leads=2)
    with org(fake, tmp_path) as connector:
        for table in fake.tables.values():
            table.seconds += 7200
        fake.leads.put(fake.leads.records[0], {"Status": "Working"})
        _, cursor = all_changes(connector, "", ["Status"])
        fake.leads.put(fake.leads.records[1], {"Status": "Closed"})
        fake.leads.records[1].stamp -= 300
        found, _ = all_changes(connector, cursor, ["Status"])
    assert found["C-2"] == {"Status": "Closed"}


def test_thousands_of_changes_of_one_moment_all_come(tmp_path):
    """Paging goes on by Id where moments are the same; each record comes, and it ends."""
    fake = FakeSalesforce(leads=4_500, page=700)
    with org(fake, tmp_path, objects=["Lead"]) as connector:
        found, cursor = all_changes(connector, "", ["Status"])
        assert len(found) == 4_500
        assert json.loads(cursor)["next"] == "Lead"


def test_what_changed_at_the_contact_of_a_converted_lead_comes_under_the_leads_key(tmp_path):
    """The contact's own fields count; what only leads have comes from the lead."""
    fake = FakeSalesforce(leads=2, contacts=1)
    contact = fake.convert("C-1")
    fake.contacts.add(None)
    fake.leads.put(fake.leads.records[0], {"Status": "Closed", "Email": "old@shop.example"})
    fake.contacts.put(fake.contacts.with_id(contact), {"Email": "new@shop.example"})
    with org(fake, tmp_path) as connector:
        found, _ = all_changes(connector, "", ["Status", "Email", "IsConverted"])
    assert found["C-1"] == {"Status": "Closed", "Email": "new@shop.example", "IsConverted": "true"}
    assert set(found) == {"C-1", "C-2", "P-1"}


@pytest.mark.parametrize("cursor", ["{", "[]", '{"Lead": 3, "next": "Account"}', '{"Lead": ["soon", "x"]}'])
def test_a_cursor_of_another_kind_begins_anew(tmp_path, cursor):
    """Reading everything once more does no harm."""
    with org(FakeSalesforce(leads=2), tmp_path) as connector:
        assert len(all_changes(connector, cursor, ["Status"])[0]) == 2


def test_patience_ends(tmp_path):
    """An org that is away for long stops the run with what it said last."""
    fake, clock = FakeSalesforce(leads=1), Clock()
    with org(fake, tmp_path, clock=clock) as connector:
        fake.trouble(refused(503, "SERVER_UNAVAILABLE", "maintenance", times=10_000))
        with pytest.raises(StopError, match="maintenance") as stopped:
            send(connector, rows(1))
    assert stopped.value.reason is StopReason.NETWORK
    assert clock.now > 600


def test_nothing_secret_is_said(tmp_path):
    """Neither the connector nor its parts show the consumer secret or a token."""
    fake = FakeSalesforce(leads=1)
    with org(fake, tmp_path) as connector:
        send(connector, rows(1))
        shown = repr(connector) + repr(vars(connector)) + repr(vars(connector._api._http))
    assert CLIENT_SECRET not in shown
    assert not any(token in shown for token in fake.tokens)
