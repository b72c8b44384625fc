"""One lead, as JSON."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Path, Query

from pipeline.web.api.shapes import ChangeOut, HappeningOut, HistoryOut, LeadPageOut
from pipeline.web.changed import changes
from pipeline.web.lead import lead_page, listed_of, number_of, timeline_of
from pipeline.web.visit import Asked, Scores

router = APIRouter(prefix="/leads/{key}", tags=["lead"])
LeadKey = Annotated[str, Path(description="The lead's key, as the list gives it.")]


@router.get("")
def one_lead(key: LeadKey, visit: Asked, edition: Scores) -> LeadPageOut:
    """Return a lead's scores as sums of points, in words, and what people said about it."""
    return LeadPageOut.of(lead_page(visit, edition, key))


@router.get("/history")
def history(key: LeadKey, edition: Scores) -> list[HistoryOut]:
    """Return a lead's scores over time, oldest first."""
    listed_of(edition, key)
    return [HistoryOut.of(point) for point in edition.history(number_of(key))]


@router.get("/changes")
def changed(
    key: LeadKey,
    visit: Asked,
    edition: Scores,
    since: Annotated[datetime, Query(description="The newest run of this moment or before is compared with.")],
) -> list[ChangeOut]:
    """Return what moved a lead's score since an older run; `old_score` + steps + `limits` = `new_score`."""
    return [ChangeOut.of(told) for told in changes(visit, edition, key, since=since)]


@router.get("/timeline")
def timeline(key: LeadKey, visit: Asked, edition: Scores) -> list[HappeningOut]:
    """Return what was known of a lead when it was scored, newest first; empty where no history is kept."""
    happened = timeline_of(visit, edition, key)
    return [HappeningOut(at=one.at, text=one.text) for one in happened or []]
