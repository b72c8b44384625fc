"""Segments, and leads with their expected conversions by grade, source and more; what came of earlier scores."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from pipeline.track_record import kept, ripe_after_days
from pipeline.web.groups import REPORTED, highest_rate, lines
from pipeline.web.visit import Asked, Scores, Visit, labels
from pipeline.workspace import Workspace

router = APIRouter()


@router.get("/segments")
def segments(visit: Asked, edition: Scores) -> HTMLResponse:
    """Show the named groups of leads."""
    found = [line for line in lines(edition, "segment", labels(visit, edition)) if line.value]
    return visit.answer("segments.html", {"lines": found, "highest": highest_rate(found)}, edition=edition)


@router.get("/reports")
def reports(visit: Asked, edition: Scores) -> HTMLResponse:
    """Show leads and expected conversions by what they share."""
    label = labels(visit, edition)
    found = {column: lines(edition, column, label) for column in REPORTED}
    tables = [(column, rows, highest_rate(rows)) for column, rows in found.items() if any(row.value for row in rows)]
    settings = visit.house.settings
    came = {"track": kept(Workspace(settings.shop.workspace)), "days": ripe_after_days(settings), "day": _day(visit)}
    shown = {"tables": tables, "run": edition.run, "spread": edition.spread, **came}
    return visit.answer("reports.html", shown, edition=edition)


def _day(visit: Visit) -> Callable[[str], str]:
    """Return how a moment (ISO) is said as a day."""
    return lambda iso: visit.said.date(datetime.fromisoformat(iso))
