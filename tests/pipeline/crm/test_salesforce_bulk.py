"""Salesforce by Bulk API 2.0: jobs found again by their tickets, and an answer for every row whatever befell them."""

import json
from contextlib import suppress

import pytest

from fakes.salesforce import FakeSalesforce
from fakes.salesforce_jobs import Fate
from fakes.serving import Reply, Trouble
from pipeline.crm.promise import PassingTicket
from pipeline.crm.trouble import BatchRefusedError, RetryError, StopError, StopReason
from support.salesforce_org import REASON, SCORE, Clock, named, org, outcomes, paths, row, rows

N = 300


class KilledError(Exception):
    """The process is killed here."""


class KilledAt(PassingTicket):
    """A ticket that keeps the job's name and then ends the process."""

    def keep(self, text):
        """Keep it, and be killed."""
        super().keep(text)
        raise KilledError


def is_call(method, end):
    """Return a test for calls of a method whose path ends so."""
    return lambda call: call.method == method and call.path.endswith(end)


def expected(n=N, score=72):
    """Return the state in which all rows are written."""
    return {one.key: dict(one.fields) for one in rows(n, score)}


def patch(fake, job, state):
    """Change a job's state, as an admin or an earlier process did."""
    job.begin(fake.leads) if state == "UploadComplete" else job.end(state)


def test_the_size_of_a_batch_says_how_rows_go(tmp_path):
    """Up to the threshold by calls of 200, beyond it by jobs."""
    with org(FakeSalesforce(), tmp_path, bulk_from=500, bulk_rows=1000) as connector:
        assert [connector.batch_size(n) for n in (1, 500, 501)] == [200, 200, 1000]
        assert connector.at_once == 3


def test_many_rows_go_by_one_job_and_come_back_in_any_order(tmp_path):
    """One answer for each row; refused rows of a complete job have their reasons; the job is named first."""
    fake, ticket = FakeSalesforce(leads=N), PassingTicket()
    fake.leads.locks["C-3"] = 1
    sent = [row("C-1", reason="x" * 300), row("C-2", grade="Z"), *rows(N)[2:]]
    with org(fake, tmp_path) as connector:
        told = connector.send(sent, ticket)
        found = outcomes(told)
    assert len(found) == N
    assert {key: said for key, said in found.items() if said != "written"} == {
        "C-1": "rejected STRING_TOO_LONG",
        "C-2": "rejected INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST",
        "C-3": "retry UNABLE_TO_LOCK_ROW",
    }
    words = {answer.key: answer.words for answer in told}
    assert (
        words["C-1"]
        == "STRING_TOO_LONG: Leadlight Reason: data value too large: … (max length=255):Leadlight_Reason__c"
    )
    assert [job["id"] for job in json.loads(ticket.text)["jobs"]] == list(fake.jobs)
    assert "PATCH /composite/sobjects" not in paths(fake)


def test_pauses_between_looks_grow(tmp_path):
    """A job that takes long is looked at ever less often, up to the longest pause."""
    fake, clock = FakeSalesforce(leads=N, polls=8), Clock()
    with org(fake, tmp_path, clock=clock, poll_s=2, longest_poll_s=10) as connector:
        connector.send(rows(N), PassingTicket())
    assert clock.waits == [2, 3, 4.5, 6.75, 10, 10, 10]


def test_a_job_that_takes_too_long_is_left_for_later(tmp_path):
    """The run stops; with the ticket the next one finds the same job ended."""
    fake, ticket = FakeSalesforce(leads=N, polls=50), PassingTicket()
    with org(fake, tmp_path, longest_job_s=60) as connector:
        with pytest.raises(StopError, match="still under way") as stopped:
            connector.send(rows(N), ticket)
        assert stopped.value.reason is StopReason.NETWORK
        fake.polls = 1
        assert set(outcomes(connector.send(rows(N), ticket)).values()) == {"written"}
    assert len(fake.jobs) == 1


