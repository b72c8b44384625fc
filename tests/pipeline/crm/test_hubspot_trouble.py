"""HubSpot: trouble that passes is waited out as its documents ask, and all else stops with its words."""

import threading

import httpx
import pytest

from fakes.hubspot import FakeHubSpot
from fakes.hubspot_use import FIELDS, Waits, connected
from fakes.serving import Reply, Trouble
from pipeline.crm.connectors.hubspot import KIND
from pipeline.crm.connectors.hubspot.judging import Judge
from pipeline.crm.kinds import Surroundings
from pipeline.crm.patience import Patience
from pipeline.crm.promise import Outcome, PassingTicket, Row
from pipeline.crm.trouble import RetryError, StopError, StopReason

ROWS = [Row(f"L-{n:07d}", {"firstname": f"Ann {n}"}, f"run42-{n}") for n in range(3)]
HTML = b"<html><body>502 Bad Gateway</body></html>"


def error(status, **rest):
    """Return an error of HubSpot's."""
    return Reply(status, {"status": "error", "message": "Not now.", **rest})


def sent(fake, tmp_path, waits, **options):
    """Return the outcomes of three rows."""
    with connected(fake, tmp_path, waits=waits, **options) as hubspot:
        return [answer.outcome.value for answer in hubspot.send(ROWS, PassingTicket())]


def policy(name):
    """Return a 429."""
    return Reply(
        429, {"errorType": "RATE_LIMIT", "policyName": name, "message": f"You have reached your {name} limit."}
    )


@pytest.mark.parametrize(
    ("trouble", "least_s", "most_s"),
    [
        (Trouble(policy("TEN_SECONDLY_ROLLING")), 10, 10),
        (Trouble(policy("SECONDLY")), 1, 1),
        (Trouble(Reply(429, b"", {"Retry-After": "4"})), 4, 4),
        (Trouble(Reply(429, [], {"X-HubSpot-RateLimit-Interval-Milliseconds": "7000"})), 7, 7),
        (Trouble(Reply(429, [], {"X-HubSpot-RateLimit-Interval-Milliseconds": "9" * 400})), 10, 10),
        (Trouble(Reply(429, [], {"X-HubSpot-RateLimit-Interval-Milliseconds": "-5"})), 10, 10),
        (Trouble(Reply(429, [], {"Retry-After": "9" * 400})), 10, 10),
        (Trouble(error(423)), 2, 2),
        (Trouble(Reply(423, b"", {"Retry-After": "1"})), 2, 2),
        (Trouble(Reply(477, b"", {"Retry-After": "45"})), 45, 45),
        (Trouble(error(500, category="INTERNAL_ERROR")), 0, 0.01),
        (Trouble(Reply(502, HTML)), 3, 3),
        (Trouble(Reply(503, b"")), 3, 3),
        (Trouble(Reply(504, HTML), is_done_first=True), 3, 3),
        (Trouble(Reply(200, HTML)), 0, 0.01),
        (Trouble(Reply(200, [1, 2])), 0, 0.01),
        (Trouble(Reply(200, b'{"results": [')), 0, 0.01),
        (Trouble(Reply(503, b'{"errors":' + b"[" * 100_000 + b"]" * 100_000 + b"}")), 3, 3),
        (Trouble(Reply(503, {"message": 'No: [{"a":' + "[" * 100_000})), 3, 3),
        (Trouble(cut_after=40), 0, 0.01),
        (Trouble(cut_after=0), 0, 0.01),
    ],
)
def test_trouble_that_passes_is_waited_out(trouble, least_s, most_s, tmp_path):
    """The rows are written once it has passed, after the pause that HubSpot asks for."""
    fake, waits = FakeHubSpot(contacts=3), Waits()
    fake.trouble(trouble)
    assert sent(fake, tmp_path, waits) == ["written"] * 3
    assert len(waits.seconds) == 1
    assert least_s <= waits.seconds[0] <= max(most_s, 0.05)
    assert {one.held()["firstname"] for one in fake.contacts.touched()} == {"Ann 0", "Ann 1", "Ann 2"}


@pytest.mark.parametrize("status", [423, 429, 477, 500, 502, 503, 504])
def test_a_date_to_wait_for_is_kept(status):
    """`Retry-After` may name a moment; it counts from the answer's own."""
    headers = {"Date": "Sat, 06 Apr 2024 03:00:00 GMT", "Retry-After": "Sat, 06 Apr 2024 03:00:45 GMT"}
    with pytest.raises(RetryError) as raised:
        Judge("pat-eu1-secret", "TOKEN")(httpx.Response(status, headers=headers))
    assert raised.value.after_s == 45


def test_a_slow_answer_is_not_waited_for(tmp_path):
    """The call is made again, and the same values are written."""
    fake = FakeHubSpot(contacts=3)
    fake.trouble(Trouble(delay_s=0.1))
    assert sent(fake, tmp_path, Waits(), timeout_s=0.05) == ["written"] * 3
    assert len(fake.calls) > 1


def test_a_broken_answer_may_be_sent_again(tmp_path):
    """JSON that is broken within is trouble that passes, not a traceback."""
    fake = FakeHubSpot(contacts=3)
    fake.trouble(Trouble(Reply(200, b'{"results": [}')))
    with connected(fake, tmp_path) as hubspot, pytest.raises(Exception, match="no JSON object") as raised:
        hubspot.send(ROWS, PassingTicket())
    assert type(raised.value).__name__ == "RetryError"


