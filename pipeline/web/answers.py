"""What is answered where something went wrong: one form for programs, one page for people that says what to do next."""

from __future__ import annotations

import json
import logging
import re
import sqlite3
import traceback
from collections.abc import Callable
from typing import cast

import duckdb
import pyarrow as pa
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from starlette.exceptions import HTTPException

from features.errors import LeadlightError, NotFinishedError
from pipeline.published.damage import DamagedError
from pipeline.web.faults import API, Fault, RefusedError, json_answer, no_such_page, refusal
from pipeline.web.visit import visit_of

LOG = logging.getLogger("pipeline.web")
_MAIL = re.compile(r"[^\s@'\"<>]+@[^\s@'\"<>]+")
DAMAGED: tuple[type[Exception], ...] = (pa.ArrowException, duckdb.Error, sqlite3.Error, json.JSONDecodeError, OSError)
"""What reading a file raises that is not what it should be."""


def add_to(app: FastAPI) -> None:
    """Let *app* answer faults in our forms."""
    handlers: dict[type[Exception], Callable[[Request, Exception], Response]] = {
        RefusedError: _refused,
        RequestValidationError: _invalid,
        HTTPException: _by_status,
        LeadlightError: _cannot,
    }
    handlers |= dict.fromkeys((*DAMAGED, DamagedError), _damaged)
    for kind, handler in handlers.items():
        app.add_exception_handler(kind, handler)


def told(request: Request, status: int, fault: Fault, headers: dict[str, str] | None = None) -> Response:
    """Return the answer that tells of *fault*."""
    if request.url.path.startswith(API):
        return json_answer(status, fault, headers)
    if not hasattr(request.state, "visitor"):  # it never came as far as the gate: a file that is not there
        return refusal(request.scope, status, fault.code, fault.message)
    return visit_of(request).answer("fault.html", {"fault": fault, "status": status}, status=status, headers=headers)


def broken(request: Request, raised: Exception) -> Response:
    """Return the answer to a fault of ours; the log gets its place, and no word about people."""
    log_fault(raised)
    return told(request, 500, Fault(code="our_fault", message="Something went wrong on our side."))


def log_fault(raised: Exception) -> None:
    """Write where *raised* came from to the log; what may be an e-mail address in its message is left out."""
    place = "".join(traceback.format_tb(raised.__traceback__))
    LOG.error("%s: %s\n%s", type(raised).__name__, _MAIL.sub("…", str(raised)), place)


def _refused(request: Request, raised: Exception) -> Response:
    refused = cast(RefusedError, raised)
    return told(request, refused.status, refused.fault, refused.headers)


def _invalid(request: Request, raised: Exception) -> Response:
    faults = cast(RequestValidationError, raised).errors()
    details = [f"{'.'.join(str(part) for part in one['loc'])}: {one['msg']}" for one in faults]
    return told(request, 422, Fault(code="invalid", message="The request cannot be understood.", details=details))


def _by_status(request: Request, raised: Exception) -> Response:
    said = cast(HTTPException, raised)
    if said.status_code == 404:
        fault = no_such_page().fault
    else:
        fault = Fault(code=f"status_{said.status_code}", message=str(said.detail))
    return told(request, said.status_code, fault, dict(said.headers or {}))


def _cannot(request: Request, raised: Exception) -> Response:
    """Answer where scores, models or marks cannot be read as they are; the message says what to do."""
    fact, _, rest = str(raised).partition("\n")
    code = "not_ready" if not isinstance(raised, NotFinishedError) else "try_again"
    lines = [line.removeprefix("Hint: ").removeprefix("  - ") for line in rest.splitlines() if line.strip()]
    return told(request, 503, Fault(code=code, message=fact, details=lines))


def _damaged(request: Request, raised: Exception) -> Response:
    log_fault(raised)
    hint = "run `leadlight score` again: it writes them anew."
    return told(request, 503, Fault(code="damaged", message="The stored scores cannot be read.", details=[hint]))
