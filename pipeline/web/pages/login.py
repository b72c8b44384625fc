"""Logging in and out, and choosing a language."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response

from pipeline.web.faults import no_such_page
from pipeline.web.gate import Visitor, inside, is_secure
from pipeline.web.speech import COOKIE
from pipeline.web.users import Users
from pipeline.web.visit import OWN_FORM, Asked, Visit

router = APIRouter()
_A_YEAR = 31_536_000


@router.get("/login")
def ask(visit: Asked, next: str = "/") -> Response:  # noqa: A002 - what addresses call it everywhere
    """Ask who somebody is."""
    _only_with_passwords(visit)
    if visit.visitor.user:
        return RedirectResponse(inside(next), status_code=303)
    return _form(visit, inside(next))


@router.post("/login", dependencies=[OWN_FORM])
def log_in(
    visit: Asked,
    user: Annotated[str, Form()] = "",
    password: Annotated[str, Form()] = "",
    next: Annotated[str, Form()] = "/",  # noqa: A002
) -> Response:
    """Let somebody in whose password is right; a session begins that nobody had before."""
    users = _only_with_passwords(visit)
    attempts, address = visit.house.attempts, visit.visitor.address
    wait = attempts.wait(user, address)
    if wait:
        return _form(visit, inside(next), status=429, wait=wait)
    if not users.is_password(user, password):
        attempts.failed(user, address)
        return _form(visit, inside(next), status=403, is_wrong=True)
    attempts.succeeded(user, address)
    visit.house.sessions.end(visit.visitor.session)
    session = visit.house.sessions.begin(user, users.stamp(user))
    visit.request.state.visitor = Visitor(user, session, address, is_new=True)
    return RedirectResponse(inside(next), status_code=303)


@router.post("/logout", dependencies=[OWN_FORM])
def log_out(visit: Asked) -> Response:
    """End the session, here and wherever somebody kept its cookie."""
    sessions = visit.house.sessions
    sessions.end(visit.visitor.session)
    visit.request.state.visitor = Visitor("", sessions.begin(), visit.visitor.address, is_new=True)
    return RedirectResponse("/login", status_code=303)


@router.post("/language", dependencies=[OWN_FORM])
def choose_language(
    request: Request,
    visit: Asked,
    code: Annotated[str, Form()] = "",
    next: Annotated[str, Form()] = "/",  # noqa: A002
) -> Response:
    """Speak another language from now on."""
    back = "/login" if next == "/login" else inside(next)
    answer = RedirectResponse(back, status_code=303)
    if code in visit.house.settings.app.languages:
        secure = is_secure(visit.house.access, request.scope)
        answer.set_cookie(COOKIE, code, max_age=_A_YEAR, httponly=True, samesite="strict", secure=secure)
    return answer


def _only_with_passwords(visit: Visit) -> Users:
    users = visit.house.access.users
    if users is None:
        raise no_such_page()
    return users


def _form(visit: Visit, wanted: str, *, status: int = 200, wait: int = 0, is_wrong: bool = False) -> HTMLResponse:
    headers = {"Retry-After": str(wait)} if wait else {}
    is_lost = is_secure(visit.house.access, visit.request.scope) and visit.request.url.scheme != "https"
    values = {"next": wanted, "wait": wait, "is_wrong": is_wrong, "is_cookie_lost": is_lost}
    return visit.answer("login.html", values, status=status, headers=headers)


@router.get("/health")
def health() -> Response:
    """Say that the app runs; nothing is read for it."""
    return PlainTextResponse("ok")
