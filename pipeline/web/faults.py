"""Errors in one form: JSON for programs, a page that says what to do next for people.

Programs read ``{"error": {"code": …, "message": …, "details": […]}}``, whatever went wrong.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from fastapi.responses import HTMLResponse, JSONResponse, Response
from markupsafe import escape
from pydantic import BaseModel, Field
from starlette.types import Scope

API: Final = "/api/"


class Fault(BaseModel):
    """What went wrong."""

    code: str = Field(description="One word for programs, such as not_found.")
    message: str = Field(description="One sentence for people, in English.")
    details: list[str] = Field(default_factory=list, description="All faults of the request, or what to do next.")


class FaultAnswer(BaseModel):
    """The body of every answer that is an error."""

    error: Fault


class RefusedError(Exception):
    """A request that cannot be answered, with what to tell.

    Attributes:
        status: The HTTP status.
        fault: What to tell.
        headers: More headers of the answer.
    """

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        *,
        details: Sequence[str] = (),
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.fault = Fault(code=code, message=message, details=list(details))
        self.headers = headers or {}


def json_answer(status: int, fault: Fault, headers: dict[str, str] | None = None) -> JSONResponse:
    """Return the error as programs read it."""
    return JSONResponse(FaultAnswer(error=fault).model_dump(), status_code=status, headers=headers)


def refusal(scope: Scope, status: int, code: str, message: str) -> Response:
    """Return the answer to a request that never reached a page: there is no language and no template yet."""
    if scope["path"].startswith(API):
        return json_answer(status, Fault(code=code, message=message))
    page = f'<!DOCTYPE html><html lang="en"><title>{status}</title><h1>{status}</h1><p>{escape(message)}</p></html>'
    return HTMLResponse(page, status_code=status)


def no_such_lead() -> RefusedError:
    """Return the error for a key that no lead of the published run has."""
    return RefusedError(404, "no_such_lead", "The published scores have no such lead.")


def no_such_page() -> RefusedError:
    """Return the error for a path that leads nowhere."""
    return RefusedError(404, "not_found", "There is no such page.")


def forged() -> RefusedError:
    """Return the error for a form that does not carry this session's token."""
    return RefusedError(403, "forged", "The form was not sent from this app, or its page is too old.")


def bad_request(code: str, message: str, details: Sequence[str] = ()) -> RefusedError:
    """Return the error for a request that cannot be understood."""
    return RefusedError(400, code, message, details=details)
