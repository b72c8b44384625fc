"""Marketo, lead by lead: each trouble that its documents name, over real HTTP."""

import json
import logging
import re
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from typer.main import get_command

from fakes.marketo import CLIENT_SECRET, FakeMarketo, done, failed
from fakes.serving import Reply, Trouble, serving
from features.errors import LeadlightError
from pipeline.cli.publishing import app
from pipeline.crm.connectors.marketo.login import MarketoLogin
from pipeline.crm.connectors.marketo.wording import words_of_row
from pipeline.crm.kinds import kind_of
from pipeline.crm.patience import Patience
from pipeline.crm.promise import Outcome, PassingTicket, Row
from pipeline.crm.trouble import BatchRefusedError, RetryError, StopError, StopReason
from support.clock import Clock, patience_by
from support.marketo_target import KEY, QUICK, SECRETS, asked, connector, outcomes, rows, talking

WRITTEN, REJECTED, RETRY = Outcome.WRITTEN, Outcome.REJECTED, Outcome.RETRY
LEADS = "/rest/v1/leads.json"
IDENTITY = "/identity/oauth/token"


def on_leads(request):
    """Return whether a call writes or reads leads."""
    return request.path == LEADS


def send(marketo, batch):
    """Send rows without a ticket that anybody keeps."""
    return marketo.send(batch, PassingTicket())


def test_the_kind_is_found_by_its_name():
    """A config that says marketo gets this connector."""
    assert kind_of("marketo").options.__name__ == "MarketoOptions"


def test_writing_twice_is_writing_once(tmp_path):
    """The second time changes nothing."""
    fake = FakeMarketo(n_leads=3)
    with talking(fake, tmp_path) as marketo:
        assert set(outcomes(send(marketo, rows(3))).values()) == {WRITTEN}
        state, log = fake.state(), len(fake.leads.log)
        send(marketo, rows(3))
        assert (fake.state(), len(fake.leads.log)) == (state, log)
        assert state["C-0"] == {"leadlight_score": 72, "leadlight_grade": "A"}


def test_a_row_that_is_refused_leaves_the_others_written(tmp_path):
    """Unknown, refused for good, locked for now: each row has its own answer, in Marketo's words."""
    fake = FakeMarketo(n_leads=3, refused={"C-1": "Access denied to partition 'EU'"}, locked={"C-2": 1})
    with talking(fake, tmp_path) as marketo:
        answers = {answer.key: answer for answer in send(marketo, rows(4))}
        assert [answers[f"C-{n}"].outcome for n in range(4)] == [WRITTEN, REJECTED, RETRY, REJECTED]
        assert (answers["C-1"].code, answers["C-1"].words) == ("1008", "Access denied to partition 'EU'")
        assert (answers["C-3"].code, answers["C-3"].words) == ("1004", "Lead not found")
        assert set(outcomes(send(marketo, rows(3)[2:])).values()) == {WRITTEN}
        assert "C-3" not in fake.state()


@pytest.mark.parametrize(
    "told",
    [
        [],
        [{}],
        [{"status": "resting"}],
        [{"status": ["updated"]}],
        [{"status": "skipped", "reasons": [{"code": ["1004"], "message": {}}]}],
        [{"status": "skipped"}],
        [{"status": "skipped", "reasons": "none"}],
        [{"status": "skipped", "reasons": [{"code": "713", "message": "Transient"}]}],
        [{"status": "updated"}, {"status": "updated"}],
    ],
)
def test_what_cannot_be_understood_of_a_row_is_sent_again(tmp_path, told):
    """Too few answers, or a word that nobody knows: no row counts as written."""
    fake = FakeMarketo(n_leads=1)
    fake.trouble(Trouble(done(told), matches=on_leads))
    with talking(fake, tmp_path) as marketo:
        assert outcomes(send(marketo, rows(1))) == {"C-0": RETRY}


