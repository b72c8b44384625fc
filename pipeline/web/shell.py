"""What surrounds every answer: headers that let a browser run and load nothing but our own files.

A Content Security Policy without inline scripts and styles: text of the shop that slipped through an escape could
still do nothing. Pages are never kept by a cache, since they name people.
"""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Iterable
from typing import Final

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

LOG = logging.getLogger("pipeline.web")
POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)
_HEADERS: Final = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    # Forms need their origin told; what leads here from elsewhere needs nothing.
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "private, no-store",
}
_PLAIN_NAME: Final = re.compile(r"[A-Za-z0-9._-]{1,64}")


class BrokenOffError(Exception):
    """An answer that had begun cannot be finished; why is in the log, and is not repeated with what it may name."""


class Shell:
    """Puts the headers on every answer, and writes one line about it to the log.

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
        began, status = time.perf_counter(), 0

        async def with_headers(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                add_headers(MutableHeaders(scope=message), scope)
            await send(message)

        try:
            await self._app(scope, receive, with_headers)
        except Exception as raised:  # noqa: BLE001 - the last door: the message may name people, so it ends here
            from pipeline.web.answers import broken, log_fault

            if status:
                # No second answer can follow half of a first one, which would look whole unless the connection ends.
                log_fault(raised)
                raise BrokenOffError from None
            await broken(Request(scope), raised)(scope, receive, with_headers)
        finally:
            took = (time.perf_counter() - began) * 1000
            LOG.info("%s %s %d %.0f ms", scope["method"], logged_path(scope), status, took)


def add_headers(headers: MutableHeaders, scope: Scope) -> None:
    """Add what is missing; an answer that has a policy of its own keeps it."""
    for name, value in _HEADERS.items():
        headers.setdefault(name, value)
    if scope.get("scheme") == "https":
        headers.setdefault("Strict-Transport-Security", "max-age=31536000")


def logged_path(scope: Scope) -> str:
    """Return the path as a log may hold it: the page and a lead's key, and nothing that a person typed."""
    route = scope.get("route")
    template = getattr(route, "path", "")
    if not template:
        return "(no such page)"
    named: Iterable[tuple[str, object]] = scope.get("path_params", {}).items()
    for name, value in named:
        text = str(value)
        if _PLAIN_NAME.fullmatch(text):
            template = re.sub(rf"\{{{name}(:\w+)?\}}", text, template)
    return str(template)
