"""What changed since the run before: who rose, who fell, who is newly hot, who has gone cold."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from features.moments import from_us
from pipeline.web.lead import local
from pipeline.web.listing import shown
from pipeline.web.visit import Asked, Scores

router = APIRouter()
MOST = 15


@router.get("/movers")
def movers(visit: Asked, edition: Scores) -> HTMLResponse:
    """Show who moved most."""
    found, before = edition.movers(MOST), edition.run.compared_with
    values = {
        "newly_hot": shown(visit, edition, found.newly_hot),
        "risers": shown(visit, edition, found.risers),
        "fallers": shown(visit, edition, found.fallers),
        "gone_cold": shown(visit, edition, found.gone_cold),
        "before": local(visit, from_us(before["as_of"])) if before else None,
        "model_before": before["model_version"] if before else "",
    }
    return visit.answer("movers.html", values, edition=edition)