@pytest.mark.parametrize(
    "reply",
    [
        *(
            failed(code, "later")
            for code in ("500", "502", "604", "606", "608", "611", "614", "615", "713", "599", "1019", "1029")
        ),
        Reply(503, b"<html>away</html>"),
        Reply(429, b"", {"Retry-After": "0"}),
        Reply(200, b"<html>Welcome to the hotel</html>"),
        Reply(200, []),
        Reply(200, {"success": "yes"}),
        Reply(200, {"success": False}),
        Reply(200, {"success": False, "errors": ["no"]}),
        Reply(200, {"success": False, "errors": [{"code": ["606"], "message": 7}]}),
        Reply(200, {"success": False, "errors": [{"message": "no code"}]}),
        Reply(200, b"[" * 100_000),
    ],
)
def test_what_passes_by_itself_is_waited_out(tmp_path, reply):
    """Rate, concurrency, a server that is away, a garbled answer: the same call again, and the row is written."""
    fake = FakeMarketo(n_leads=1)
    fake.trouble(Trouble(reply, times=2, matches=on_leads))
    with talking(fake, tmp_path) as marketo:
        assert outcomes(send(marketo, rows(1))) == {"C-0": WRITTEN}
        assert asked(fake, LEADS) == 3


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        (failed("607", "Daily quota reached"), StopReason.QUOTA),
        (failed("600", "Empty access token"), StopReason.CREDENTIALS),
        (failed("603", "Access denied"), StopReason.PERMISSION),
        (failed("610", "Requested resource not found"), StopReason.SETUP),
        (failed("1006", "Field 'x' not found"), StopReason.SETUP),
        (failed("1011", "Field 'x' not supported"), StopReason.SETUP),
        (failed("1035", "Unsupported filter type"), StopReason.LATER),
        (failed("799", "?"), StopReason.LATER),
        (Reply(401, b""), StopReason.CREDENTIALS),
        (Reply(403, b""), StopReason.PERMISSION),
        (Reply(404, b""), StopReason.SETUP),
        (Reply(302, b"", {"Location": "https://elsewhere.example"}), StopReason.SETUP),
    ],
)
def test_what_no_waiting_mends_stops(tmp_path, reply, reason):
    """Quota, credentials, permission, set-up: no row is at fault, and nothing is asked again."""
    fake = FakeMarketo(n_leads=1)
    fake.trouble(Trouble(reply, times=9, matches=on_leads))
    with talking(fake, tmp_path) as marketo:
        with pytest.raises(StopError) as raised:
            send(marketo, rows(1))
        assert raised.value.reason == reason
        assert asked(fake, LEADS) == 1


@pytest.mark.parametrize(("reply", "code"), [(Reply(413, b""), "413"), (failed("609", "Invalid JSON"), "609")])
def test_a_batch_that_is_refused_is_for_the_sender_to_halve(tmp_path, reply, code):
    """413 is about its size, 609 about something in it."""
    fake = FakeMarketo(n_leads=1)
    fake.trouble(Trouble(reply, matches=on_leads))
    with talking(fake, tmp_path) as marketo:
        with pytest.raises(BatchRefusedError) as raised:
            send(marketo, rows(1))
        assert raised.value.code == code


def test_a_token_that_ends_in_the_middle_is_renewed(tmp_path):
    """601 and 602 cost a new login each, and no row."""
    fake = FakeMarketo(n_leads=4, token_calls=2)
    fake.trouble(Trouble(failed("601", "Access token invalid"), matches=on_leads))
    with talking(fake, tmp_path) as marketo:
        for row in rows(4):
            assert outcomes(send(marketo, [row])) == {row.key: WRITTEN}
        assert asked(fake, IDENTITY) >= 3


def test_a_token_is_renewed_when_its_hour_is_over_before_it_is_refused(tmp_path):
    """The connector knows how long a token lasts."""
    fake = FakeMarketo(n_leads=1)
    hour = [0.0]
    patience = Patience(clock=lambda: hour[0], sleep=lambda _: None, first_s=0.001)
    with talking(fake, tmp_path, patience=patience) as marketo:
        send(marketo, rows(1))
        hour[0] = 3_601.0
        fake.end_token()
        send(marketo, rows(1))
    assert [call.path for call in fake.calls] == [IDENTITY, LEADS, IDENTITY, LEADS]


