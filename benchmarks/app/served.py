"""``python -m benchmarks.app.served FOLDER``: the web app on a free port of loopback, as `leadlight serve` runs it.

Two headers are put on every answer, and nothing else is changed: ``x-editions``, the published editions that were
opened while it was made (one, or the answer was of two runs), and ``x-seconds``, the time from the request's arrival in
the app to the last byte it handed over. Prints the port, and ends when its standard input is closed, with its peak of
memory.
"""

from __future__ import annotations

import argparse
import json
import sys
import threading
import time
from contextvars import ContextVar
from pathlib import Path
from typing import Any

import uvicorn

from benchmarks.app.memory import peak_gb
from benchmarks.app.trained import settings_of
from pipeline.published.editions import Edition, Published
from pipeline.web.app import create_app
from pipeline.web.server import configured, warm

_OPENED: ContextVar[list[str] | None] = ContextVar("_OPENED", default=None)


class Watched:
    """The app, with what was opened and how long it took on every answer.

    Args:
        app: The app.
    """

    def __init__(self, app: Any) -> None:  # noqa: ANN401 - an ASGI app
        self._app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:  # noqa: ANN401 - ASGI
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        opened: list[str] = []
        _OPENED.set(opened)
        began, held = time.perf_counter(), []

        async def watched(message: dict[str, Any]) -> None:
            # Pages are small and come whole: held back until the last byte, so that the header can tell all of it.
            held.append(message)
            if message["type"] == "http.response.body" and not message.get("more_body"):
                told = {
                    b"x-editions": " ".join(sorted(set(opened))),
                    b"x-seconds": f"{time.perf_counter() - began:.6f}",
                }
                held[0]["headers"] = [*held[0]["headers"], *((name, text.encode()) for name, text in told.items())]
                for one in held:
                    await send(one)

        await self._app(scope, receive, watched)


def _watch_editions() -> None:
    """Note every edition that a request opens; threads of a request inherit its list."""
    opening, at_hand = Published.open, Published.at_hand

    def noted(edition: Edition) -> Edition:
        editions = _OPENED.get()
        if editions is not None:
            editions.append(edition.id)
        return edition

    def found(self: Published) -> Edition | None:
        edition = at_hand(self)
        return None if edition is None else noted(edition)

    Published.open = lambda self: noted(opening(self))  # type: ignore[method-assign]
    Published.at_hand = found  # type: ignore[method-assign]


def main() -> int:
    """Serve until nobody listens."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.app.served", description=__doc__)
    parser.add_argument("folder", type=Path)
    asked = parser.parse_args()
    _watch_editions()
    app = create_app(settings_of(asked.folder), host="127.0.0.1")
    config = configured(Watched(app), host="127.0.0.1", port=0)
    server, socket = uvicorn.Server(config), config.bind_socket()
    serving = threading.Thread(target=server.run, kwargs={"sockets": [socket]})
    serving.start()
    warm(app)
    print(socket.getsockname()[1], flush=True)
    sys.stdin.read()
    server.should_exit = True
    serving.join()
    print(json.dumps({"peak_gb": peak_gb()}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
