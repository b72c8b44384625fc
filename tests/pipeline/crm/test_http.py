"""Calls over HTTP: TLS verified, plain http only where it is safe, nothing secret said, redirects not followed."""

import ssl
import subprocess
import sys
import threading
from http.server import HTTPServer

import httpx
import pytest

from fakes.serving import Fake, Reply, Trouble, _Handler, serving
from features.errors import LeadlightError
from pipeline.crm.http import (
    FixedLogin,
    Http,
    StaleLoginError,
    UnansweredError,
    checked_url,
    place_of,
    retry_after,
    secret,
)
from pipeline.crm.patience import Patience
from pipeline.crm.trouble import StopError, StopReason

QUICK = Patience(most_s=2, first_s=0.001, longest_s=0.01, breaker_s=0.01)


class Echo(Fake):
    """Answers 200 to everything."""

    def answer(self, request):
        return Reply(200, {"path": request.path, "token": request.headers.get("Authorization", "")})

    def state(self):
        return {}


def accept(answer):
    """Find nothing wrong with an answer, but for a token that ended."""
    if answer.status_code == 401:
        raise StaleLoginError("401")
    if answer.status_code >= 300:
        raise StopError(f"HTTP {answer.status_code}", reason=StopReason.NETWORK)


@pytest.fixture
def ask():
    """Return a function that calls an address once."""
    opened = []

    def call(url, path="/", login=None):
        opened.append(Http(url, judge=accept, login=login, patience=QUICK))
        return opened[-1].ask("GET", path)

    yield call
    for one in opened:
        one.close()


def test_a_certificate_that_nobody_vouches_for_is_refused(ask, tmp_path):
    """TLS is verified: a server with a certificate of its own making is not talked to, and not waited for."""
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", certificate,
         "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"],
        check=True, capture_output=True,
    )  # fmt: skip
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server = HTTPServer(("127.0.0.1", 0), _Handler)
    server.handle_error = lambda *_: None
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        with pytest.raises(StopError) as caught:
            ask(f"https://localhost:{server.server_port}")
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
    assert caught.value.reason == StopReason.NETWORK
    assert "certificate" in caught.value.words


def test_redirects_are_not_followed(ask):
    """An answer that points elsewhere gets no second call: the token would go with it."""
    fake = Echo()
    fake.trouble(Trouble(Reply(302, {}, {"Location": "http://127.0.0.1:1/elsewhere"})))
    with serving(fake) as url, pytest.raises(StopError, match="HTTP 302"):
        ask(url, login=FixedLogin({"Authorization": "Bearer x"}))
    assert len(fake.calls) == 1


def test_a_token_that_ended_is_renewed_once_for_all():
    """A call with a dead token logs in anew and is made again; a login that cannot be renewed stops."""

    class Renewing:
        def __init__(self):
            self.tokens = ["first", "second"]

        def headers(self):
            return {"Authorization": self.tokens[0]}

        def renew(self, stale):
            if stale["Authorization"] == self.tokens[0]:
                self.tokens.pop(0)
            return True

    fake = Echo()
    fake.trouble(Trouble(Reply(401, {}), matches=lambda request: request.headers["Authorization"] == "first", times=9))
    with serving(fake) as url:
        http = Http(url, judge=accept, login=Renewing(), patience=QUICK)
        assert http.ask("GET", "/").json()["token"] == "second"
        http.close()
        fixed = Http(url, judge=accept, login=FixedLogin({"Authorization": "first"}), patience=QUICK)
        with pytest.raises(StopError) as caught:
            fixed.ask("GET", "/")
        fixed.close()
    assert caught.value.reason == StopReason.CREDENTIALS


def test_a_token_that_ends_opens_no_circuit_breaker():
    """The CRM is well: other threads need not wait for it."""
    pauses = []
    now = [0.0]

    def sleep(seconds):
        pauses.append(seconds)
        now[0] += seconds

    class Renewing:
        token = 0

        def headers(self):
            return {"Authorization": str(self.token)}

        def renew(self, stale):
            self.token = int(stale["Authorization"]) + 1
            return True

    fake = Echo()
    fake.trouble(Trouble(Reply(401, {}), times=3))
    patience = Patience(
        most_s=1_000, first_s=0.001, longest_s=0.01, breaker_after=1, breaker_s=50, clock=lambda: now[0], sleep=sleep
    )
    with serving(fake) as url:
        http = Http(url, judge=accept, login=Renewing(), patience=patience)
        assert http.ask("GET", "/").json()["token"] == "3"
        http.close()
    assert max(pauses) < 1


def test_reading_the_code_changes_nothing_of_other_packages():
    """Only whoever calls a CRM has the logs of its libraries kept quiet, and only large CSV files raise csv's limit."""
    asked = (
        "import csv, logging\n"
        "from pipeline.crm.patience import Patience\n"
        "from pipeline.crm.connectors.salesforce.job_csv import results\n"
        "from pipeline.crm.http import Http\n"
        "level = lambda: [logging.getLogger(name).level for name in ('httpx', 'httpcore')]\n"
        "before = [*level(), csv.field_size_limit()]\n"
        "Http('https://example.com', judge=print, login=None, patience=Patience()).close()\n"
        "long = b'x' * 200_000\n"
        "assert list(results(b'key,sf__Error\\n' + long + b',no\\n', 'key')) == [(long.decode(), 'no')]\n"
        "print(before, level())"
    )
    told = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "[0, 0, 131072] [30, 30]"


