"""Who scores: figures, history, the model card, the certificate and the pictures."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, Response

from pipeline.web.faults import no_such_page
from pipeline.web.model_files import FIGURES, card_page, certificate_page, model_page, plot, style_policy
from pipeline.web.visit import Asked, Scores

router = APIRouter(prefix="/model")


@router.get("")
def model(visit: Asked, edition: Scores) -> HTMLResponse:
    """Show who scores and how good it is."""
    told = model_page(visit.house.settings, edition.run.model_version)
    return visit.answer("model.html", {"told": told, "figures": FIGURES}, edition=edition)


@router.get("/{label}/card")
def card(label: str, visit: Asked) -> Response:
    """Show a version's model card, as the training wrote it."""
    return _page(card_page(visit.house.settings, label))


@router.get("/{label}/certificate")
def certificate(label: str, visit: Asked) -> Response:
    """Show a version's leak certificate, as the training wrote it."""
    return _page(certificate_page(visit.house.settings, label))


@router.get("/{label}/plots/{name}")
def picture(label: str, name: str, visit: Asked) -> Response:
    """Show a picture of a version."""
    found = plot(visit.house.settings, label, name)
    if found is None:
        raise no_such_page()
    return Response(found, media_type="image/png", headers={"Cache-Control": "private, max-age=3600"})


def _page(found: bytes | None) -> Response:
    if found is None:
        raise no_such_page()
    return HTMLResponse(found, headers={"Content-Security-Policy": style_policy(found)})
