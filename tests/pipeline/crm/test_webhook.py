"""Signed batches to an address of the shop's own, over real HTTP."""

import hashlib
import hmac
import json
from datetime import UTC, datetime

import pytest

from fakes.serving import Reply, Trouble, serving
from fakes.webhook import FakeWebhook, is_genuine
from features.errors import LeadlightError
from pipeline.crm.connectors.webhook import WebhookConnector, WebhookOptions
from pipeline.crm.kinds import Surroundings, kind_of
from pipeline.crm.patience import Patience
from pipeline.crm.promise import Answer, Outcome, PassingTicket, Row
from pipeline.crm.secrets import Masked, Secrets
from pipeline.crm.trouble import BatchRefusedError, StopError, StopReason, TroubleError
from pipeline.crm.turns import NoTurns

SECRET = "webhook-s3cret"
NOW = 1_738_305_000


class Time:
    """A clock that stands still until somebody waits."""

    def __init__(self):
        self.now = 0.0
        self.pauses = []

    def sleep(self, seconds):
        """Wait, in no time."""
        self.pauses.append(seconds)
        self.now += seconds

    def unix(self):
        """Return seconds since 1970."""
        return NOW + self.now


@pytest.fixture
def time():
    """Return a clock of the test's own."""
    return Time()


@pytest.fixture
def connected(tmp_path, time):
    """Return a function that connects to a receiver."""
    opened = []

    def connect(fake=None, *, url="", environment=None, clock=None, **options):
        if not url:
            server = serving(fake)
            url = server.__enter__()
            opened.append(lambda: server.__exit__(None, None, None))
            url += "/hooks/leadlight"
        patience = Patience(most_s=100, clock=lambda: time.now, sleep=time.sleep)
        secrets = {"LEADLIGHT_WEBHOOK_SECRET": SECRET} if environment is None else environment
        around = Surroundings("nightly", "lead_id", tmp_path, tmp_path, secrets, patience)
        connector = WebhookConnector(WebhookOptions(**{"url": url, **options}), around, clock=clock or time.unix)
        opened.append(connector.close)
        return connector

    yield connect
    for close in reversed(opened):
        close()


def rows(*keys, **fields):
    """Return a row for each key."""
    return [Row(key, {"score": 72, "grade": "A", **fields}, trace=f"t-{key}") for key in keys]


def fake(time, **options):
    """Return a receiver whose clock is the test's."""
    return FakeWebhook(SECRET, clock=time.unix, **options)


def test_the_kind_is_found_by_its_name(tmp_path):
    """The config's `kind: webhook` gives this connector."""
    around = Surroundings("nightly", "lead_id", tmp_path, tmp_path, {"LEADLIGHT_WEBHOOK_SECRET": SECRET})
    kind = kind_of("webhook")
    connector = kind.connect(kind.options(url="https://example.com/hook"), around)
    assert (connector.batch_size(10**6), connector.at_once) == (500, 4)
    assert SECRET not in repr(connector)
    connector.close()


@pytest.mark.parametrize("says_nothing", [True, False])
def test_what_is_sent_is_written(connected, time, says_nothing):
    """An answer without a body means that all is written, as one that says so row by row."""
    receiver = fake(time, says_nothing=says_nothing)
    answers = connected(receiver).send(rows("a", "b", grade=None), PassingTicket())
    assert answers == [Answer("a", Outcome.WRITTEN), Answer("b", Outcome.WRITTEN)]
    assert receiver.state() == {key: {"score": 72, "grade": None} for key in "ab"}


def test_a_receiver_can_tell_who_sent_it(connected, time):
    """The signature is what ten lines of anybody's code compute from the body and the shared secret."""
    receiver = fake(time)
    connected(receiver).send(rows("a"), PassingTicket())
    (call,) = receiver.calls
    digest = hmac.new(SECRET.encode(), f"{NOW}.".encode() + call.body, hashlib.sha256).hexdigest()
    assert call.headers["Leadlight-Signature"] == f"t={NOW},v1={digest}"
    assert not is_genuine("another", call.headers["Leadlight-Signature"], call.body, now=NOW)
    assert not is_genuine(SECRET, call.headers["Leadlight-Signature"], call.body + b" ", now=NOW)
    assert not is_genuine(SECRET, call.headers["Leadlight-Signature"], call.body, now=NOW + 301)
    assert json.loads(call.body)["rows"] == [{"key": "a", "fields": {"score": 72, "grade": "A"}, "trace": "t-a"}]


