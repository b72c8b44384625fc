"""Salesforce, or what stands before it, talks no sense: it is waited out, ends by itself, and is no traceback."""

import pytest

from fakes.salesforce import FakeSalesforce
from fakes.serving import Reply, Trouble
from pipeline.crm.connectors.salesforce.api import GARBLED
from pipeline.crm.promise import PassingTicket
from pipeline.crm.trouble import RetryError, StopError, StopReason
from support.salesforce_org import FIELDS, Clock, org, outcomes, paths, row

ALWAYS = 10**9
DEEP = b'{"records":' + b"[" * 100_000 + b"]" * 100_000 + b"}"
SAME_PAGE = {"records": [], "done": False, "nextRecordsUrl": "/services/data/v62.0/query/01g-2000"}
CALLS = {
    "changes": lambda connector: connector.changes("", ["Status"]),
    "read": lambda connector: connector.read(["C-1"], ["Status"]),
    "check": lambda connector: connector.check(FIELDS),
    "setup": lambda connector: connector.setup(FIELDS),
}


def is_question(request):
    """Return whether a call asks for records, or what an object is like."""
    return "/query" in request.path or request.path.endswith("/describe")


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
@pytest.mark.parametrize(
    "body", [b"<html>", DEEP, {"records": None}, {"records": []}], ids=["HTML", "deep", "no records", "no end"]
)
def test_a_senseless_answer_to_a_question_is_waited_out(tmp_path, call, body):
    """A page to log in comes three times, and then the answer: nobody hears of it."""
    fake, clock = FakeSalesforce(leads=1), Clock()
    with org(fake, tmp_path, clock=clock) as connector:
        expected = call(connector)
        clock.waits.clear()
        fake.trouble(Trouble(Reply(200, body), times=3, matches=is_question))
        assert call(connector) == expected
    assert len(clock.waits) >= 3


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_patience_with_senseless_answers_ends(tmp_path, call):
    """What was wrong is told, with where to look, and that the same command goes on later."""
    fake = FakeSalesforce(leads=1)
    with org(fake, tmp_path) as connector:
        fake.trouble(Trouble(Reply(200, b"<html>"), times=ALWAYS, matches=is_question))
        with pytest.raises(StopError) as stopped:
            call(connector)
    assert stopped.value.reason is StopReason.NETWORK
    assert stopped.value.words == GARBLED
    assert "base_url" in GARBLED
    assert "run the same command again" in stopped.value.hint


def test_a_page_that_names_itself_as_the_next_is_not_read_for_ever(tmp_path):
    """Each try ends where the page comes again, and patience ends the tries."""
    fake = FakeSalesforce(leads=1)
    with org(fake, tmp_path) as connector:
        fake.trouble(Trouble(Reply(200, SAME_PAGE), times=ALWAYS, matches=lambda call: "/query" in call.path))
        with pytest.raises(RetryError):
            connector.send([row("C-1")], PassingTicket())
        assert paths(fake) == ["GET /query", "GET /query/01g-2000"]
        with pytest.raises(StopError) as stopped:
            connector.changes("", ["Status"])
    assert stopped.value.reason is StopReason.NETWORK


@pytest.mark.parametrize("status", [400, 503])
def test_an_error_nested_without_end_is_judged_by_its_status(tmp_path, status):
    """What cannot be read tells nothing: a server that is away is waited for, a refusal stops."""
    fake = FakeSalesforce(leads=1)
    with org(fake, tmp_path) as connector:
        fake.trouble(Trouble(Reply(status, DEEP), matches=is_question))
        if status == 400:
            with pytest.raises(StopError, match="HTTP 400"):
                connector.changes("", ["Status"])
        else:
            assert connector.changes("", ["Status"]).records


@pytest.mark.parametrize("told", ["9" * 400 + "/1", "1/" + "9" * 400, "9" * 5000 + "/" + "9" * 5000, "5/0", "-1/x"])
def test_calls_of_the_day_that_cannot_be_meant_are_ignored(tmp_path, told):
    """No count of calls has hundreds of digits; the answer beside it counts."""
    fake = FakeSalesforce(leads=1)
    with org(fake, tmp_path) as connector:
        headers = {"Sforce-Limit-Info": f"api-usage={told}"}
        fake.trouble(Trouble(Reply(200, {"records": [], "done": True}, headers), matches=is_question))
        assert set(outcomes(connector.send([row("C-1")], PassingTicket()))) == {"C-1"}
        assert outcomes(connector.send([row("C-1")], PassingTicket())) == {"C-1": "written"}
