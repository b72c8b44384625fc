"""Who calls: OAuth 2.0 client credentials, renewed when a token ends.

The answer's ``instance_url`` is not followed: the token goes to the address of the config and to no other.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any, Final

import httpx

from models.wording import one_line
from pipeline.crm.http import Http, retry_after
from pipeline.crm.said import LONGEST
from pipeline.crm.trouble import RetryError, StopError, StopReason

PATH: Final = "/services/oauth2/token"
_HINT: Final = (
    "see that consumer key and secret are those of the connected app, that it allows the client credentials flow, "
    "and that a user runs it."
)


class ClientCredentials:
    """A token that is asked for with a consumer key and secret, and asked for anew when it has ended.

    Args:
        http: Calls without a login, judged by `LoginJudge`.
        client_id: The consumer key.
        client_secret: The consumer secret.
    """

    def __init__(self, http: Http, client_id: str, client_secret: str) -> None:
        self._http, self._client_id, self._client_secret = http, client_id, client_secret
        self._lock = threading.Lock()
        self._carried: dict[str, str] = {}
        self._has_worked = False

    def __repr__(self) -> str:
        """Name no secret."""
        return "ClientCredentials(…)"

    def headers(self) -> Mapping[str, str]:
        """Return what a call carries; the first call logs in."""
        with self._lock:
            if not self._carried:
                self._log_in()
            return self._carried

    def renew(self, stale: Mapping[str, str]) -> bool:
        """Log in anew, unless another thread did; False = not even a new token is let in."""
        with self._lock:
            if self._carried and self._carried != stale:
                return True
            if self._carried and not self._has_worked:
                return False
            self._log_in()
            return True

    def worked(self, authorization: str) -> None:
        """Note that Salesforce let a call in that carried *authorization*."""
        if not self._has_worked and authorization == self._carried.get("Authorization"):
            self._has_worked = True

    def _log_in(self) -> None:
        asked = {
            "grant_type": "client_credentials",
            "client_id": self._client_id,
            "client_secret": self._client_secret,
        }
        token = self._http.ask("POST", PATH, data=asked).json()["access_token"].strip()
        self._carried, self._has_worked = {"Authorization": f"Bearer {token}"}, False

    def close(self) -> None:
        """Close the connections."""
        self._http.close()


class LoginJudge:
    """Raises what an answer to a login means, without the secrets that it may repeat.

    Args:
        secrets: What no message may show.
    """

    def __init__(self, secrets: tuple[str, ...]) -> None:
        self._secrets = secrets

    def __repr__(self) -> str:
        """Name no secret."""
        return "LoginJudge(…)"

    def __call__(self, answer: httpx.Response) -> None:
        """Raise a trouble, unless *answer* brings a token."""
        try:
            body: Any = answer.json()
        except (ValueError, RecursionError):  # a RecursionError: lists in lists without end
            body = None
        if answer.is_success:
            if not _brings_token(body):
                raise RetryError("The login's answer holds no token.")
            return
        words = self._words(answer.status_code, body)
        if answer.status_code in {408, 429} or answer.status_code >= 500:
            raise RetryError(words, after_s=retry_after(answer), is_turned_away=answer.status_code == 429)
        if answer.status_code in {400, 401, 403}:
            raise StopError(words, reason=StopReason.CREDENTIALS, hint=_HINT)
        raise StopError(words, reason=StopReason.SETUP, hint="base_url must be the org's My Domain address.")

    def _words(self, status: int, body: Any) -> str:  # noqa: ANN401 - whatever came
        parts = [body.get("error"), body.get("error_description")] if isinstance(body, dict) else []
        text = ": ".join(str(part) for part in parts if part) or f"HTTP {status}"
        for secret in self._secrets:
            text = text.replace(secret, "…")
        return "The login was refused: " + one_line(text, longest=LONGEST)


def _brings_token(body: Any) -> bool:  # noqa: ANN401 - whatever came
    token = body.get("access_token") if isinstance(body, dict) else None
    return isinstance(token, str) and bool(token.strip()) and token.isascii() and token.isprintable()