def test_each_try_is_signed_anew(connected, time):
    """After a long wait the first signature would be too old."""
    receiver = fake(time)
    receiver.trouble(Trouble(Reply(503, headers={"Retry-After": "90"})))
    connected(receiver).send(rows("a"), PassingTicket())
    assert [call.headers["Leadlight-Signature"].partition(",")[0] for call in receiver.calls] == [
        f"t={NOW}",
        f"t={NOW + 90}",
    ]


def test_the_same_rows_carry_the_same_key_and_others_another(connected, time):
    """So a receiver that knows a batch does nothing twice."""
    receiver = fake(time)
    connector = connected(receiver)
    receiver.trouble(Trouble(Reply(502), is_done_first=True))
    for some in (rows("a"), rows("a"), rows("a", grade="B"), rows("b")):
        connector.send(some, PassingTicket())
    keys = [call.headers["Idempotency-Key"] for call in receiver.calls]
    assert keys[0] == keys[1] == keys[2]
    assert len(set(keys)) == 3
    assert receiver.applied == 3
    assert [json.loads(call.body)["batch"] for call in receiver.calls] == keys


def test_each_row_gets_its_own_answer_without_its_values(connected, time):
    """Written, rejected for good, and later; the receiver's words are passed on, keys and values are not."""
    receiver = fake(time, rejected_keys={"nobody@example.com"}, busy_keys={"b"})
    answers = connected(receiver).send(rows("a", "nobody@example.com", "b"), PassingTicket())
    assert answers == [
        Answer("a", Outcome.WRITTEN),
        Answer("nobody@example.com", Outcome.REJECTED, "nobody here is called …", "UNKNOWN"),
        Answer("b", Outcome.RETRY, "somebody edits it", ""),
    ]


@pytest.mark.parametrize(
    "results",
    [[], [{"key": "b", "status": "written"}], [{"key": "a"}], [{"key": ["a"], "status": "written"}],
     [{"key": "a", "status": "maybe", "error": {"no": 1}, "code": 7}]],
)  # fmt: skip
def test_a_row_that_an_answer_does_not_settle_goes_later(connected, time, results):
    """Left out, without a status, or with one that nobody knows."""
    receiver = fake(time)
    receiver.trouble(Trouble(Reply(200, {"results": results})))
    (answer,) = connected(receiver).send(rows("a"), PassingTicket())
    assert answer.outcome == Outcome.RETRY


@pytest.mark.parametrize(
    "body",
    [b"<html>log in</html>", b"ok", b"[]", b"[1]", b"7", b"null", b'{"results": {}}', b'{"results": [1]}', b"{}",
     b'{"results": null}', b'{"results": [', b"\xff\xfe", b"[" * 100_000],
)  # fmt: skip
def test_a_success_that_says_nothing_we_know_is_none(connected, time, body):
    """A page to log in wrote nothing: the same rows are sent again."""
    receiver = fake(time)
    receiver.trouble(Trouble(Reply(200, body)))
    (answer,) = connected(receiver).send(rows("a"), PassingTicket())
    assert (answer.outcome, len(receiver.calls)) == (Outcome.WRITTEN, 2)


def test_where_the_config_says_so_any_success_counts(connected, time):
    """Services such as Zapier answer in words of their own."""
    receiver = fake(time)
    receiver.trouble(Trouble(Reply(200, {"status": "success"})))
    assert connected(receiver, any_answer=True).send(rows("a"), PassingTicket()) == [Answer("a", Outcome.WRITTEN)]