@pytest.mark.parametrize(
    ("reply", "reason", "hint"),
    [
        (policy("DAILY"), StopReason.QUOTA, "until midnight"),
        (error(401), StopReason.CREDENTIALS, "LEADLIGHT_HUBSPOT_TOKEN"),
        (error(403), StopReason.PERMISSION, "grant the private app"),
        (Reply(403, HTML), StopReason.PERMISSION, "grant the private app"),
        (Reply(404, HTML), StopReason.SETUP, "base_url"),
        (Reply(301, b"", {"Location": "https://elsewhere.example"}), StopReason.SETUP, "base_url"),
        (Reply(477, b"", {"Retry-After": "86400"}), StopReason.NETWORK, "run the same command again"),
    ],
)
def test_what_waiting_does_not_mend_stops(reply, reason, hint, tmp_path):
    """Nothing is tried again, and a person is told what to do."""
    fake, waits = FakeHubSpot(contacts=3), Waits()
    fake.trouble(Trouble(reply))
    with pytest.raises(StopError) as stopped:
        sent(fake, tmp_path, waits)
    assert (stopped.value.reason, waits.seconds, len(fake.calls)) == (reason, [], 1)
    assert hint in stopped.value.hint or hint in stopped.value.words


def test_the_scopes_that_are_missing_are_named(tmp_path):
    """The words are HubSpot's, and what to grant stands beside them."""
    fake = FakeHubSpot(contacts=3, missing_scopes=("crm.objects.contacts.write",))
    with pytest.raises(StopError, match="required scopes") as stopped:
        sent(fake, tmp_path, Waits())
    assert "crm.objects.contacts.write" in stopped.value.hint


def test_a_wrong_token_stops_and_is_not_repeated(tmp_path):
    """HubSpot's 401 is no matter of waiting."""
    with pytest.raises(StopError) as stopped:
        sent(FakeHubSpot(contacts=3), tmp_path, Waits(), token="pat-eu1-wrong")
    assert stopped.value.reason is StopReason.CREDENTIALS
    assert "pat-eu1-wrong" not in stopped.value.words + stopped.value.hint


def test_hubspots_own_limit_is_kept_by_waiting(tmp_path):
    """Where another app took the turns, the call waits until the window has passed."""
    waits = Waits()
    fake = FakeHubSpot(contacts=3, calls_per_10_s=1, clock=waits.clock)
    with connected(fake, tmp_path, waits=waits) as hubspot:
        for _ in range(3):
            assert [one.outcome for one in hubspot.send(ROWS, PassingTicket())] == [Outcome.WRITTEN] * 3
    assert waits.seconds == [10, 10]


def test_calls_and_searches_take_turns_of_their_own(tmp_path):
    """They are counted in files that all processes of the machine share."""
    fake = FakeHubSpot(contacts=3)
    waits = Waits()
    with connected(fake, tmp_path, waits=waits):
        pass
    assert len(list(tmp_path.glob("turns-*.db"))) == 2
    surroundings = Surroundings("sales", "leadlight_key", tmp_path, tmp_path, {"OTHER": "x"}, patience=Patience())
    KIND.connect(KIND.options(token_env="OTHER"), surroundings).close()
    assert len(list(tmp_path.glob("turns-*.db"))) == 4


def test_threads_share_one_connector(tmp_path):
    """Batches that go out at the same time are all written."""
    fake = FakeHubSpot(contacts=40, latency_s=0.02)
    rows = [Row(f"L-{n:07d}", {"firstname": str(n)}, str(n)) for n in range(40)]
    with connected(fake, tmp_path) as hubspot:
        parts = [rows[start : start + 10] for start in range(0, 40, 10)]
        threads = [threading.Thread(target=hubspot.send, args=(part, PassingTicket())) for part in parts]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert fake.most_at_once > 1
    assert len(list(fake.contacts.touched())) == 40


@pytest.mark.parametrize("body", [{}, {"results": {"a": 1}}, {"results": [3]}, b'{"results": ' + b"[" * 100_000 + b"}"])
@pytest.mark.parametrize(
    "call",
    [
        lambda hubspot: hubspot.check(FIELDS),
        lambda hubspot: hubspot.read(["L-0000000"], []),
        lambda hubspot: hubspot.changes("", []),
    ],
    ids=["settings", "contacts", "changes"],
)
def test_a_list_that_is_none_is_never_taken_for_an_empty_one(body, call, tmp_path):
    """Settings, contacts and changes that cannot be read are asked for again, and told where patience ends."""
    fake, waits = FakeHubSpot(contacts=3), Waits()
    with connected(fake, tmp_path, waits=waits) as hubspot:
        sensible = call(hubspot)
        fake.trouble(Trouble(Reply(200, body)))
        assert call(hubspot) == sensible
        assert len(waits.seconds) == 1
        fake.trouble(Trouble(Reply(200, body), times=99))
        with pytest.raises(StopError, match=r"lists no|no JSON object") as stopped:
            call(hubspot)
    assert stopped.value.reason is StopReason.NETWORK
    assert "run the same command again" in stopped.value.hint
