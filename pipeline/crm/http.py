"""Calls to a CRM over HTTP: turns taken, trouble waited out, tokens renewed, nothing secret said aloud.

TLS is always verified. Plain ``http://`` goes to this machine itself, and elsewhere only to hosts that the config
names. Redirects are not followed: they would carry the token to whatever address an answer names.
"""

from __future__ import annotations

import logging
import re
import ssl
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Final, Protocol

import httpx

from features.errors import LeadlightError, wrong_input
from pipeline.crm.patience import Breaker, Patience, patiently
from pipeline.crm.secrets import Secrets
from pipeline.crm.trouble import RetryError, StopError, StopReason, TroubleError
from pipeline.crm.turns import NoTurns, Turns
from pipeline.loopback import is_loopback

TIMEOUT_S: Final = 60.0
_SECONDS: Final = re.compile(r"\d{1,9}(\.\d{1,9})?", re.ASCII)
_NEVER_LEFT: Final = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)


class StaleLoginError(RetryError):
    """The CRM no longer knows the token that a call carried; it is well, so no circuit breaker opens.

    Args:
        words: What was said.
    """

    def __init__(self, words: str) -> None:
        super().__init__(words, is_turned_away=True)


class UnansweredError(TroubleError):
    """A call that must not be made twice went out, and nobody knows whether it took effect."""


class Login(Protocol):
    """Who calls."""

    def headers(self) -> Mapping[str, str]:
        """Return what a call carries to be let in; the first call may log in."""

    def renew(self, stale: Mapping[str, str]) -> bool:
        """Log in anew, unless another thread did since *stale* was handed out; False = there is no way to."""


@dataclass(frozen=True)
class FixedLogin:
    """A token that does not end.

    Args:
        token_headers: What every call carries.
    """

    token_headers: Mapping[str, str]

    def headers(self) -> Mapping[str, str]:
        """Return the headers."""
        return self.token_headers

    def renew(self, stale: Mapping[str, str]) -> bool:  # noqa: ARG002 - the protocol's
        """Return False: nothing can be renewed."""
        return False

    def __repr__(self) -> str:
        """Name no secret."""
        return "FixedLogin(…)"


class Http:
    """One CRM over HTTP; one object serves all threads.

    Args:
        base_url: Where the CRM answers (`checked_url`); paths are appended.
        judge: Raises one of `pipeline.crm.trouble` for an answer that is none, `StaleLoginError` for a dead token.
        login: Who calls; None = the calls that log in.
        patience: How long trouble is waited out.
        turns: The client's side of the rate limit.
        secrets: Takes what calls carry to be let in: no words may repeat it.
        timeout_s: Seconds without a byte after which a call is cut short.
    """

    def __init__(
        self,
        base_url: str,
        *,
        judge: Callable[[httpx.Response], None],
        login: Login | None,
        patience: Patience,
        turns: Turns | None = None,
        secrets: Secrets | None = None,
        timeout_s: float = TIMEOUT_S,
    ) -> None:
        self._judge, self._login, self._patience = judge, login, patience
        self._turns = turns or NoTurns()
        self._secrets = secrets or Secrets()
        self._breaker = Breaker(patience)
        _quieten()
        self._client = httpx.Client(
            base_url=base_url,
            timeout=timeout_s,
            headers={"User-Agent": "leadlight", "Accept": "application/json"},
            follow_redirects=False,
            limits=httpx.Limits(max_connections=None, max_keepalive_connections=20),
        )

    def ask(  # noqa: PLR0913 - those of an HTTP request
        self,
        method: str,
        path: str,
        *,
        json: Any = None,  # noqa: ANN401 - whatever JSON holds
        content: bytes | None = None,
        data: Mapping[str, str] | None = None,
        files: Mapping[str, tuple[str, bytes, str]] | None = None,
        params: Mapping[str, str | int] | None = None,
        headers: Mapping[str, str] | Callable[[], Mapping[str, str]] | None = None,
        is_repeatable: bool = True,
    ) -> httpx.Response:
        """Return the answer to a call.

        A call is made again as long as patience lasts, unless *is_repeatable* is False and it may have taken effect: a
        call that never left, or that the CRM turned away, is made again in any case. Each try asks
        *headers* anew where it is a function: a signature of the moment would not outlive the wait.

        Raises:
            StopError, BatchRefusedError: As `judge` finds, or where patience ends.
            UnansweredError: It may have taken effect, and may not be made twice.
        """

        def once() -> httpx.Response:
            self._turns.take()
            carried = {} if self._login is None else self._login.headers()
            for value in carried.values():
                self._secrets.add(value.removeprefix("Bearer "))
            sent = {**((headers() if callable(headers) else headers) or {}), **carried}
            try:
                answer = self._client.request(
                    method, path, json=json, content=content, data=data, files=files, params=params, headers=sent
                )
            except (httpx.TransportError, httpx.DecodingError) as error:
                trouble = _transport_trouble(error)
                if is_repeatable or isinstance(trouble, StopError) or isinstance(error, _NEVER_LEFT):
                    raise trouble from error
                raise UnansweredError(trouble.words) from error
            except httpx.InvalidURL as error:
                raise StopError(f"The address cannot be called: {error}", reason=StopReason.NETWORK) from error
            try:
                self._judge(answer)
            except StaleLoginError as error:
                if self._login is None or not self._login.renew(carried):
                    raise StopError(error.words, reason=StopReason.CREDENTIALS) from error
                raise
            except RetryError as error:
                if is_repeatable or error.is_turned_away:
                    raise
                raise UnansweredError(error.words) from error
            return answer

        return patiently(once, self._patience, self._breaker)

    def close(self) -> None:
        """Close the connections."""
        self._client.close()
        self._turns.close()