@pytest.mark.parametrize(
    ("status", "reason"),
    [(401, StopReason.CREDENTIALS), (402, StopReason.QUOTA), (403, StopReason.PERMISSION), (404, StopReason.SETUP),
     (410, StopReason.SETUP), (405, StopReason.SETUP), (301, StopReason.SETUP)],
)  # fmt: skip
def test_what_no_waiting_mends_stops(connected, time, status, reason):
    """In the receiver's words, without the secret."""
    receiver = fake(time)
    receiver.trouble(Trouble(Reply(status, {"error": "no\nway"}, {"Location": "/elsewhere"})))
    with pytest.raises(StopError, match=f"answered {status}: no way") as raised:
        connected(receiver).send(rows("a"), PassingTicket())
    assert raised.value.reason == reason
    assert SECRET not in str(raised.value) + raised.value.hint


@pytest.mark.parametrize("status", [400, 422, 413])
def test_a_batch_may_be_refused_as_a_whole(connected, time, status):
    """The sender halves it."""
    receiver = fake(time)
    receiver.trouble(Trouble(Reply(status, b"<html>" + b"x" * 10_000)))
    with pytest.raises(BatchRefusedError) as raised:
        connected(receiver).send(rows("a", "b"), PassingTicket())
    assert raised.value.code == str(status)
    assert len(str(raised.value)) < 300


@pytest.mark.parametrize(
    "trouble",
    [Trouble(Reply(429, headers={"Retry-After": "7"})), Trouble(Reply(503, headers={"Retry-After": "7"}))],
    ids=["429", "503"],
)
def test_the_receivers_pause_is_kept(connected, time, trouble):
    """Never less than it asks for."""
    receiver = fake(time)
    receiver.trouble(trouble)
    connected(receiver).send(rows("a"), PassingTicket())
    assert time.pauses == [7]


@pytest.mark.parametrize(
    "trouble",
    [Trouble(Reply(status)) for status in (408, 409, 425, 500, 502, 504)] + [Trouble(cut_after=3)],
    ids=[*["408", "409", "425", "500", "502", "504"], "cut"],
)
def test_what_passes_by_itself_is_waited_out(connected, time, trouble):
    """The row is written all the same."""
    receiver = fake(time)
    receiver.trouble(trouble)
    assert connected(receiver).send(rows("a"), PassingTicket()) == [Answer("a", Outcome.WRITTEN)]


def test_a_check_is_a_signed_ping_that_writes_nothing(connected, time):
    """It finds out whether address and secret are good."""
    receiver = fake(time)
    assert connected(receiver).check(()) == []
    assert json.loads(receiver.calls[0].body) == {"target": "nightly", "ping": True}
    assert receiver.state() == {}
    receiver.secret = "changed"
    with pytest.raises(StopError, match="signature") as raised:
        connected(receiver).check(())
    assert raised.value.reason == StopReason.CREDENTIALS
    receiver.secret = SECRET
    receiver.trouble(Trouble(Reply(400, {"error": "what is a ping?"})))
    (line,) = connected(receiver).check(())
    assert "what is a ping?" in line


def test_there_is_nothing_to_set_up_finish_or_abandon(connected, time):
    """A receiver looks after itself."""
    receiver = fake(time)
    connector = connected(receiver)
    assert connector.setup(()) == []
    connector.finish()
    connector.abandon("whatever")
    assert connector.send([], PassingTicket()) == []
    assert receiver.calls == []


def test_what_is_read_are_texts(connected, time):
    """Truth values, numbers and nothing, each in the one spelling; other keys have no record."""
    receiver = fake(time)
    receiver.change("a", score=72.0, hot=True, small=1e-7, none=None, empty="", whole=5)
    names = ("score", "hot", "small", "none", "empty", "whole", "missing")
    record = connected(receiver, reads=True).read(["a", "b"], names)["a"]
    assert record.fields == {
        "score": "72", "hot": "true", "small": "0.0000001", "none": None, "empty": None, "whole": "5", "missing": None,
    }  # fmt: skip
    assert record.changed_at == datetime.fromtimestamp(NOW, tz=UTC)