@pytest.mark.parametrize("lasts", ["NaN", "1e999", "-1", "9" * 400, '"long"'])
def test_a_token_lasts_no_longer_than_an_hour(tmp_path, lasts):
    """Whatever its login says."""
    now, asked = [0.0], []

    class Entrance:
        def ask(self, *_, **__):
            asked.append(now[0])
            return httpx.Response(200, content=f'{{"access_token": "t0ken", "expires_in": {lasts}}}')

    login = MarketoLogin(Entrance(), client_id="id", client_secret="secret", clock=lambda: now[0])
    login.headers()
    now[0] = 3_601.0
    login.headers()
    assert asked == [0.0, 3_601.0]


def test_a_dead_token_that_is_given_out_again_and_again_stops(tmp_path):
    """Marketo's login knows the token, its REST API does not: a person is told where to look."""
    fake = FakeMarketo(n_leads=1)
    fake.trouble(Trouble(failed("602", "Access token expired"), times=10**6, matches=on_leads))
    with talking(fake, tmp_path) as marketo:
        for asked_for in (lambda: send(marketo, rows(1)), lambda: marketo.read(["C-0"], ["leadlight_score"])):
            with pytest.raises(StopError) as raised:
                asked_for()
            assert raised.value.reason == StopReason.CREDENTIALS
            assert all(name in raised.value.hint for name in (*SECRETS, "LaunchPoint", "Users & Roles"))


@pytest.mark.parametrize(
    "reply",
    [
        Reply(503, b""),
        Reply(200, b"<html>"),
        Reply(200, {"error": "busy"}),
        Reply(200, {"error": {"code": 503}}),
        Reply(200, {"error": ["busy"]}),
    ],
)
def test_a_login_that_is_away_is_waited_for(tmp_path, reply):
    """It is asked again, as any call is."""
    fake = FakeMarketo(n_leads=1)
    fake.trouble(Trouble(reply, matches=lambda request: request.path == IDENTITY))
    with talking(fake, tmp_path) as marketo:
        assert outcomes(send(marketo, rows(1))) == {"C-0": WRITTEN}


def test_nothing_secret_is_said(tmp_path, caplog):
    """A wrong secret stops with a message without it; the token goes in a header, never in an address."""
    caplog.set_level(logging.DEBUG)
    wrong = {"LEADLIGHT_MARKETO_CLIENT_ID": "who", "LEADLIGHT_MARKETO_CLIENT_SECRET": "wr0ng-secret"}
    fake = FakeMarketo(n_leads=1)
    with talking(fake, tmp_path, environment=wrong) as marketo, pytest.raises(StopError) as raised:
        send(marketo, rows(1))
    assert raised.value.reason == StopReason.CREDENTIALS
    fake.trouble(Trouble(failed("603", f"no access for {CLIENT_SECRET} with t0ken-1:int"), matches=on_leads))
    with talking(fake, tmp_path) as marketo:
        with pytest.raises(StopError) as stopped:
            send(marketo, rows(1))
        shown = repr(marketo) + repr(marketo.login)
    told = f"{raised.value} {raised.value.hint} {stopped.value} {shown} {caplog.text}"
    assert not [secret for secret in ("wr0ng-secret", CLIENT_SECRET, "t0ken-1") if secret in told]
    assert not [call for call in fake.calls if "t0ken" in str(call.query)]


def test_a_secret_that_is_missing_is_named(tmp_path):
    """Before anything is asked."""
    with pytest.raises(LeadlightError, match="LEADLIGHT_MARKETO_CLIENT_ID"):
        connector("http://127.0.0.1:1", tmp_path, environment={})
    with pytest.raises(LeadlightError, match="http://"):
        connector("http://123-abc-456.mktorest.com", tmp_path)


