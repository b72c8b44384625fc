"""Marketo, by imported files: jobs that outlive a process, failures in another order, what a file cannot say."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fakes.marketo import FakeMarketo, done, failed
from fakes.serving import Reply, Trouble
from pipeline.crm.connectors.marketo.lead_file import fits, lead_files, told_rows
from pipeline.crm.patience import Patience
from pipeline.crm.promise import Outcome, PassingTicket, Row
from pipeline.crm.trouble import BatchRefusedError, RetryError, StopError, StopReason
from support.clock import Clock, patience_by
from support.marketo_target import KEY, asked, outcomes, rows, talking

WRITTEN, REJECTED = Outcome.WRITTEN, Outcome.REJECTED
UPLOAD, LEADS = "/bulk/v1/leads.json", "/rest/v1/leads.json"


def uploads(request):
    """Return whether a call uploads a file."""
    return request.path == UPLOAD


def looks(request):
    """Return whether a call asks how far an import is."""
    return request.path.startswith("/bulk/v1/leads/batch/") and request.path.count("/") == 5


def test_many_rows_go_as_a_file_where_leads_may_be_created(tmp_path):
    """Else an import could create what must not be created, and rows go in calls of 300."""
    with talking(FakeMarketo(), tmp_path, bulk_from=3_000, file_rows=20_000) as marketo:
        assert (marketo.batch_size(3_000), marketo.batch_size(2_999)) == (300, 300)
    with talking(FakeMarketo(), tmp_path, may_create=True, bulk_from=3_000, file_rows=20_000) as marketo:
        assert (marketo.batch_size(3_000), marketo.batch_size(2_999)) == (20_000, 300)
    fake = FakeMarketo(n_leads=400)
    with talking(fake, tmp_path, may_create=True) as marketo:
        assert set(outcomes(marketo.send(rows(500), PassingTicket())).values()) == {WRITTEN}
    assert (asked(fake, UPLOAD), asked(fake, LEADS), len(fake.state())) == (1, 0, 500)


def test_the_last_few_rows_go_one_by_one(tmp_path):
    """A file for a handful would only cost time."""
    fake = FakeMarketo()
    with talking(fake, tmp_path, may_create=True) as marketo:
        marketo.send(rows(300), PassingTicket())
    assert (asked(fake, UPLOAD), asked(fake, LEADS)) == (0, 1)


def test_by_marketos_own_id_files_update_and_create_nothing(tmp_path):
    """That is the one import that is safe without leave to create."""
    fake = FakeMarketo(n_leads=400)
    batch = [Row(str(1_000 + n), {"leadlight_score": n}) for n in range(402)]
    with talking(fake, tmp_path, key="id") as marketo:
        told = outcomes(marketo.send(batch, PassingTicket()))
    assert [key for key, outcome in told.items() if outcome is REJECTED] == ["1400", "1401"]
    assert (asked(fake, UPLOAD), len(fake.state())) == (1, 400)


def test_failures_in_another_order_find_their_rows(tmp_path):
    """Each row has its own answer, in the words of the file; what was warned of is written, with the warning."""
    refused = {f"C-{n}": f"Access denied to partition 'P{n}', \"closed\"" for n in range(0, 400, 7)}
    fake = FakeMarketo(refused=refused)
    fake.imports.warns["C-1"] = "Email is odd"
    with talking(fake, tmp_path, may_create=True) as marketo:
        answers = {answer.key: answer for answer in marketo.send(rows(400), PassingTicket())}
    assert {key for key, answer in answers.items() if answer.outcome is REJECTED} == set(refused)
    assert answers["C-7"].words == refused["C-7"]
    assert (answers["C-1"].outcome, answers["C-1"].words) == (WRITTEN, "Email is odd")
    assert len(answers) == 400


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "NULL",
        "null",
        None,
        "two\nlines",
        "back\\slash",
        " ahead",
        "behind ",
        "\ttab",
        "nul\0l",
        "\ud800",
        "\u2028",
    ],
)
def test_what_a_file_cannot_say_for_sure_is_said_in_json(tmp_path, text):
    """An empty cell would leave the field alone, and NULL would empty it: those rows go one by one."""
    fake = FakeMarketo(leads=[{KEY: "C-0", "leadlight_reasons": "former"}])
    batch = [*rows(1, leadlight_reasons=text), *rows(400, leadlight_reasons="plain")[1:]]
    with talking(fake, tmp_path, may_create=True) as marketo:
        assert set(outcomes(marketo.send(batch, PassingTicket())).values()) == {WRITTEN}
    assert fake.leads.by_id[1_000]["leadlight_reasons"] == text
    assert [len(call.json()["input"]) for call in fake.calls if call.path == LEADS] == [1]


@given(st.lists(st.tuples(st.text(min_size=1, max_size=8), st.text(max_size=20)), unique_by=lambda pair: pair[0]))
def test_what_fits_a_file_comes_out_of_it_as_it_went_in(pairs):
    """Commas, quotation marks and any script survive."""
    batch = [row for row in (Row(key, {"text": text}) for key, text in pairs) if fits(row)]
    told = {}
    for file in lead_files(batch, KEY, most_bytes=60):
        told |= told_rows(file.content, KEY)
    assert told == {row.key: row.fields["text"] for row in batch}


def test_hostile_text_arrives_as_it_is(tmp_path):
    """Formulas, markup, quotation marks, commas, emoji."""
    hostile = '=1+1,"</script>", \'; DROP TABLE leads; -- 🙂 ąęł'
    fake = FakeMarketo()
    with talking(fake, tmp_path, may_create=True) as marketo:
        marketo.send(rows(400, leadlight_reasons=hostile), PassingTicket())
    assert {lead["leadlight_reasons"] for lead in fake.state().values()} == {hostile}


def test_a_file_stays_under_ten_megabytes(tmp_path):
    """A batch of long texts goes as several files, one after the other, all named in the ticket."""
    fake = FakeMarketo(fields={"notes": "text"}, import_looks=1)
    ticket = PassingTicket()
    with talking(fake, tmp_path, may_create=True, is_described=False) as marketo:
        told = marketo.send(rows(700, notes="x" * 29_000), ticket)
    assert set(outcomes(told).values()) == {WRITTEN}
    sizes = [len(call.body) for call in fake.calls if uploads(call)]
    assert len(sizes) == 3
    assert max(sizes) < 10_000_000
    assert [one["job"] for one in json.loads(ticket.text)] == ["3400", "3401", "3402"]


def test_a_job_that_was_named_is_waited_for_and_not_sent_again(tmp_path):
    """Killed after the upload and started again: the same answers, in whatever order the rows come."""
    fake = FakeMarketo(refused={"C-3": "no"})
    ticket = PassingTicket()
    fake.trouble(Trouble(failed("607", "Daily quota reached"), matches=looks))
    with talking(fake, tmp_path, may_create=True) as marketo:
        with pytest.raises(StopError):
            marketo.send(rows(400), ticket)
        told = outcomes(marketo.send(rows(400)[::-1], ticket))
    assert (asked(fake, UPLOAD), list(told.values()).count(WRITTEN), told["C-3"]) == (1, 399, REJECTED)


@pytest.mark.parametrize("trouble", [Trouble(cut_after=5, matches=uploads), Trouble(Reply(502), matches=uploads)])
def test_an_upload_whose_name_was_lost_is_let_end_before_the_next(tmp_path, trouble):
    """Two imports at once would create each lead twice; the ticket remembers that one was begun."""
    fake = FakeMarketo(import_s=0.0)
    fake.trouble(trouble)
    slept = []

    def sleep(seconds):
        slept.append(seconds)
        if seconds > 1:
            fake.imports.end_all()

    patience = Patience(first_s=0.001, longest_s=0.002, sleep=sleep)
    ticket = PassingTicket()
    with talking(fake, tmp_path, may_create=True, settle_s=120, patience=patience) as marketo:
        with pytest.raises(RetryError):
            marketo.send(rows(400), ticket)
        assert json.loads(ticket.text)[0]["job"] == ""
        assert set(outcomes(marketo.send(rows(400), ticket)).values()) == {WRITTEN}
    assert max(slept) == pytest.approx(120, abs=5)
    assert len(fake.state()) == 400


def test_a_lost_upload_of_long_ago_is_not_waited_for(tmp_path):
    """Whatever it was has ended, also where this machine's clock was set back since."""
    slept = []
    patience = Patience(first_s=0.001, sleep=slept.append)
    now = datetime.now(UTC)
    for begun, waits in ((now - timedelta(days=1), False), (now + timedelta(days=1), True)):
        slept.clear()
        text = json.dumps([{"file": "0", "begun": begun.isoformat(), "job": ""}])
        with talking(FakeMarketo(), tmp_path, may_create=True, settle_s=60, patience=patience) as marketo:
            marketo.abandon(text)
        assert slept == ([60] if waits else [])