@pytest.mark.parametrize("may_create", [False, True])
def test_leads_contacts_and_unknown_keys_each_go_their_way(tmp_path, may_create):
    """Converted leads go to their contacts by a job of their own; unknown keys make leads only where they may.

    With person accounts a lead needs no company, so that one set of fields suits leads and contacts.
    """
    fake = FakeSalesforce(leads=600, contacts=1)
    fake.leads.fields["Company"]["nillable"] = True
    for number in range(1, 251):
        fake.convert(f"C-{number}")
    sent = [named(one) for one in (*rows(600), row("P-1"), row("new"))]
    with org(fake, tmp_path, may_create=may_create) as connector:
        found = outcomes(connector.send(sent, PassingTicket()))
        assert found.pop("new") == ("written" if may_create else "rejected NOT_FOUND")
        assert set(found.values()) == {"written"}
    assert {(job.object, job.operation) for job in fake.jobs.values()} == {
        ("Lead", "upsert" if may_create else "update"),
        ("Contact", "update"),
    }
    assert fake.state() == {one.key: dict(one.fields) for one in sent if may_create or one.key != "new"}


def test_few_contacts_among_many_leads_need_no_job(tmp_path):
    """A job for three rows would take longer than a call."""
    fake = FakeSalesforce(leads=N)
    fake.convert("C-1")
    with org(fake, tmp_path) as connector:
        assert set(outcomes(connector.send(rows(N), PassingTicket())).values()) == {"written"}
    assert [job.object for job in fake.jobs.values()] == ["Lead"]
    assert fake.state() == expected()


HOSTILE = [
    'say "hi", twice',
    "two\nlines\r\nthree\rfour",
    "=SUM(A1:A9)",
    "🦊",
    "#N/A",
    "a,b;c",
    "\\N",
    "-1+1",
    "'x'",
    "\t",
]


@pytest.mark.parametrize("may_create", [False, True])
def test_text_arrives_as_it_was_through_csv(tmp_path, may_create):
    """Quotes, line breaks, formulas, emoji and even #N/A are plain text; None and nothing empty the field."""
    fake = FakeSalesforce(leads=N)
    keys = ['quo"te', "new\nline", "#N/A", "a,b", "=1+1", "O'Hara"]
    for key in keys:
        fake.leads.add(key)
    sent = [
        *[row(f"C-{number}", reason=text) for number, text in enumerate([*HOSTILE, None, ""], 1)],
        *rows(N)[len(HOSTILE) + 2 :],
        *[row(key) for key in keys],
    ]
    with org(fake, tmp_path, may_create=may_create) as connector:
        connector.send(rows(N), PassingTicket())
        assert set(outcomes(connector.send(sent, PassingTicket())).values()) == {"written"}
    state = fake.state()
    assert [state[f"C-{number}"][REASON] for number in range(1, len(HOSTILE) + 3)] == [*HOSTILE, None, None]
    assert all(state[key][SCORE] == 72 for key in keys)
    assert len(fake.leads.records) == N + len(keys)


def test_numbers_and_truth_values_go_through_csv(tmp_path):
    """A score emptied is empty, zero is zero."""
    fake = FakeSalesforce(leads=N)
    with org(fake, tmp_path) as connector:
        connector.send(rows(N), PassingTicket())
        connector.send([row("C-1", None), row("C-2", 0), *rows(N)[2:]], PassingTicket())
    state = fake.state()
    assert [state[key][SCORE] for key in ("C-1", "C-2", "C-3")] == [None, 0, 72]


def test_a_token_that_ends_on_the_way_is_renewed(tmp_path):
    """Tokens die after three calls, in the midst of the job; all rows arrive by one job."""
    fake = FakeSalesforce(leads=N, token_calls=3, polls=6)
    with org(fake, tmp_path) as connector:
        assert set(outcomes(connector.send(rows(N), PassingTicket())).values()) == {"written"}
    assert fake.state() == expected()
    assert len(fake.jobs) == 1