def test_words_of_a_row_never_hold_its_values():
    """Marketo quotes what it refuses; a person reads the rest."""
    row = Row("ann@example.com", {"leadlight_reasons": "Bought a red hat", "leadlight_score": 72})
    said = words_of_row("Invalid value '72'. Bought a red hat for Ann <ann@example.com>. Required of 'Integer'", row)
    assert said == "Invalid value '…'. … for Ann <…>. Required of 'Integer'"


def test_many_rows_go_in_calls_of_300_records_and_1_mb(tmp_path):
    """Also where a batch is larger than a call may be."""
    fake = FakeMarketo(n_leads=700, fields={"notes": "text"})
    with talking(fake, tmp_path) as marketo:
        assert marketo.batch_size(1_000_000) == 300
        send(marketo, rows(700))
        assert [len(call.json()["input"]) for call in fake.calls if call.path == LEADS] == [300, 300, 100]
        fake.calls.clear()
        assert set(outcomes(send(marketo, rows(100, notes="é" * 5_000))).values()) == {WRITTEN}
        assert max(len(call.body) for call in fake.calls) < 1_000_000
        assert asked(fake, LEADS) > 1


def test_a_connection_cut_in_the_middle_of_an_answer_writes_once(tmp_path):
    """Where nothing is created the call is made again at once."""
    fake = FakeMarketo(n_leads=1)
    fake.trouble(Trouble(cut_after=10, matches=on_leads))
    with talking(fake, tmp_path) as marketo:
        assert outcomes(send(marketo, rows(1))) == {"C-0": WRITTEN}
        assert len(fake.state()) == 1


@pytest.mark.parametrize("trouble", [Trouble(cut_after=10, matches=on_leads), Trouble(Reply(502), matches=on_leads)])
def test_a_call_that_creates_is_not_made_again_while_it_may_still_run(tmp_path, trouble):
    """Two at once would create the lead twice, so the sender waits; then it is written once."""
    fake = FakeMarketo()
    fake.trouble(trouble)
    with talking(fake, tmp_path, may_create=True) as marketo:
        with pytest.raises(RetryError) as raised:
            send(marketo, rows(1))
        assert raised.value.after_s == pytest.approx(10 * QUICK.first_s)
        assert asked(fake, LEADS) == 1
        assert outcomes(send(marketo, rows(1))) == {"C-0": WRITTEN}
        assert sorted(fake.state()) == ["C-0"]


def test_leads_are_created_where_they_may_be_and_in_their_partition(tmp_path):
    """Else a lead that is not there is a row of its own that was refused."""
    fake = FakeMarketo()
    with talking(fake, tmp_path, may_create=True, partition="EU") as marketo:
        send(marketo, rows(2))
    body = fake.calls[-1].json()
    assert (body["action"], body["partitionName"], sorted(fake.state())) == ("createOrUpdate", "EU", ["C-0", "C-1"])


def test_marketos_own_id_is_a_number_and_creates_nothing(tmp_path):
    """A key that is no number is refused here; Marketo's description wants a number."""
    fake = FakeMarketo(n_leads=1)
    with talking(fake, tmp_path, key="id", may_create=True) as marketo:
        batch = [Row("1000", {"leadlight_score": 1}), Row("C-0", {"leadlight_score": 1})]
        assert outcomes(send(marketo, batch)) == {"1000": WRITTEN, "C-0": REJECTED}
        assert marketo.read(["1000"], ["leadlight_score"])["1000"].fields == {"leadlight_score": "1"}
    assert json.loads(next(call.body for call in fake.calls if on_leads(call)))["action"] == "updateOnly"


def test_the_days_share_of_calls_is_kept(tmp_path):
    """All integrations count, by Marketo's own count."""
    fake = FakeMarketo(n_leads=1)
    fake.made_today = 40_000
    with talking(fake, tmp_path, daily_calls=40_000) as marketo, pytest.raises(StopError) as raised:
        send(marketo, rows(1))
    assert raised.value.reason == StopReason.QUOTA
    assert asked(fake, LEADS) == 0