@pytest.mark.parametrize(
    "text", ["", "12", "{", "[1]", '[{"file": 1}]', '[{"file": "0", "begun": "2025-01-01", "job": ""}]']
)
def test_a_ticket_that_cannot_be_read_is_none(tmp_path, text):
    """The rows are sent anew."""
    fake = FakeMarketo()
    with talking(fake, tmp_path, may_create=True) as marketo:
        assert set(outcomes(marketo.send(rows(400), PassingTicket(text))).values()) == {WRITTEN}


NOT_FOUND = [failed("1013", "Object not found"), failed("610", "Not found"), done([])]


def kept_ticket(fake, state):
    """Return the ticket of an import that an earlier run made."""
    ticket = PassingTicket()
    with talking(fake, state, may_create=True) as marketo:
        marketo.send(rows(400), ticket)
    return ticket


@pytest.mark.parametrize("gone", NOT_FOUND)
def test_a_job_that_was_just_made_is_there_though_a_look_does_not_find_it(tmp_path, gone):
    """Taken for gone while it runs, its leads would be created twice."""
    fake = FakeMarketo()
    fake.trouble(Trouble(gone, times=3, matches=looks))
    with talking(fake, tmp_path, may_create=True) as marketo:
        assert set(outcomes(marketo.send(rows(400), PassingTicket())).values()) == {WRITTEN}
    assert (asked(fake, UPLOAD), asked(fake, LEADS), len(fake.state())) == (1, 0, 400)


