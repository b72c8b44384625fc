"""The session cookie: who logged in, signed, so that nobody can write one but us.

It holds a random number (new at every login, so that a number planted before is worth nothing), the user, and a stamp
of the password. Forms carry a token made of the random number: another site can make a browser send the cookie, but
cannot know the token.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections import OrderedDict
from dataclasses import dataclass
from threading import Lock
from typing import Any, Final

from itsdangerous import BadData, URLSafeTimedSerializer

MOST_ENDED: Final = 10_000


@dataclass(frozen=True)
class Session:
    """One browser's visit.

    Attributes:
        number: Random, 128 bits.
        user: Who logged in; empty = nobody yet.
        stamp: What changes with the user's password.
    """

    number: str
    user: str = ""
    stamp: str = ""


class Sessions:
    """Makes session cookies and reads them.

    Args:
        secret: What they are signed with.
        seconds: How long one lasts.
    """

    def __init__(self, secret: str, *, seconds: float) -> None:
        self._signer = URLSafeTimedSerializer(secret, salt="leadlight.session", signer_kwargs=_SIGNED)
        self._secret = secret.encode()
        self.seconds = int(seconds)
        self._ended: OrderedDict[str, None] = OrderedDict()
        self._lock = Lock()

    def begin(self, user: str = "", stamp: str = "") -> Session:
        """Return a new session; its random number was never anyone's."""
        return Session(secrets.token_urlsafe(16), user, stamp)

    def write(self, session: Session) -> str:
        """Return the cookie that holds *session*."""
        return str(self._signer.dumps([session.number, session.user, session.stamp]))

    def read(self, cookie: str) -> Session | None:
        """Return the session that a cookie holds; None where it is not ours, too old, or was ended."""
        if len(cookie) > 1000:
            return None
        try:
            said: Any = self._signer.loads(cookie, max_age=self.seconds)
            session = Session(*said)
        except (BadData, TypeError):
            return None
        with self._lock:
            return None if session.number in self._ended else session

    def end(self, session: Session) -> None:
        """Let the session's cookie count no longer, also where somebody kept a copy."""
        with self._lock:
            self._ended[session.number] = None
            while len(self._ended) > MOST_ENDED:
                self._ended.popitem(last=False)

    def token(self, session: Session) -> str:
        """Return what forms of this session carry."""
        return hmac.new(self._secret, f"form:{session.number}:{session.user}".encode(), hashlib.sha256).hexdigest()

    def is_token(self, session: Session, token: str) -> bool:
        """Return whether *token* is that of the session."""
        return hmac.compare_digest(self.token(session).encode(), token.encode("utf-8", "replace"))


_SIGNED: Final = {"key_derivation": "hmac", "digest_method": hashlib.sha256}
