"""How much a request may send: forms here are a few lines long."""

from __future__ import annotations

from typing import Final

from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pipeline.web.faults import refusal

MOST_BYTES: Final = 64 * 1024


class SmallBodies:
    """Refuses requests whose body is longer than `MOST_BYTES`, before it is read into memory.

    Args:
        app: The app inside.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        try:
            body = await _body(Headers(scope=scope), receive)
        except ClientDisconnect:
            return  # half of a form may mean something else than the whole, and nobody waits for an answer
        if body is None:
            answer = refusal(scope, 413, "too_large", f"A request may send {MOST_BYTES // 1024} kB at most.")
            await answer(scope, receive, send)
            return
        await self._app(scope, _replayed(body, receive), send)


async def _body(headers: Headers, receive: Receive) -> bytes | None:
    """Return the whole body, or None where it is too long.

    Raises:
        ClientDisconnect: Whoever sent it went away before its end.
    """
    said = headers.get("content-length", "")
    if said.isdecimal() and int(said[:12]) > MOST_BYTES:
        return None
    parts, length, has_more = [], 0, True
    while has_more:
        message = await receive()
        if message["type"] != "http.request":
            raise ClientDisconnect
        parts.append(message.get("body", b""))
        length += len(parts[-1])
        has_more = message.get("more_body", False)
        if length > MOST_BYTES:
            return None
    return b"".join(parts)


def _replayed(body: bytes, receive: Receive) -> Receive:
    """Return a source that gives *body* once, and then whatever comes after it."""
    given = False

    async def read() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return read