def test_what_is_read_is_what_leads_hold(tmp_path):
    """By key in any case; of several leads with one key, the first word of each field counts."""
    held = {"leadlight_score": 72, "leadlight_is_hot": True}
    twice = [{KEY: "C-2"}, {KEY: "c-2", "leadlight_override": "no"}, {KEY: "C-2", "leadlight_override": "yes"}]
    fake = FakeMarketo(leads=[{KEY: "C-1", **held}, *twice])
    with talking(fake, tmp_path) as marketo:
        found = marketo.read(
            ["C-1", "C-2", "C-3", "a,b"], ["leadlight_score", "leadlight_is_hot", "leadlight_override"]
        )
    assert found["C-1"].fields == {"leadlight_score": "72", "leadlight_is_hot": "true", "leadlight_override": None}
    assert found["C-2"].fields["leadlight_override"] == "no"
    assert sorted(found) == ["C-1", "C-2"]


def test_many_keys_are_asked_for_in_calls_of_300(tmp_path):
    """A question too long for an address goes in a body; more leads than keys come on more pages."""
    leads = [{KEY: "C-7", "leadlight_grade": "A"}] * 500
    fake = FakeMarketo(leads=leads, n_leads=700)
    with talking(fake, tmp_path) as marketo:
        found = marketo.read([f"C-{n}" for n in range(700)] + ["x" * 9_000], ["leadlight_grade"])
    assert len(found) == 700
    assert found["C-7"].fields == {"leadlight_grade": "A"}
    assert {call.query.get("_method") for call in fake.calls if on_leads(call)} == {None, "GET"}


def test_more_matches_than_marketo_tells_are_asked_for_in_halves(tmp_path):
    """A thousand leads with one key stop the reading of that key alone: the key is no key."""
    fake = FakeMarketo(leads=[{KEY: "C-1"}] * 600 + [{KEY: "C-2"}] * 600)
    with talking(fake, tmp_path) as marketo:
        assert sorted(marketo.read(["C-1", "C-2"], ["leadlight_grade"])) == ["C-1", "C-2"]
    fake = FakeMarketo(leads=[{KEY: "C-1"}] * 1_001)
    with talking(fake, tmp_path) as marketo, pytest.raises(StopError, match="Too many results"):
        marketo.read(["C-1"], ["leadlight_grade"])


def test_changes_are_read_on_from_where_they_were_left(tmp_path):
    """None is missed, and what comes again holds what the lead holds now."""
    fake = FakeMarketo(n_leads=1_000)
    with talking(fake, tmp_path) as marketo:
        for number in range(1_000):
            fake.leads.update(1_000 + number, {"leadlight_override": f"v{number}"})
        fake.leads.create({"email": "stranger@example.com", "leadlight_override": "yes"})
        cursor, seen, is_more = "", {}, True
        while is_more:
            page = marketo.changes(cursor, ["leadlight_override"])
            seen |= {record.key: record for record in page.records}
            cursor, is_more = page.cursor, page.is_more
        assert {key: record.fields["leadlight_override"] for key, record in seen.items()} == {
            f"C-{n}": f"v{n}" for n in range(1_000)
        }
        assert seen["C-0"].changed_at.utcoffset() == timedelta(0)
        fake.leads.update(1_000, {"leadlight_override": "late"})
        again = [record for record in marketo.changes(cursor, ["leadlight_override"]).records if record.key == "C-0"]
        assert again[0].fields == {"leadlight_override": "late"}


def test_a_cursor_that_is_refused_with_an_unknown_code_begins_anew(tmp_path):
    """Nobody knows what Marketo calls a position that it forgot."""
    fake = FakeMarketo(n_leads=1)
    fake.leads.update(1_000, {"leadlight_override": "yes"})
    fake.trouble(Trouble(failed("799", "?"), matches=lambda request: request.path.endswith("leadchanges.json")))
    with talking(fake, tmp_path) as marketo:
        page = marketo.changes('{"token": "1"}', ["leadlight_override"])
        assert [record.key for record in page.records] == ["C-0"]


