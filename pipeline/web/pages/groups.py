"""Segments, and leads with their expected conversions by grade, source and more."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from pipeline.web.groups import REPORTED, highest_rate, lines
from pipeline.web.visit import Asked, Scores, labels

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
    return visit.answer("reports.html", {"tables": tables, "run": edition.run}, edition=edition)