@pytest.mark.parametrize("is_resumed", [False, True])
def test_a_job_that_was_there_and_is_never_found_again_is_left_to_the_next_run(tmp_path, is_resumed):
    """Nothing is sent in its place, neither at once nor where the same batch comes again."""
    fake = FakeMarketo()
    ticket = kept_ticket(fake, tmp_path) if is_resumed else PassingTicket()
    seen = done([{"batchId": 3_400, "status": "Importing"}])
    fake.trouble(Trouble(seen, times=is_resumed, matches=looks), Trouble(NOT_FOUND[0], times=10**6, matches=looks))
    with talking(fake, tmp_path, may_create=True, poll_s=5, patience=patience_by(Clock())) as marketo:
        for _ in range(2):
            with pytest.raises(StopError, match="does not find the import 3400") as raised:
                marketo.send(rows(400), ticket)
    assert raised.value.reason == StopReason.NETWORK
    assert raised.value.hint
    assert json.loads(ticket.text)[0]["job"] == "3400"
    assert (asked(fake, UPLOAD), asked(fake, LEADS)) == (1, 0)


@pytest.mark.parametrize("gone", NOT_FOUND)
@pytest.mark.parametrize("patience_s", [100, 0.4])
def test_a_job_of_an_earlier_run_that_marketo_forgot_is_sent_anew(tmp_path, gone, patience_s):
    """Marketo knows an import for seven days; it is looked for as long as imports are let settle, whatever patience."""
    fake = FakeMarketo()
    ticket = kept_ticket(fake, tmp_path)
    fake.calls.clear()
    fake.trouble(Trouble(gone, times=10**6, matches=lambda asked: asked.path.endswith("/3400.json")))
    waits = patience_by(Clock(), most_s=patience_s)
    with talking(fake, tmp_path, may_create=True, settle_s=1, poll_s=0.5, patience=waits) as marketo:
        assert set(outcomes(marketo.send(rows(400), ticket)).values()) == {WRITTEN}
    assert (asked(fake, UPLOAD), len(fake.state())) == (1, 400)
    assert asked(fake, "/bulk/v1/leads/batch/3400.json") == 3


def test_a_job_of_an_earlier_run_that_one_look_does_not_find_is_not_sent_anew(tmp_path):
    """It may still run."""
    fake = FakeMarketo()
    ticket = kept_ticket(fake, tmp_path)
    fake.trouble(Trouble(NOT_FOUND[0], times=2, matches=looks))
    with talking(fake, tmp_path, may_create=True, settle_s=60, patience=patience_by(Clock())) as marketo:
        assert set(outcomes(marketo.send(rows(400), ticket)).values()) == {WRITTEN}
    assert (asked(fake, UPLOAD), asked(fake, LEADS)) == (1, 0)


def test_a_job_of_other_rows_is_let_end_first(tmp_path):
    """Its old values must not overtake the new ones."""
    fake = FakeMarketo(import_looks=3)
    ticket = PassingTicket()
    fake.trouble(Trouble(failed("607", "quota"), matches=looks))
    with talking(fake, tmp_path, may_create=True) as marketo:
        with pytest.raises(StopError):
            marketo.send(rows(400, leadlight_score=1), ticket)
        marketo.send(rows(400, leadlight_score=2), ticket)
    assert {lead["leadlight_score"] for lead in fake.state().values()} == {2}
    assert len(fake.state()) == 400


