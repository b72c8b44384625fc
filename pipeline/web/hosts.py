"""Which names the app answers to.

A page elsewhere may give its own name our address (DNS rebinding) and then read our pages as its own: so on loopback
only loopback's own names count, and those that the config lists.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from pipeline.web.faults import refusal

LOOPBACK_NAMES: Final = ("localhost", "127.0.0.1", "[::1]")
_HOST: Final = re.compile(r"(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._-]+)(?::\d{1,5})?")


class KnownHosts:
    """Refuses requests that were meant for another name.

    Args:
        app: The app inside.
        names: The names it answers to, lower case; empty = any.
    """

    def __init__(self, app: ASGIApp, *, names: Sequence[str]) -> None:
        self._app = app
        self._names = frozenset(name.lower() for name in names)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] == "http" and not self._is_known(Headers(scope=scope)):
            answer = refusal(scope, 400, "host", "This app does not answer to that name.")
            await answer(scope, receive, send)
            return
        await self._app(scope, receive, send)

    def _is_known(self, headers: Headers) -> bool:
        named = headers.getlist("host")
        found = _HOST.fullmatch(named[0]) if len(named) == 1 else None
        return found is not None and (not self._names or found[1].lower().rstrip(".") in self._names)