@pytest.mark.parametrize("cut", [0, 5])
def test_a_connection_cut_short_is_asked_again(ask, cut):
    """An answer that breaks off is asked for again."""
    fake = Echo()
    fake.trouble(Trouble(cut_after=cut))
    with serving(fake) as url:
        assert ask(url, "/here").json()["path"] == "/here"
    assert len(fake.calls) == 2


def test_an_answer_that_cannot_be_unpacked_is_waited_out(ask):
    """The next may be whole; a call that must not be made twice is not made again."""
    fake = Echo()
    spoilt = Reply(200, b"no gzip", {"Content-Encoding": "gzip"})
    fake.trouble(Trouble(spoilt, times=2))
    with serving(fake) as url:
        assert ask(url, "/here").json()["path"] == "/here"
        fake.trouble(Trouble(spoilt))
        once = Http(url, judge=accept, login=None, patience=QUICK)
        with pytest.raises(UnansweredError, match="DecodingError"):
            once.ask("POST", "/", is_repeatable=False)
        once.close()
    assert len(fake.calls) == 4


def test_nobody_there_stops_when_patience_ends(ask):
    """A port that nobody listens on is waited for, then told as a network that does not answer."""
    with pytest.raises(StopError) as caught:
        ask("http://127.0.0.1:9")
    assert caught.value.reason == StopReason.NETWORK


@pytest.mark.parametrize(
    "url", ["https://api.example.com/", "http://127.0.0.1:8080", "http://localhost", "http://[::1]:80", "http://mine"]
)
def test_addresses_that_may_be_called(url):
    """TLS, this machine itself, or a host that the config names."""
    assert checked_url(url, place="connect.base_url", allowed_hosts=["mine"]) == url.rstrip("/")


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("http://api.example.com", "http://"), ("http://127.0.0.1.example.com", "http://"), ("ftp://x", "https://"),
        ("https://user:pass@x.example", "user or a password"), ("nonsense", "https://"), ("https://", "https://"),
        ("http://2130706433", "http://"), ("https://api.example.com?x=1", "? or #"),
        ("https://api.example.com#x", "? or #"), ("https://api.example.com ", "blanks"), ("https://api .com", "blanks"),
        ("https://api.example.com:99999", "99999"), ("https://xn--9.de", "no address"),
        ("https://x/\ud800", "no address"),
    ],
)  # fmt: skip
def test_addresses_that_may_not_be_called(url, why):
    """Plain http to elsewhere, other schemes, and passwords in an address are refused, the password untold."""
    with pytest.raises(LeadlightError) as caught:
        checked_url(url, place="connect.base_url")
    assert why in str(caught.value)
    assert "connect.base_url" in str(caught.value)
    assert "pass@" not in str(caught.value)


def test_the_place_of_an_address_that_is_none_is_its_text():
    """Whatever stands in a config can be compared."""
    assert [place_of(url) for url in ("https://XN--9.de/", "https://x:y")] == ["https://xn--9.de", "https://x:y"]


def test_retry_after_is_read_where_it_is_a_number():
    """Seconds are read; dates, nonsense and endless waits are not."""
    said = {"3": 3.0, "0.5": 0.5, "": None, "Wed, 21 Oct 2026 07:28:00 GMT": None, "-1": None, "inf": None, "nan": None}
    for text, seconds in said.items():
        assert retry_after(httpx.Response(429, headers={"Retry-After": text})) == seconds


def test_retry_after_may_be_a_date():
    """It counts from the answer's own moment; without one, or in a past, there is nothing to go by, or to wait for."""
    now, later = "Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:50:17 GMT"
    for headers, seconds in (
        ({"Date": now, "Retry-After": later}, 40),
        ({"Date": now, "Retry-After": "Sun, 06 Nov 1994 08:00:00 GMT"}, 0),
        ({"Retry-After": later}, None),
        ({"Date": "today", "Retry-After": later}, None),
    ):
        assert retry_after(httpx.Response(429, headers=headers)) == seconds


def test_a_header_that_cannot_be_sent_stops_and_is_not_repeated(ask):
    """Such as a token with a blank at its end."""
    with serving(Echo()) as url, pytest.raises(StopError, match="a header") as stopped:
        ask(url, login=FixedLogin({"Authorization": "Bearer T0KEN-leaky "}))
    assert "T0KEN" not in str(stopped.value)


def test_secrets_come_from_the_environment_whole():
    """A missing secret, and one that no header can carry, are refused by the name of the variable alone."""
    assert secret({"TOKEN": " abc "}, "TOKEN", target="crm") == "abc"
    for environment in ({}, {"TOKEN": " "}, {"TOKEN": "ab\ncd"}, {"TOKEN": "żółć"}):
        with pytest.raises(LeadlightError) as caught:
            secret(environment, "TOKEN", target="crm")
        assert "TOKEN" in str(caught.value)
        assert "cd" not in str(caught.value)