def test_a_job_that_is_given_up_has_ended(tmp_path):
    """Marketo cannot be told to stop, so the connector waits."""
    fake = FakeMarketo(import_looks=3)
    ticket = PassingTicket()
    fake.trouble(Trouble(failed("607", "quota"), matches=looks))
    with talking(fake, tmp_path, may_create=True) as marketo:
        with pytest.raises(StopError):
            marketo.send(rows(400), ticket)
        marketo.abandon(ticket.text)
        assert fake.imports.open() == []


def test_a_job_that_failed_is_done_row_by_row(tmp_path):
    """So each row has an answer that can be trusted."""
    fake = FakeMarketo(refused={"C-3": "no"})
    fake.imports.fails_next = 1
    with talking(fake, tmp_path, may_create=True) as marketo:
        told = outcomes(marketo.send(rows(400), PassingTicket()))
    assert (asked(fake, LEADS), told["C-3"], list(told.values()).count(WRITTEN)) == (2, REJECTED, 399)


@pytest.mark.parametrize(
    "state",
    [
        {"status": "Complete", "numOfLeadsProcessed": 399, "numOfRowsFailed": 0},
        {"status": "Complete", "numOfLeadsProcessed": 398, "numOfRowsFailed": 2},
        {"status": "Complete"},
    ],
)
def test_counts_that_do_not_add_up_are_not_believed(tmp_path, state):
    """What no file vouches for is sent row by row."""
    fake = FakeMarketo()
    fake.trouble(Trouble(done([{"batchId": 3_400, **state}]), matches=looks))
    with talking(fake, tmp_path, may_create=True) as marketo:
        assert set(outcomes(marketo.send(rows(400), PassingTicket())).values()) == {WRITTEN}
        fake.imports.end_all()
    assert asked(fake, LEADS) == 2


def test_a_list_of_failures_that_is_none_is_asked_for_again_later(tmp_path):
    """A page in its place says nothing of any row; the job is known, so nothing is uploaded twice."""
    fake = FakeMarketo(refused={"C-3": "no"})
    fake.trouble(Trouble(Reply(200, b"<html>hello</html>"), matches=lambda asked: asked.path.endswith("failures.json")))
    ticket = PassingTicket()
    with talking(fake, tmp_path, may_create=True) as marketo:
        with pytest.raises(RetryError):
            marketo.send(rows(400), ticket)
        told = outcomes(marketo.send(rows(400), ticket))
    assert (asked(fake, UPLOAD), told["C-3"]) == (1, REJECTED)


def test_a_full_queue_is_waited_for(tmp_path):
    """1016: others import too."""
    fake = FakeMarketo()
    fake.trouble(Trouble(failed("1016", "Too many imports"), times=3, matches=uploads))
    with talking(fake, tmp_path, may_create=True) as marketo:
        assert set(outcomes(marketo.send(rows(400), PassingTicket())).values()) == {WRITTEN}
    assert asked(fake, UPLOAD) == 4


def test_a_token_that_ends_while_a_job_runs_is_renewed(tmp_path):
    """The upload is not made twice for it."""
    fake = FakeMarketo(token_calls=1, import_looks=4)
    with talking(fake, tmp_path, may_create=True) as marketo:
        assert set(outcomes(marketo.send(rows(400), PassingTicket())).values()) == {WRITTEN}
    assert len(fake.imports.jobs) == 1


def test_a_file_that_is_too_large_is_for_the_sender_to_halve(tmp_path):
    """413 is no row's fault."""
    fake = FakeMarketo()
    fake.trouble(Trouble(Reply(413, b""), matches=uploads))
    with talking(fake, tmp_path, may_create=True) as marketo, pytest.raises(BatchRefusedError):
        marketo.send(rows(400), PassingTicket())


def test_an_import_that_never_ends_is_left_to_the_next_run(tmp_path):
    """Its name is kept."""
    fake = FakeMarketo(import_looks=10_000)
    ticket = PassingTicket()
    with talking(fake, tmp_path, may_create=True, import_most_s=0.05) as marketo, pytest.raises(StopError) as raised:
        marketo.send(rows(400), ticket)
    assert raised.value.reason == StopReason.NETWORK
    assert json.loads(ticket.text)[0]["job"] == "3400"


def test_a_ticket_of_before_files_were_given_up_is_waited_for(tmp_path):
    """The config no longer lets leads be created; the import that runs must end before rows are written otherwise."""
    fake = FakeMarketo(n_leads=400, import_looks=3)
    ticket = PassingTicket()
    fake.trouble(Trouble(failed("607", "quota"), matches=looks))
    with talking(fake, tmp_path, may_create=True) as marketo, pytest.raises(StopError):
        marketo.send(rows(400, leadlight_score=1), ticket)
    with talking(fake, tmp_path) as marketo:
        marketo.send(rows(400, leadlight_score=2), ticket)
    assert {lead["leadlight_score"] for lead in fake.state().values()} == {2}
