"""A lead's page, its parts that are loaded on demand, and the marks that people make there."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Form
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from pipeline.web import marking as mark
from pipeline.web.changed import changes, older_runs
from pipeline.web.lead import lead_id_of, lead_page, listed_of, timeline_of
from pipeline.web.visit import OWN_FORM, Asked, Scores

router = APIRouter(prefix="/leads/{key}")
DONE = ("hold", "contacted", "withdrawn")


@router.get("")
def lead(key: str, visit: Asked, edition: Scores, done: str = "") -> HTMLResponse:
    """Show one lead."""
    today = visit.now.astimezone(ZoneInfo(visit.house.settings.shop.time_zone)).date()
    values = {
        "lead": lead_page(visit, edition, key),
        "done": done if done in DONE else "",
        "tomorrow": today + timedelta(days=1),
        "in_two_weeks": today + timedelta(days=14),
    }
    return visit.answer("lead.html", values, edition=edition)


@router.get("/timeline")
def timeline(key: str, visit: Asked, edition: Scores) -> HTMLResponse:
    """Show what was known of the lead: read from the tables, so it comes after the page."""
    happened = timeline_of(visit, edition, key)
    template = "timeline_part.html" if visit.is_part else "timeline.html"
    return visit.answer(template, {"happened": happened, "key": key}, edition=edition)


@router.get("/changes")
def changed(key: str, visit: Asked, edition: Scores, since: datetime | None = None) -> HTMLResponse:
    """Show what moved the lead's score since an older run."""
    runs = older_runs(visit, edition)
    chosen = since or (runs[0] if runs else None)
    told = changes(visit, edition, key, since=chosen) if chosen else []
    template = "changes_part.html" if visit.is_part else "changes.html"
    listed_of(edition, key)
    return visit.answer(template, {"changes": told, "runs": runs, "since": chosen, "key": key}, edition=edition)


@router.post("/hold", dependencies=[OWN_FORM])
def hold(
    key: str,
    visit: Asked,
    edition: Scores,
    until: Annotated[str, Form()] = "",
    reason: Annotated[str, Form()] = "",
    owner: Annotated[str, Form()] = "",
) -> Response:
    """Leave the lead alone until a day."""
    mark.hold(visit, lead_id_of(edition, key), until=until, owner=owner, reason=reason)
    return _back(key, "hold")


@router.post("/contacted", dependencies=[OWN_FORM])
def contacted(key: str, visit: Asked, edition: Scores, note: Annotated[str, Form()] = "") -> Response:
    """Write down that somebody contacted the lead."""
    mark.note(visit, lead_id_of(edition, key), text=note)
    return _back(key, "contacted")


@router.post("/withdraw", dependencies=[OWN_FORM])
def withdraw(key: str, visit: Asked, edition: Scores, number: Annotated[int, Form()]) -> Response:
    """Take a mark back."""
    mark.take_back(visit, lead_id_of(edition, key), number)
    return _back(key, "withdrawn")


def _back(key: str, done: str) -> Response:
    return RedirectResponse(f"/leads/{key}?done={done}#marks", status_code=303)
