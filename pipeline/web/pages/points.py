"""The shop's points card: read it, and try it on a lead."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Form
from fastapi.responses import HTMLResponse

from pipeline.published.editions import Edition
from pipeline.web.card import card_page
from pipeline.web.card_trial import trial
from pipeline.web.filters import LONGEST_TEXT, Wish, checked
from pipeline.web.listing import Shown, listing
from pipeline.web.visit import OWN_FORM, Asked, Scores, Visit

router = APIRouter(prefix="/points")
_FOUND = 25
"""Leads that a search offers."""


@router.get("")
def points(visit: Asked, edition: Scores, lead: str = "") -> HTMLResponse:
    """Show the points card, and what it gives a lead."""
    return _page(visit, edition, lead=lead)


@router.post("", dependencies=[OWN_FORM])
def search(visit: Asked, edition: Scores, text: Annotated[str, Form()] = "") -> HTMLResponse:
    """Offer the leads whose name, company or id hold a text; it stands in no address."""
    wanted = checked(replace(Wish(), text=" ".join(text.split())[:LONGEST_TEXT], size=_FOUND))
    return _page(visit, edition, found=listing(visit, edition, wanted).leads, text=wanted.text)


def _page(
    visit: Visit, edition: Edition, *, lead: str = "", found: list[Shown] | None = None, text: str = ""
) -> HTMLResponse:
    settings = visit.house.settings
    told = card_page(settings, edition.run.model_version)
    can_try = settings.points.card is not None
    tried = trial(visit, edition, lead) if lead and can_try else None
    values = {"told": told, "can_try": can_try, "tried": tried, "lead": lead, "found": found, "text": text}
    return visit.answer("points.html", values, edition=edition)
