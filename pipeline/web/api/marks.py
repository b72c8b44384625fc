"""Marks of a lead, as JSON. Calls that write give this session's token in the header X-Form-Token."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path
from pydantic import BaseModel

from pipeline.web.api.lead import LeadKey
from pipeline.web.api.shapes import MarkIn, MarkOut
from pipeline.web.lead import lead_id_of
from pipeline.web.marking import hold, note, take_back
from pipeline.web.visit import OWN_CALL, Asked, Scores, Visit

router = APIRouter(tags=["marks"])


class SessionOut(BaseModel):
    """Who is asking."""

    user: str
    form_token: str


@router.get("/session")
def session(visit: Asked) -> SessionOut:
    """Return the user, and what calls that write must give in the header X-Form-Token."""
    return SessionOut(user=visit.visitor.user, form_token=visit.token)


@router.get("/leads/{key}/marks")
def marks(key: LeadKey, visit: Asked, edition: Scores) -> list[MarkOut]:
    """Return everything that people said about a lead, newest first."""
    return _of(visit, lead_id_of(edition, key))


@router.post("/leads/{key}/marks", status_code=201, dependencies=[OWN_CALL])
def mark(key: LeadKey, visit: Asked, edition: Scores, said: MarkIn) -> list[MarkOut]:
    """Hold a lead, or note that somebody contacted it; return all its marks."""
    lead_id = lead_id_of(edition, key)
    if said.kind == "hold":
        until = said.until.isoformat() if said.until else ""
        hold(visit, lead_id, until=until, owner=said.owner, reason=said.reason)
    else:
        note(visit, lead_id, text=said.reason)
    return _of(visit, lead_id)


@router.post("/leads/{key}/marks/{number}/withdraw", status_code=201, dependencies=[OWN_CALL])
def withdraw(
    key: LeadKey, number: Annotated[int, Path(ge=1, le=2**53)], visit: Asked, edition: Scores
) -> list[MarkOut]:
    """Take a mark back; return all marks of the lead."""
    lead_id = lead_id_of(edition, key)
    take_back(visit, lead_id, number)
    return _of(visit, lead_id)


def _of(visit: Visit, lead_id: str) -> list[MarkOut]:
    return [MarkOut.of(one) for one in visit.house.marks.of_lead(lead_id)]
