"""How a receiver knows that a batch came from Leadlight, unchanged and not long ago.

``Leadlight-Signature: t=1738305000,v1=5257a869…``, where v1 is the HMAC-SHA256 of the seconds, a full stop and the body
as it was sent. The receiver computes it from the same secret, and refuses what is older than some minutes: whoever
recorded a batch cannot send it again later.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Mapping
from typing import Final

SIGNATURE: Final = "Leadlight-Signature"
IDEMPOTENCY: Final = "Idempotency-Key"


def signature(secret: str, body: bytes, *, at: int) -> str:
    """Return what the header `SIGNATURE` says of *body*.

    Args:
        secret: What sender and receiver share.
        body: As it is sent, byte by byte.
        at: Seconds since 1970 (UTC).

    Example:
        >>> signature("s", b"{}", at=1)[:8]
        't=1,v1=b'
    """
    return f"t={at},v1={hmac.new(secret.encode(), b'%d.' % at + body, hashlib.sha256).hexdigest()}"


def signed(secret: str, body: bytes, *, once: str, clock: Callable[[], float]) -> Callable[[], Mapping[str, str]]:
    """Return what makes the headers of a call, anew for each try.

    Args:
        secret: What sender and receiver share.
        body: As it is sent.
        once: The same for the same rows until they are answered: a receiver that knows it does nothing. Empty = no
            batch.
        clock: Seconds since 1970 (UTC).
    """

    def headers() -> Mapping[str, str]:
        usual = {"Content-Type": "application/json", SIGNATURE: signature(secret, body, at=int(clock()))}
        return {**usual, IDEMPOTENCY: once} if once else usual

    return headers
