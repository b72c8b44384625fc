"""Each page's data as JSON, under ``/api/v1``; one file per page."""

from typing import Any

from fastapi import APIRouter

from pipeline.web.api import lead, leads, marks, runs, scorers
from pipeline.web.faults import FaultAnswer

PREFIX = "/api/v1"
_FAULTS = {
    400: "The request cannot be understood.",
    401: "Nobody has logged in.",
    403: "The call does not carry this session's token.",
    404: "There is no such thing.",
    413: "The request is too long.",
    422: "A part of the request is not of its form.",
    503: "The stored scores, models or marks cannot be read as they are; the message says what to do.",
}


def router() -> APIRouter:
    """Return the router of the whole API."""
    faults: dict[int | str, dict[str, Any]] = {
        status: {"model": FaultAnswer, "description": told} for status, told in _FAULTS.items()
    }
    whole = APIRouter(prefix=PREFIX, responses=faults)
    for one in (runs, leads, lead, marks, scorers):
        whole.include_router(one.router)
    return whole