@pytest.mark.parametrize(
    "state", ["Open", "uploaded", "UploadComplete", "InProgress", "JobComplete", "Aborted", "Failed", "gone"]
)
@pytest.mark.parametrize("may_create", [False, True])
def test_a_killed_run_goes_on_by_its_ticket(tmp_path, state, may_create):
    """Whatever became of the job meanwhile, every row is written, and a job that did its work is not done twice."""
    fake, ticket = FakeSalesforce(leads=N, polls=3), KilledAt()
    with org(fake, tmp_path, may_create=may_create) as connector:
        if state not in {"Open", "gone"}:
            end = "/batches" if state == "uploaded" else ""
            with suppress(KilledError):
                connector.send(rows(N), KilledAfter(fake, ticket, end))
        else:
            with suppress(KilledError):
                connector.send(rows(N), ticket)
        (job,) = fake.jobs.values()
        advance(fake, job, state)
        resumed = PassingTicket(ticket.text)
        found = outcomes(connector.send(rows(N), resumed))
    assert set(found.values()) == {"written"}
    assert len(found) == N
    assert fake.state() == expected()
    is_new = state in {"Open", "uploaded", "Aborted", "Failed", "gone"}
    assert len([one for one in fake.jobs.values() if one.state == "JobComplete"]) == 1
    assert (resumed.text != ticket.text) is is_new


class KilledAfter(PassingTicket):
    """A ticket that keeps the name, and fills the job as the process did before it was killed."""

    def __init__(self, fake, kept, end):
        super().__init__()
        self.fake, self.kept, self.end = fake, kept, end

    def keep(self, text):
        """Keep it, let the rows go in, and be killed."""
        self.kept.text = text
        job = json.loads(text)["jobs"][0]
        column = job["column"]
        lines = [
            f'"{one.key if column != "Id" else self.fake.leads.id_of(self.fake.leads.with_key(one.key)[0])}",'
            f'"72","A","Bought twice"'
            for one in rows(N)
        ]
        head = f'"{column}","{SCORE}","Leadlight_Grade__c","{REASON}"'
        self.fake.jobs[job["id"]].content = "\n".join([head, *lines]).encode()
        raise KilledError


def advance(fake, job, state):
    """Bring a job to a state."""
    if state == "gone":
        fake.jobs.clear()
    if state in {"Open", "uploaded", "gone"}:
        return
    job.begin(fake.leads)
    if state == "UploadComplete":
        return
    if state in {"Aborted", "Failed"}:
        job.work(fake.leads, 20)
        job.end(state)
        return
    for _ in range({"InProgress": 1, "JobComplete": 3}[state]):
        job.look(fake.leads, 3)
    assert job.state == state


def test_rows_refused_before_a_kill_are_refused_after_it(tmp_path):
    """The job says nothing of an unknown key: it is asked for once more."""
    fake, ticket = FakeSalesforce(leads=N), PassingTicket()
    sent = [*rows(N), row("unknown")]
    with org(fake, tmp_path) as connector:
        first = outcomes(connector.send(sent, ticket))
        assert outcomes(connector.send(sent, ticket)) == first
        assert first["unknown"] == "rejected NOT_FOUND"
        fake.leads.add("unknown")
        assert outcomes(connector.send(sent, ticket))["unknown"] == "retry"
    assert len(fake.jobs) == 1


def test_a_lead_converted_during_the_job_is_still_told_of(tmp_path):
    """Its row was written while it was a lead, and the results name the lead's Id."""
    fake, ticket = FakeSalesforce(leads=N), PassingTicket()
    with org(fake, tmp_path) as connector:
        connector.send(rows(N), ticket)
        fake.convert("C-1")
        assert outcomes(connector.send(rows(N), ticket))["C-1"] == "written"