def test_changes_come_page_by_page(connected, time):
    """The cursor is the receiver's own."""
    receiver = fake(time)
    connector = connected(receiver, reads=True)
    for key in "abc":
        receiver.change(key, override="hot")
    first = connector.changes("", ("override",))
    assert ([one.key for one in first.records], first.is_more) == (["a", "b"], True)
    second = connector.changes(first.cursor, ("override",))
    assert ([one.key for one in second.records], second.is_more) == (["c"], False)
    assert connector.changes(second.cursor, ("override",)).records == []


def test_a_change_is_silent_of_what_it_leaves_out(connected, time):
    """Somebody else's name at a lead takes back no hold; null does."""
    receiver = fake(time)
    connector = connected(receiver, reads=True)
    receiver.change("a", owner="Eve")
    receiver.change("b", owner="Eve", override=None)
    records = connector.changes("", ("override", "owner")).records
    assert [one.fields for one in records] == [{"owner": "Eve"}, {"owner": "Eve", "override": None}]


@pytest.mark.parametrize("body", [b"<html>", {}, {"records": "x"}, {"records": [{"key": "a"}], "cursor": "1"}])
def test_a_reading_that_makes_no_sense_is_asked_for_again(connected, time, body):
    """A page to log in is waited out, and patience ends."""
    receiver = fake(time)
    connector = connected(receiver, reads=True)
    receiver.change("a", override="hot")
    receiver.trouble(Trouble(Reply(200, body), times=4))
    assert [one.key for one in connector.changes("", ("override",)).records] == ["a"]
    assert sorted(connector.read(["a"], ("override",))) == ["a"]
    receiver.trouble(Trouble(Reply(200, body), times=10**9))
    with pytest.raises(StopError, match="not understood"):
        connector.changes("", ("override",))


def test_a_webhook_that_cannot_be_read_says_so(connected, time):
    """Undo, verify and read-back need a receiver that offers it."""
    connector = connected(fake(time))
    for call in (lambda: connector.read(["a"], ("score",)), lambda: connector.changes("", ("score",))):
        with pytest.raises(StopError, match="cannot be read") as raised:
            call()
        assert raised.value.reason == StopReason.SETUP


def test_the_address_keeps_its_slash_and_its_question(connected, time):
    """Some receivers know their callers by what follows the question mark."""
    receiver = fake(time)
    with serving(receiver) as url:
        connector = connected(url=f"{url}/hook/?code=a%20b", reads=True)
        connector.send(rows("a"), PassingTicket())
        connector.read(["a"], ("score",))
    assert [(call.path, call.query) for call in receiver.calls] == [
        ("/hook/", {"code": "a b"}),
        ("/hook/read", {"code": "a b"}),
    ]


@pytest.mark.parametrize("path", ["//hook", "/a%2Fb", "/a%3Fb/"])
def test_the_address_is_called_as_it_is_given(connected, time, path):
    """A receiver tells these paths from those that they look like."""
    receiver = fake(time)
    with serving(receiver) as url:
        connected(url=url + path).send(rows("a"), PassingTicket())
    # Python's server takes several slashes at the beginning for one, whatever came.
    assert [call.path for call in receiver.calls] == ["/" + path.lstrip("/")]


@pytest.mark.parametrize(
    "told", ["POST 7d1f-hidden/x2", "/hooks/7d1f-hidden/x2?code=an-api-key", "the code an-api-key"]
)
def test_no_part_of_a_secret_address_is_repeated(tmp_path, time, told):
    """A receiver may say which of its addresses is not there."""
    receiver, known = fake(time), Secrets()
    receiver.trouble(Trouble(Reply(404, {"message": f"No receiver at {told}."})))
    with serving(receiver) as url:
        environment = {"LEADLIGHT_WEBHOOK_SECRET": SECRET, "HOOK": f"{url}/hooks/7d1f-hidden/x2/?code=an-api-key"}
        around = Surroundings("nightly", "lead_id", tmp_path, tmp_path, environment, secrets=known)
        connector = Masked(WebhookConnector(WebhookOptions(url_env="HOOK"), around, clock=time.unix), known)
        with pytest.raises(StopError, match="No receiver at") as raised:
            connector.send(rows("a"), PassingTicket())
        connector.close()
    assert not any(part in str(raised.value) for part in ("7d1f", "api-key"))


