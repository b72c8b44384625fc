"""Marketo's tokens: asked for with the client's id and secret, good for an hour, carried in a header alone.

The vendor takes id and secret in the address of this one call, so nothing here ever shows an address. Before a token
has ended, Marketo gives out the same one again.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Final

import httpx

from pipeline.crm.connectors.marketo.verdicts import parsed
from pipeline.crm.http import Http, retry_after
from pipeline.crm.trouble import RetryError, StopError, StopReason, TroubleError

_LASTS_S: Final = 3_600
"""Seconds that a token lasts at most."""
_NOBODY: Final = ("invalid_client", "unauthorized", "invalid_grant")
_SAME_AGAIN: Final = 5
"""Times that a dead token is given out again until that counts as no way in."""


class MarketoLogin:
    """The token of one custom service, shared by all threads.

    Args:
        http: Where tokens are given out; judged by `judge_login`.
        client_id: Of the LaunchPoint service.
        client_secret: Its secret.
        clock: Seconds that only go forward.
    """

    def __init__(self, http: Http, *, client_id: str, client_secret: str, clock: Callable[[], float]) -> None:
        self._http, self._clock = http, clock
        self._client_id, self._client_secret = client_id, client_secret
        self._lock = threading.Lock()
        self._token = ""
        self._ends = 0.0
        self._same = 0

    def __repr__(self) -> str:
        """Name no secret."""
        return "MarketoLogin(…)"

    def headers(self) -> Mapping[str, str]:
        """Return the header with the token; the first call, and each after its hour, logs in."""
        with self._lock:
            if not self._token or self._clock() >= self._ends:
                self._log_in()
            return _header(self._token)

    def renew(self, stale: Mapping[str, str]) -> bool:
        """Log in anew, unless another thread did; False where Marketo gives out nothing but the dead token."""
        with self._lock:
            if _header(self._token) != stale:
                return True
            former = self._token
            self._log_in()
            self._same = self._same + 1 if self._token == former else 0
            return self._same < _SAME_AGAIN

    def secrets(self) -> tuple[str, str]:
        """Return what no message may show."""
        return (self._client_secret, self._token)

    def close(self) -> None:
        """Close the connection."""
        self._http.close()

    def _log_in(self) -> None:
        asked = {
            "grant_type": "client_credentials",
            "client_id": self._client_id,
            "client_secret": self._client_secret,
        }
        body = parsed(self._http.ask("GET", "/oauth/token", params=asked))
        token, lasts = body.get("access_token"), body.get("expires_in")
        if not isinstance(token, str) or not token.strip() or not (token.isascii() and token.isprintable()):
            raise StopError("No token was given out.", reason=StopReason.CREDENTIALS, hint=_HINT)
        self._token = token.strip()
        # However long it is said to last, NaN or endless numbers among it, no token lasts longer.
        told = lasts if isinstance(lasts, int | float) and 0 <= lasts <= _LASTS_S else _LASTS_S
        self._ends = self._clock() + told


_HINT: Final = "check the client id and secret under Admin > LaunchPoint, and connect.identity_url."


def judge_login(answer: httpx.Response) -> None:
    """Raise what the answer to a login means where it is no token; its words may repeat what was sent: none are kept.

    Raises:
        RetryError: Marketo is away for a moment.
        StopError: The client's id or secret is wrong.
    """
    status = answer.status_code
    if status == httpx.codes.OK:
        trouble = _of_no_token(answer)
    elif status == httpx.codes.TOO_MANY_REQUESTS or status >= 500:
        is_turned_away = status == httpx.codes.TOO_MANY_REQUESTS
        trouble = RetryError(f"HTTP {status}", after_s=retry_after(answer), is_turned_away=is_turned_away)
    else:
        trouble = StopError(f"Marketo lets nobody in: HTTP {status}", reason=StopReason.CREDENTIALS, hint=_HINT)
    if trouble is not None:
        raise trouble


def _of_no_token(answer: httpx.Response) -> TroubleError | None:
    body = parsed(answer)
    if "access_token" in body:
        return None
    if body.get("error") in _NOBODY:  # a tuple: whatever JSON holds can be looked for in it
        return StopError(f"Marketo lets nobody in: {body['error']}", reason=StopReason.CREDENTIALS, hint=_HINT)
    return RetryError("The answer to a login is no token.")


def _header(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}