@pytest.mark.parametrize("end", ["Failed", "Aborted"])
def test_rows_that_a_job_never_came_to_go_later(tmp_path, end):
    """Those written before are written; the rest is to be tried again, with what Salesforce said."""
    fake = FakeSalesforce(leads=N)
    fake.fates = [Fate(end, rows=120)]
    with org(fake, tmp_path) as connector:
        answers = connector.send(rows(N), PassingTicket())
        said = list(outcomes(answers).values())
        assert (said.count("written"), said.count("retry")) == (120, 180)
        assert any("could not be finished" in answer.words for answer in answers)


def test_a_job_that_vanishes_leaves_its_rows_for_later(tmp_path):
    """404 in the midst of waiting: nobody knows what was written, so all may go again."""
    fake = FakeSalesforce(leads=N)
    fake.fates = [Fate("gone", rows=10)]
    with org(fake, tmp_path) as connector:
        assert set(outcomes(connector.send(rows(N), PassingTicket())).values()) == {"retry"}


def test_a_job_refused_for_its_columns_stops(tmp_path):
    """A field that is gone is nobody's row: nothing is rejected."""
    fake = FakeSalesforce(leads=N)
    with org(fake, tmp_path) as connector:
        del fake.leads.fields[SCORE]
        with pytest.raises(StopError, match=f"Field name not found : {SCORE}") as stopped:
            connector.send(rows(N), PassingTicket())
    assert stopped.value.reason is StopReason.SETUP


@pytest.mark.parametrize(
    ("method", "end"), [("POST", "/ingest"), ("PUT", "/batches"), ("PATCH", "AAA"), ("GET", "AAA"), ("GET", "Results")]
)
@pytest.mark.parametrize("is_done_first", [False, True])
def test_an_answer_that_is_lost_at_any_step_loses_no_row(tmp_path, method, end, is_done_first):
    """The call took effect or not; with its ticket the batch ends as if nothing had happened."""
    fake, ticket = FakeSalesforce(leads=N), PassingTicket()
    with org(fake, tmp_path) as connector:
        fake.trouble(Trouble(Reply(502, b"<html>"), matches=is_call(method, end), is_done_first=is_done_first))
        try:
            answers = connector.send(rows(N), ticket)
        except RetryError:
            answers = connector.send(rows(N), ticket)
    assert set(outcomes(answers).values()) == {"written"}
    assert len(answers) == N
    assert fake.state() == expected()
    assert len([job for job in fake.jobs.values() if job.state == "JobComplete"]) == 1


@pytest.mark.parametrize(
    ("method", "end", "body"),
    [
        ("POST", "/ingest", b"<html>"),
        ("POST", "/ingest", {"id": None}),
        ("GET", "AAA", {"state": "Dancing"}),
        ("GET", "AAA", {"state": ["JobComplete"]}),
        ("GET", "AAA", []),
        ("GET", "successfulResults", b"<html>\n<p>"),
        ("GET", "failedResults", b'"sf__Id","wrong"\n"x"'),
        ("POST", "/composite", {"compositeResponse": [None, None]}),
        ("POST", "/composite", {"compositeResponse": []}),
    ],
)
def test_a_senseless_answer_loses_no_row(tmp_path, method, end, body):
    """Nothing is taken for an answer that is none; the same batch ends well the next time."""
    fake, ticket = FakeSalesforce(leads=3 * N), PassingTicket()
    with org(fake, tmp_path) as connector:
        fake.trouble(Trouble(Reply(200, body), matches=is_call(method, end)))
        with pytest.raises(RetryError):
            connector.send(rows(3 * N), ticket)
        assert set(outcomes(connector.send(rows(3 * N), ticket)).values()) == {"written"}
    assert fake.state() == expected(3 * N)


