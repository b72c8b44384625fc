"""The app, put together: what surrounds every answer, who may come in, the pages."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from datetime import datetime
from importlib.metadata import version

from fastapi import FastAPI
from fastapi.routing import APIRoute

from pipeline.marks import marks_of
from pipeline.published.editions import Published
from pipeline.settings import Settings
from pipeline.web import answers, api, house, pages
from pipeline.web.access import access_of
from pipeline.web.bodies import SmallBodies
from pipeline.web.gate import Gate
from pipeline.web.hosts import LOOPBACK_NAMES, KnownHosts
from pipeline.web.sessions import Sessions
from pipeline.web.shell import Shell
from pipeline.web.static_files import KeptFiles
from pipeline.web.words import Words
from pipeline.workspace import Workspace


def create_app(
    settings: Settings,
    *,
    host: str = "127.0.0.1",
    environment: Mapping[str, str] | None = None,
    clock: Callable[[], datetime] | None = None,
) -> FastAPI:
    """Return the whole app.

    Args:
        settings: The shop's config.
        host: The address that it will be bound to: it decides who is asked for a password.
        environment: Users and secrets; None = the process's own.
        clock: The present moment (aware); None = the machine's.

    Raises:
        LeadlightError: The address can be reached by others and nothing would stop them, or a secret is missing.
    """
    found = os.environ if environment is None else environment
    access = access_of(settings.app, host=host, environment=found)
    sessions = Sessions(access.secret, seconds=settings.app.session_hours * 3600)
    published = Published(Workspace(settings.shop.workspace))
    kept = house.House(settings, access, sessions, marks_of(settings, found), published, Words(settings))
    if clock is not None:
        kept = house.with_clock(kept, clock)
    app = FastAPI(
        title="Leadlight",
        version=version("leadlight"),
        description="The published scores of a shop, as its web app shows them.",
        docs_url=None,  # its page would load scripts from elsewhere
        redoc_url=None,
        openapi_url="/api/v1/openapi.json",
        generate_unique_id_function=_name_of,
        redirect_slashes=False,  # a redirect would repeat the address as it was asked
    )
    app.state.house = kept
    app.mount("/static", KeptFiles(), name="static")
    for router in pages.routers():
        app.include_router(router)
    app.include_router(api.router())
    answers.add_to(app)
    names = (*LOOPBACK_NAMES, *settings.app.hosts) if access.is_loopback else tuple(settings.app.hosts)
    # The last one added is the outermost.
    app.add_middleware(Gate, access=access, sessions=sessions)
    app.add_middleware(SmallBodies)
    app.add_middleware(KnownHosts, names=names)
    app.add_middleware(Shell)
    return app


def _name_of(route: APIRoute) -> str:
    return route.name
