"""The list of today's leads, and its export.

Filters travel in the address, so that a list can be kept as a bookmark; what is searched for goes by POST and stays
out of it.
"""

from __future__ import annotations

from functools import partial
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response, StreamingResponse
from starlette.datastructures import ImmutableMultiDict

from features.moments import from_us
from pipeline.published.editions import Edition
from pipeline.web.export import csv_of, export_name
from pipeline.web.filters import Wish, handle, wish_of
from pipeline.web.listing import asked, drawn, listing
from pipeline.web.visit import OWN_FORM, Asked, Scores, Visit

router = APIRouter()
Fields = ImmutableMultiDict[str, str]


async def _fields(request: Request) -> Fields:
    form = await request.form()
    return ImmutableMultiDict([(name, value) for name, value in form.multi_items() if isinstance(value, str)])


Posted = Annotated[Fields, Depends(_fields)]


@router.get("/")
def first() -> Response:
    """Lead to the list."""
    return RedirectResponse("/leads", status_code=303)


@router.get("/leads")
def leads(request: Request, visit: Asked, edition: Scores) -> HTMLResponse:
    """Show a page of the list."""
    return _page(visit, edition, wish_of(request.query_params))


@router.post("/leads", dependencies=[OWN_FORM])
def filtered(visit: Asked, edition: Scores, posted: Posted) -> HTMLResponse:
    """Show a page of the list, asked for by the form of its filters."""
    return _page(visit, edition, wish_of(posted))


@router.post("/leads/export", dependencies=[OWN_FORM])
def export(visit: Asked, edition: Scores, posted: Posted) -> Response:
    """Give all leads under the same filters, in the same order, as CSV."""
    wish = wish_of(posted)
    rows = edition.export(asked(visit, edition, wish))
    name = export_name(from_us(edition.run.as_of), visit.house.settings.shop.time_zone)
    return StreamingResponse(
        csv_of(rows, visit, edition),
        media_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


def _page(visit: Visit, edition: Edition, wish: Wish) -> HTMLResponse:
    found = listing(visit, edition, wish)
    template = "leads_part.html" if visit.is_part else "leads.html"
    # The browser's address follows the filters, without what was searched for.
    headers = {"HX-Push-Url": wish.address} if visit.is_part else {}
    values = {"found": found, "wish": wish, "handle": handle, "drawn": partial(drawn, visit, edition)}
    return visit.answer(template, values, edition=edition, headers=headers)