def test_rows_that_the_results_do_not_name_go_later(tmp_path):
    """An empty file of results tells nothing: no row is taken for written, none for refused."""
    fake = FakeSalesforce(leads=N)
    with org(fake, tmp_path) as connector:
        fake.trouble(Trouble(Reply(200, b""), matches=is_call("GET", "successfulResults")))
        assert set(outcomes(connector.send(rows(N), PassingTicket())).values()) == {"retry"}


def test_too_many_bytes_for_a_job_are_halved(tmp_path, monkeypatch):
    """The sender hears of it before a job is made."""
    monkeypatch.setattr("pipeline.crm.connectors.salesforce.job_csv.MOST_BYTES", 1000)
    fake = FakeSalesforce(leads=N)
    with org(fake, tmp_path) as connector, pytest.raises(BatchRefusedError):
        connector.send(rows(N), PassingTicket())
    assert not fake.jobs


@pytest.mark.parametrize("state", ["Open", "UploadComplete", "InProgress", "JobComplete", "Aborted", "gone"])
def test_an_abandoned_job_writes_nothing_more(tmp_path, state):
    """It is aborted where it can be; one that has ended, or is gone, is left alone."""
    fake, ticket = FakeSalesforce(leads=N, polls=4), PassingTicket()
    with org(fake, tmp_path) as connector:
        with suppress(KilledError):
            connector.send(rows(N), KilledAfter(fake, ticket, ""))
        (job,) = fake.jobs.values()
        if state == "JobComplete":
            job.begin(fake.leads)
            for _ in range(4):
                job.look(fake.leads, 4)
        elif state == "Aborted":
            job.end("Aborted")
        else:
            advance(fake, job, state)
        connector.abandon(ticket.text)
        before = fake.state()
        for one in list(fake.jobs.values()):
            assert one.state in {"JobComplete", "Aborted"}
            for _ in range(9):
                one.look(fake.leads, 4)
        assert fake.state() == before


def test_a_job_that_cannot_be_aborted_is_waited_for(tmp_path):
    """When abandon returns it has ended, so nothing is written behind the next run's back."""
    fake, ticket = FakeSalesforce(leads=N, polls=4), PassingTicket()
    with org(fake, tmp_path) as connector:
        with suppress(KilledError):
            connector.send(rows(N), KilledAfter(fake, ticket, ""))
        (job,) = fake.jobs.values()
        job.begin(fake.leads)
        fake.trouble(Trouble(Reply(400, [{"errorCode": "INVALIDJOBSTATE"}]), matches=is_call("PATCH", "AAA")))
        connector.abandon(ticket.text)
        assert job.state == "JobComplete"


@pytest.mark.parametrize("text", ["", "nonsense", "[]", '{"jobs": [{"id": 1}]}'])
def test_a_ticket_of_another_hand_is_none(tmp_path, text):
    """Rows are sent as if there were no ticket, and nothing is there to be abandoned."""
    fake = FakeSalesforce(leads=N)
    with org(fake, tmp_path) as connector:
        connector.abandon(text)
        assert set(outcomes(connector.send(rows(N), PassingTicket(text))).values()) == {"written"}


def test_one_of_two_jobs_that_was_done_is_not_done_again(tmp_path):
    """Leads were written when the contacts' job failed: only the contacts go again, under a ticket of both."""
    fake, ticket = FakeSalesforce(leads=600), PassingTicket()
    for number in range(1, 301):
        fake.convert(f"C-{number}")
    with org(fake, tmp_path) as connector:
        fake.trouble(Trouble(Reply(200, b"<html>"), matches=is_call("GET", "failedResults")))
        with pytest.raises(RetryError):
            connector.send(rows(600), ticket)
        contacts = next(job for job in fake.jobs.values() if job.object == "Contact")
        contacts.end("Failed")
        assert set(outcomes(connector.send(rows(600), ticket)).values()) == {"written"}
    assert [job.object for job in fake.jobs.values()].count("Lead") == 1
    assert len(json.loads(ticket.text)["jobs"]) == 2
    assert fake.state() == expected(600)