def _quieten() -> None:
    """Let the libraries below write no whole addresses, secrets of a login included, as they do at INFO."""
    for name in ("httpx", "httpcore"):
        logger = logging.getLogger(name)
        logger.setLevel(max(logger.level, logging.WARNING))


def _transport_trouble(error: httpx.TransportError | httpx.DecodingError) -> RetryError | StopError:
    """Return a connection's failure: one that no waiting mends stops; texts of the library name hosts, no secrets."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return StopError(f"Its certificate is not trusted: {cause.verify_message}", reason=StopReason.NETWORK)
        cause = cause.__cause__ or cause.__context__
    if isinstance(error, httpx.UnsupportedProtocol):
        return StopError(str(error), reason=StopReason.NETWORK)
    if isinstance(error, httpx.LocalProtocolError):
        # The library's words repeat the header at fault, which may be the token.
        words = "A call cannot be made: a header, such as that of the token, holds what no header can."
        return StopError(words, reason=StopReason.NETWORK)
    return RetryError(f"{type(error).__name__}: {error}".rstrip(": "))


def checked_url(url: str, *, place: str, allowed_hosts: Collection[str] = (), is_whole: bool = False) -> str:
    """Return *url* without a trailing slash, where it may be called.

    Args:
        url: The address.
        place: Where it was given, for the message.
        allowed_hosts: Hosts that may be called without TLS.
        is_whole: Whether nothing is appended to it, so that it may have a query.

    Raises:
        LeadlightError: No address, one with a password, with a query that paths would get lost in, or plain http:// to
            a host that is not allowed.
    """
    try:
        parsed = httpx.URL(url)
        host = parsed.host
    except (httpx.InvalidURL, UnicodeError) as error:  # a UnicodeError: a host that looks like letters of its own
        raise _refused_url(place, f"it is no address: {error}") from error
    if parsed.scheme not in {"http", "https"} or not host:
        raise _refused_url(place, "it is no address that begins with https://")
    if parsed.userinfo:
        raise _refused_url(place, "it holds a user or a password")
    if any(sign.isspace() for sign in url):
        raise _refused_url(place, "it has blanks")
    if not is_whole and (parsed.query or parsed.fragment):
        raise _refused_url(place, "it has something behind ? or #, and paths are appended to it")
    if parsed.port is not None and not 0 < parsed.port < 2**16:
        raise _refused_url(place, f"there is no port {parsed.port}")
    if parsed.scheme == "http" and not is_loopback(host) and host not in allowed_hosts:
        raise _refused_url(place, f"http:// would show everything on the way to '{host}'")
    return url.rstrip("/")


def place_of(url: str) -> str:
    """Return what tells an address from all others, however it is spelled; one that is none stays as it is."""
    with suppress(httpx.InvalidURL, UnicodeError):
        url = str(httpx.URL(url))  # without the port that is meant where none is said
    return url.rstrip("/").lower()


def _refused_url(place: str, why: str) -> LeadlightError:
    hint = "give an address such as https://api.example.com; `allow_http: [HOST]` beside it names hosts without TLS."
    return wrong_input(f"{place} cannot be used: {why}.", hint=hint)


def retry_after(answer: httpx.Response) -> float | None:
    """Return the seconds of ``Retry-After`` (RFC 9110, 10.2.3); None where it says nothing that makes sense.

    A date counts from the moment of the answer as its own ``Date`` tells it, for clocks differ.
    """
    said = answer.headers.get("Retry-After", "").strip()
    if _SECONDS.fullmatch(said):
        return float(said)
    until, now = _moment(said), _moment(answer.headers.get("Date", ""))
    return None if until is None or now is None else max(0.0, (until - now).total_seconds())


def _moment(said: str) -> datetime | None:
    try:
        found = parsedate_to_datetime(said)
    except (ValueError, OverflowError):
        return None
    return found if found.tzinfo is not None else found.replace(tzinfo=UTC)


def secret(environment: Mapping[str, str], name: str, *, target: str) -> str:
    """Return the secret that the environment holds under *name*.

    Raises:
        LeadlightError: It is not there, or cannot be sent in a header.
    """
    found = environment.get(name, "").strip()
    if not found:
        hint = f"set {name} where the command runs; secrets never stand in the config."
        raise wrong_input(
            f"The target '{target}' needs a secret that the environment does not hold: {name}.", hint=hint
        )
    if not (found.isascii() and found.isprintable()):
        raise wrong_input(f"What {name} holds cannot be sent: it has line breaks or signs that no token has.")
    return found