@pytest.mark.parametrize("cursor", ["nonsense", "[]", '{"token": "gone"}'])
def test_a_cursor_that_marketo_no_longer_knows_begins_anew(tmp_path, cursor):
    """As far back as the log reaches."""
    fake = FakeMarketo(n_leads=1)
    fake.leads.update(1_000, {"leadlight_override": "yes"})
    with talking(fake, tmp_path) as marketo:
        assert [record.key for record in marketo.changes(cursor, ["leadlight_override"]).records] == ["C-0"]


def test_a_lead_that_is_gone_has_no_record(tmp_path):
    """The log still names it."""
    fake = FakeMarketo(n_leads=1)
    fake.leads.update(1_000, {"leadlight_override": "yes"})
    fake.leads.delete(1_000)
    with talking(fake, tmp_path) as marketo:
        assert marketo.changes("", ["leadlight_override"]).records == ()


def test_the_addresses_that_marketo_shows_work_as_they_are(tmp_path):
    """Admin > Web Services shows the REST address with /rest, and the identity's beside it."""
    fake = FakeMarketo(n_leads=1)
    with serving(fake) as url:
        marketo = connector(f"{url}/rest/", tmp_path, identity_url=f"{url}/identity")
        assert outcomes(send(marketo, rows(1))) == {"C-0": WRITTEN}
        marketo.close()


@pytest.mark.parametrize("token", ["", " ", None, 7, "two\nlines", "tökèn"])
def test_a_token_that_cannot_be_sent_is_none(tmp_path, token):
    """A login that answers with nonsense lets nobody in."""
    fake = FakeMarketo(n_leads=1)
    fake.trouble(Trouble(Reply(body={"access_token": token}), matches=lambda request: request.path == IDENTITY))
    with talking(fake, tmp_path) as marketo, pytest.raises(StopError) as raised:
        send(marketo, rows(1))
    assert raised.value.reason == StopReason.CREDENTIALS


@pytest.mark.parametrize(
    ("path", "reply"),
    [
        ("/rest/v1/activities/pagingtoken.json", done(None)),
        ("/rest/v1/activities/leadchanges.json", done([], moreResult=True)),
        ("/rest/v1/activities/leadchanges.json", done([], moreResult=True, nextPageToken="0")),
        ("/rest/v1/activities/leadchanges.json", done("x")),
        ("/rest/v1/activities/leadchanges.json", Reply(200, b"[" * 100_000)),
    ],
)
def test_a_log_that_makes_no_sense_is_asked_for_again(tmp_path, path, reply):
    """Without a position the next page cannot be asked for, and changes would be missed."""
    fake = FakeMarketo(n_leads=1)
    fake.leads.update(1_000, {"leadlight_override": "yes"})
    fake.trouble(Trouble(reply, times=2, matches=lambda request: request.path == path))
    with talking(fake, tmp_path) as marketo:
        assert [record.key for record in marketo.changes("", ["leadlight_override"]).records] == ["C-0"]


def test_a_log_that_never_makes_sense_stops_with_what_to_do(tmp_path):
    """Patience ends; what was heard before is kept."""
    fake = FakeMarketo(n_leads=1)
    fake.trouble(Trouble(done("x"), times=10**6, matches=lambda request: request.path.endswith("leadchanges.json")))
    patience = patience_by(Clock(), most_s=5)
    with talking(fake, tmp_path, patience=patience) as marketo, pytest.raises(StopError) as raised:
        marketo.changes("", ["leadlight_override"])
    assert raised.value.reason == StopReason.NETWORK
    assert raised.value.hint


def test_pages_that_come_around_again_end(tmp_path):
    """Marketo names one position for ever, or two in turn: no reading goes on without end."""
    fake = FakeMarketo(n_leads=1)
    turns = [Trouble(done([], moreResult=True, nextPageToken=token), matches=on_leads) for token in ("A", "B", "A")]
    fake.trouble(*turns)
    with talking(fake, tmp_path) as marketo:
        assert sorted(marketo.read(["C-0"], ["leadlight_grade"])) == ["C-0"]
    fake.trouble(Trouble(done([], moreResult=True, nextPageToken="A"), times=10**6, matches=on_leads))
    patience = patience_by(Clock(), most_s=5)
    with talking(fake, tmp_path, patience=patience) as marketo, pytest.raises(StopError, match="come around again"):
        marketo.read(["C-0"], ["leadlight_grade"])