def test_an_address_may_be_a_secret(connected, time):
    """Then the environment holds it, and nothing repeats it."""
    receiver = fake(time)
    with serving(receiver) as url:
        secrets = {"LEADLIGHT_WEBHOOK_SECRET": SECRET, "HOOK": f"{url}/hidden"}
        connector = connected(url="unused", url_env="HOOK", environment=secrets)
        receiver.trouble(Trouble(Reply(404)))
        with pytest.raises(StopError) as raised:
            connector.send(rows("a"), PassingTicket())
        assert "hidden" not in str(raised.value) + repr(connector)


@pytest.mark.parametrize(
    ("options", "environment", "why"),
    [
        ({"url": "http://crm.example.com/"}, None, "crm.example.com"),
        ({"url": "https://u:s3cret@crm.example.com/"}, None, "password"),
        ({"url": "https://crm.example.com/"}, {}, "LEADLIGHT_WEBHOOK_SECRET"),
        ({"url": "x", "url_env": "HOOK"}, {"LEADLIGHT_WEBHOOK_SECRET": SECRET}, "HOOK"),
        ({"url": "crm.example.com"}, None, "https://"),
    ],
)
def test_what_cannot_be_called_is_refused_before_any_work(connected, options, environment, why):
    """No address, plain HTTP to elsewhere, a password in it, no secret."""
    with pytest.raises(LeadlightError, match=why) as raised:
        connected(environment=environment, **options)
    assert "u:s3cret" not in str(raised.value)


def test_calls_keep_the_limit(connected, time):
    """Where the config names one, further calls wait for their turn."""
    receiver = fake(time)
    connector = connected(receiver, calls_per_s=1000)
    for key in "abc":
        connector.send(rows(key), PassingTicket())
    assert len(receiver.calls) == 3


@pytest.mark.parametrize("asked", [0.1, 0.5, 1, 1.5, 1.99, 2.5, 7.3, 100])
def test_the_limit_is_the_one_that_was_asked_for(connected, time, asked, monkeypatch):
    """A fraction of a call is never rounded to a whole one: exactly as many calls go out as the config allows."""
    limits = []
    monkeypatch.setattr(
        "pipeline.crm.connectors.webhook.SharedTurns",
        lambda _folder, _account, allowed, sleep: limits.extend(allowed) or NoTurns(),
    )
    connected(fake(time), calls_per_s=asked)
    (limit,) = limits
    assert limit.calls / limit.seconds == pytest.approx(asked)


def test_rows_that_are_asked_for_later_are_no_repetition(connected, time):
    """A receiver that answers a known key as before would else say "later" for ever; a cut call keeps its key."""
    receiver = fake(time, busy_keys={"a", "b"})
    connector = connected(receiver)
    first = connector.send(rows("a", "b"), PassingTicket())
    receiver.trouble(Trouble(Reply(502), is_done_first=True))
    second = connector.send(rows("a", "b"), PassingTicket())
    assert {answer.outcome for answer in first} == {Outcome.RETRY}
    assert {answer.outcome for answer in second} == {Outcome.WRITTEN}
    keys = [call.headers["Idempotency-Key"] for call in receiver.calls]
    assert keys[0] != keys[1] == keys[2]
    connected(receiver).send(rows("a", "b"), PassingTicket())
    assert receiver.calls[-1].headers["Idempotency-Key"] == keys[0]


@pytest.mark.parametrize("status", [400, 403, 503])
def test_words_about_a_whole_batch_hold_nothing_of_leads(connected, time, status):
    """A receiver that repeats keys, values or addresses is quoted without them, however it says no."""
    receiver = fake(time)
    error = "row ann@example.com (also bob@example.org) says 'Bought a hat', key lead-4711, is invalid"
    receiver.trouble(Trouble(Reply(status, {"error": error}), times=99))
    with pytest.raises(TroubleError) as raised:
        connected(receiver).send(rows("lead-4711", "ann@example.com", note="Bought a hat"), PassingTicket())
    assert str(raised.value) == f"The receiver answered {status}: row … (also …) says '…', key …, is invalid"
