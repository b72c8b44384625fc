"""One file per page; each adds its addresses to a router of its own."""

from fastapi import APIRouter

from pipeline.web.pages import groups, lead, leads, login, model, movers, points


def routers() -> tuple[APIRouter, ...]:
    """Return the routers of all pages; none of them is part of the API's schema."""
    pages = APIRouter(include_in_schema=False)
    for one in (login, leads, lead, movers, groups, model, points):
        pages.include_router(one.router)
    return (pages,)