def test_a_lead_whose_key_is_no_text_spoils_no_reading(tmp_path):
    """It is told as Marketo spells it; nobody's lead has such a key."""
    fake = FakeMarketo(n_leads=1)
    fake.leads.update(1_000, {"leadlight_override": "yes"})
    fake.trouble(Trouble(done([{"id": 1_000, KEY: ["x"]}]), matches=on_leads))
    with talking(fake, tmp_path) as marketo:
        assert [record.key for record in marketo.changes("", ["leadlight_override"]).records] == ['["x"]']


def test_a_change_without_a_moment_is_heard_and_one_without_a_lead_is_passed_over(tmp_path):
    """Whose lead changed counts more than when: it may be held since."""
    fake = FakeMarketo(n_leads=2)
    told = [{}, {"leadId": 1_000}, {"leadId": 1_001, "activityDate": "soon"}]
    good = {"leadId": 1_000, "activityDate": "2025-01-20T09:00:00Z+0000"}
    matches = {"matches": lambda request: request.path.endswith("leadchanges.json")}
    fake.trouble(Trouble(done([*told, good], nextPageToken="1"), **matches))
    with talking(fake, tmp_path) as marketo:
        heard = marketo.changes("", ["leadlight_override"]).records
    assert [(one.key, one.changed_at) for one in heard] == [
        ("C-1", None),
        ("C-0", datetime(2025, 1, 20, 9, tzinfo=UTC)),
    ]


@pytest.mark.parametrize("more", [{"moreResult": True}, {"nextPageToken": "1"}])
def test_pages_of_leads_are_read_to_their_end(tmp_path, more):
    """A page with more behind it that does not say where is asked for again; where it only says where, that is read."""
    fake = FakeMarketo(n_leads=2)
    first = done([{"id": 1_000, KEY: "C-0"}], **more)
    fake.trouble(Trouble(first, matches=on_leads))
    with talking(fake, tmp_path) as marketo:
        assert sorted(marketo.read(["C-0", "C-1"], ["leadlight_grade"])) == ["C-0", "C-1"]


def test_what_a_person_is_told_to_run_is_there(tmp_path):
    """A hint names a command that exists."""
    fake = FakeMarketo(n_leads=1)
    fake.trouble(Trouble(failed("610", "Requested resource not found"), matches=on_leads))
    with talking(fake, tmp_path) as marketo, pytest.raises(StopError) as raised:
        send(marketo, rows(1))
    (command,) = re.findall("`leadlight publish (--.*)`", raised.value.hint)
    assert command in {name for one in get_command(app).commands["publish"].params for name in one.opts}


@pytest.mark.parametrize("bulk_from", [1, 400])
def test_keys_that_differ_in_case_alone_write_over_nobody(tmp_path, bulk_from):
    """Marketo takes them for one lead: the second of a batch is turned away, as a file and row by row."""
    more = [Row(f"D-{n}", {"leadlight_score": 1}) for n in range(400 if bulk_from == 1 else 1)]
    batch = [Row("Ann", {"leadlight_score": 1}), Row("ANN", {"leadlight_score": 2}), *more]
    fake = FakeMarketo()
    with talking(fake, tmp_path, may_create=True, bulk_from=bulk_from) as marketo:
        answers = {answer.key: answer for answer in send(marketo, batch)}
    assert (answers["Ann"].outcome, answers["D-0"].outcome) == (WRITTEN, WRITTEN)
    assert (answers["ANN"].outcome, answers["ANN"].code) == (REJECTED, "OTHER_SPELLING")
    assert fake.state()["Ann"] == {"leadlight_score": 1}
    assert len(answers) == len(batch)
