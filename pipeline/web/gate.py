"""Nobody gets past here whom the app does not know; every request leaves with a visitor's name on it.

What may be seen without a name is listed here, and nothing else: a new page is closed until somebody opens it.
"""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import ip_address
from typing import Final
from urllib.parse import urlsplit

from fastapi.responses import RedirectResponse, Response
from starlette.datastructures import URL, Headers, MutableHeaders
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pipeline.web.access import LOCAL_USER, Access
from pipeline.web.faults import API, refusal
from pipeline.web.sessions import Session, Sessions

OPEN: Final = ("/login", "/language", "/health")
STATIC: Final = "/static/"
_SAFE: Final = ("GET", "HEAD", "OPTIONS")
_LONGEST_USER: Final = 200
_LONGEST_PATH: Final = 2000


@dataclass(frozen=True)
class Visitor:
    """Who is asking.

    Attributes:
        user: The user's name; empty = nobody knows.
        session: The browser's visit.
        address: Where the request comes from.
        is_new: Whether the browser still needs the session's cookie.
    """

    user: str
    session: Session
    address: str
    is_new: bool = False


class Gate:
    """Names the visitor of every request and turns strangers away.

    Args:
        app: The app inside.
        access: How users are known.
        sessions: Reads the cookies.
    """

    def __init__(self, app: ASGIApp, *, access: Access, sessions: Sessions) -> None:
        self._app = app
        self._access = access
        self._sessions = sessions

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http" or scope["path"].startswith(STATIC):
            await self._app(scope, receive, send)
            return
        peer = scope["client"][0] if scope.get("client") else ""
        if self._access.is_proxy(peer):
            scope["scheme"] = _forwarded_scheme(Headers(scope=scope)) or scope["scheme"]
        visitor = self._visitor(scope, peer)
        scope.setdefault("state", {})["visitor"] = visitor
        answer = self._turned_away(scope, visitor)
        await (answer or self._app)(scope, receive, self._with_cookie(scope, send))

    def _visitor(self, scope: Scope, peer: str) -> Visitor:
        """Return who is asking, with a session of theirs or a new one."""
        cookie = HTTPConnection(scope).cookies.get(cookie_name(self._access, scope), "")
        session = self._sessions.read(cookie) if cookie else None
        found = session or self._sessions.begin()
        is_proxy = self._access.is_proxy(peer)
        address = (_forwarded_address(Headers(scope=scope)) or peer) if is_proxy else peer
        return Visitor(self._user(scope, found, is_proxy=is_proxy), found, address, session is None)

    def _user(self, scope: Scope, session: Session, *, is_proxy: bool) -> str:
        if self._access.kind == "local":
            return LOCAL_USER
        if self._access.kind == "proxy":
            named = Headers(scope=scope).getlist(self._access.header) if is_proxy else []
            is_name = len(named) == 1 and named[0].isprintable() and len(named[0]) <= _LONGEST_USER
            return named[0].strip() if is_name else ""
        users = self._access.users
        is_known = users is not None and session.user and users.is_stamp(session.user, session.stamp)
        return session.user if is_known else ""

    def _turned_away(self, scope: Scope, visitor: Visitor) -> Response | None:
        """Return the answer to those who may not come in, or None."""
        if scope["method"] not in _SAFE and not _is_from_here(scope):
            return refusal(scope, 403, "forged", "The request was sent from another site.")
        if visitor.user or scope["path"] in OPEN:
            return None
        if self._access.kind == "proxy":
            return refusal(scope, 401, "not_logged_in", "The proxy in front of this app did not say who you are.")
        if scope["path"].startswith(API):
            return refusal(scope, 401, "not_logged_in", "Log in first: POST /login.")
        return _to_login(scope)

    def _with_cookie(self, scope: Scope, send: Send) -> Send:
        """Return a way out that puts the session's cookie on the answer, where the browser needs it.

        A page that logs somebody in or out puts another session in the visitor's place.
        """

        async def out(message: Message) -> None:
            visitor: Visitor = scope["state"]["visitor"]
            if message["type"] == "http.response.start" and visitor.is_new and _keeps_cookies(scope["path"]):
                cookie = self._cookie(scope, visitor.session)
                MutableHeaders(scope=message).append("Set-Cookie", cookie)
            await send(message)

        return out

    def _cookie(self, scope: Scope, session: Session) -> str:
        name, value = cookie_name(self._access, scope), self._sessions.write(session)
        secure = "; Secure" if is_secure(self._access, scope) else ""
        return f"{name}={value}; Path=/; Max-Age={self._sessions.seconds}; HttpOnly; SameSite=Lax{secure}"


def is_secure(access: Access, scope: Scope) -> bool:
    """Return whether cookies may travel encrypted only."""
    return not access.is_loopback or scope["scheme"] == "https"


def cookie_name(access: Access, scope: Scope) -> str:
    """Return the name of the session's cookie; browsers let no other host write one that begins with ``__Host-``."""
    return "__Host-leadlight" if is_secure(access, scope) else "leadlight"


def inside(path: str) -> str:
    """Return *path* where it leads to a page of ours, else the first page: whoever logs in is sent nowhere else."""
    # Browsers read a backslash as a slash, and pass over tabs and line breaks.
    if not path.isprintable() or "\\" in path or len(path) > _LONGEST_PATH or not path.startswith("/"):
        return "/"
    parts = urlsplit(path)
    return path if not parts.netloc and not path.startswith("//") and parts.path not in OPEN else "/"


def _keeps_cookies(path: str) -> bool:
    """Return whether who asks for *path* is a browser, or a program that asks for a session."""
    return not path.startswith(API) or path == f"{API}v1/session"


def _to_login(scope: Scope) -> Response:
    asked = URL(scope=scope)
    wanted = f"{asked.path}?{asked.query}" if asked.query else asked.path
    if scope["method"] not in _SAFE:
        wanted = "/"
    login = str(URL("/login").include_query_params(next=inside(wanted)))
    if Headers(scope=scope).get("hx-request") == "true":
        return Response(status_code=401, headers={"HX-Redirect": "/login"})
    return RedirectResponse(login, status_code=303)


def _is_from_here(scope: Scope) -> bool:
    """Return whether a browser says that the request comes from a page of ours, or nothing says otherwise."""
    headers = Headers(scope=scope)
    if headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        return False
    origin = headers.get("origin", "")
    return not origin or urlsplit(origin).netloc.lower() == headers.get("host", "").lower()


def _forwarded_scheme(headers: Headers) -> str:
    said = headers.get("x-forwarded-proto", "").strip().lower()
    return said if said in ("http", "https") else ""


def _forwarded_address(headers: Headers) -> str:
    """Return the address that the proxy itself saw: the last one, since those before it are what a client wrote."""
    last = headers.get("x-forwarded-for", "").rpartition(",")[2].strip()
    try:
        return str(ip_address(last))
    except ValueError:
        return ""
