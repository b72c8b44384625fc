"""The app behind a port."""

from __future__ import annotations

import gc
import logging
import socket
import threading
from collections.abc import Callable
from contextlib import suppress

import uvicorn
from fastapi import FastAPI
from starlette.types import ASGIApp

from features.errors import LeadlightError, wrong_input
from pipeline.settings import Settings
from pipeline.web.app import create_app
from pipeline.web.house import House


def run(settings: Settings, *, host: str, port: int, say: Callable[[str], None]) -> None:
    """Serve the app until somebody stops it.

    Args:
        settings: The shop's config.
        host: The address to listen on.
        port: The port to listen on; 0 = any that is free.
        say: Told where the app is.

    Raises:
        LeadlightError: The address cannot be used, or others could reach the app without saying who they are.
    """
    app = create_app(settings, host=host)
    server = uvicorn.Server(configured(app, host=host, port=port))
    is_six = ":" in host
    try:
        listening = socket.create_server((host, port), family=socket.AF_INET6 if is_six else socket.AF_INET)
    except (OSError, OverflowError) as error:
        raise _cannot_listen(host, port) from error
    logging.getLogger("pipeline.web").setLevel(logging.INFO)
    where = f"[{host}]" if is_six else host
    say(f"Leadlight shows {settings.shop.name} at http://{where}:{listening.getsockname()[1]}  (Ctrl+C stops it)")
    with listening:
        threading.Thread(target=warm, args=(app,), daemon=True).start()
        try:
            server.run(sockets=[listening])
        finally:
            gc.unfreeze()  # else what is left at the end is told of as leaked


def warm(app: FastAPI) -> None:
    """Open what the first pages need, and let the collector of garbage pass over it from then on.

    A model and its libraries are hundreds of thousands of objects: to look through them takes a tenth of a second, in
    which no page is drawn.
    """
    house: House = app.state.house
    # Where nothing is published yet or something is damaged, the pages say so.
    with suppress(LeadlightError):
        edition = house.published.open()
        house.words.of(edition.run.model_version)
    gc.collect()
    gc.freeze()


def configured(app: ASGIApp, *, host: str, port: int) -> uvicorn.Config:
    """Return how the app is served."""
    return uvicorn.Config(
        app,
        host=host,
        port=port,
        http="h11",  # the other parser lets headers be of any length
        access_log=False,  # it would write addresses with all that stands in them
        server_header=False,
        proxy_headers=False,  # the gate believes the config's proxies, and nobody else
        log_level="warning",
        timeout_keep_alive=15,
        h11_max_incomplete_event_size=32 * 1024,
    )


def _cannot_listen(host: str, port: int) -> LeadlightError:
    hint = "another program may use the port: give another one, such as --port 8001."
    return wrong_input(f"Nothing can listen on {host}, port {port}.", hint=hint)
