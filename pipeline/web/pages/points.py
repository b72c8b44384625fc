"""The shop's points card: read it, and try it on a lead."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from pipeline.web.card import card_page
from pipeline.web.visit import Asked, Scores

router = APIRouter(prefix="/points")


@router.get("")
def points(visit: Asked, edition: Scores) -> HTMLResponse:
    """Show the points card."""
    told = card_page(visit.house.settings, edition.run.model_version)
    return visit.answer("points.html", {"told": told}, edition=edition)
