"""A vendor's stand-in over real HTTP on loopback: one state, many threads, and trouble on demand.

with serving(FakeHubSpot()) as url:   in this process, for tests
python -m fakes.serving fakes.hubspot:FakeHubSpot    in a process of its own, for kills and benchmarks
"""

from __future__ import annotations

import argparse
import importlib
import json
import socket
import struct
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit


@dataclass(frozen=True)
class Request:
    """One call as it arrived."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        """Return the body as JSON."""
        return json.loads(self.body)


@dataclass(frozen=True)
class Reply:
    """What is answered.

    Attributes:
        status: Of HTTP.
        body: JSON data, or bytes as they are.
        headers: Beside the usual ones.
        cut_after: Bytes of the body after which the connection is reset; None = it is sent whole.
        delay_s: Seconds before it is sent.
    """

    status: int = 200
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    cut_after: int | None = None
    delay_s: float = 0.0


@dataclass
class Trouble:
    """What goes wrong with the next calls that `matches`.

    Attributes:
        reply: What is answered; None = the usual answer, changed by the two below.
        times: How many calls it meets.
        matches: Which ones.
        is_done_first: True: the call takes effect, and its answer is replaced: the client cannot know.
        cut_after: The usual answer is cut after so many bytes.
        delay_s: The usual answer comes late.
    """

    reply: Reply | None = None
    times: int = 1
    matches: Callable[[Request], bool] = lambda _: True
    is_done_first: bool = False
    cut_after: int | None = None
    delay_s: float = 0.0


class Fake:
    """What all stand-ins share: a lock, a list of calls, and trouble to come."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.calls: list[Request] = []
        self.keeps_calls = True
        self.is_asked_now = 0
        self.most_at_once = 0
        self._troubles: list[Trouble] = []

    def trouble(self, *troubles: Trouble) -> None:
        """Let the next calls meet *troubles*, in order."""
        with self.lock:
            self._troubles += troubles

    def answer(self, request: Request) -> Reply:
        """Return what the vendor would; called by many threads: take `self.lock` around the state."""
        raise NotImplementedError

    def state(self) -> Any:
        """Return what the vendor holds of leads, as plain data that two runs can be compared by."""
        raise NotImplementedError

    def handled(self, request: Request) -> Reply:
        """Return what is answered, trouble included."""
        with self.lock:
            if self.keeps_calls:
                self.calls.append(request)
            self.is_asked_now += 1
            self.most_at_once = max(self.most_at_once, self.is_asked_now)
            met = next((one for one in self._troubles if one.times > 0 and one.matches(request)), None)
            if met is not None:
                met.times -= 1
        try:
            if met is None:
                return self.answer(request)
            if met.reply is not None:
                if met.is_done_first:
                    self.answer(request)
                return met.reply
            usual = self.answer(request)
            return Reply(usual.status, usual.body, usual.headers, met.cut_after, met.delay_s)
        finally:
            with self.lock:
                self.is_asked_now -= 1


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    server: _Server

    def _any(self) -> None:
        parts = urlsplit(self.path)
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        asked = Request(
            self.command, parts.path, dict(parse_qsl(parts.query, keep_blank_values=True)), dict(self.headers), body
        )
        reply = self.server.fake.handled(asked)
        if reply.delay_s:
            time.sleep(reply.delay_s)
        sent = reply.body if isinstance(reply.body, bytes) else json.dumps(reply.body).encode()
        sent = b"" if reply.body is None else sent
        self.send_response(reply.status)
        headers = {"Content-Type": "application/json", "Content-Length": str(len(sent)), **reply.headers}
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        if reply.cut_after is not None:
            self.wfile.write(sent[: reply.cut_after])
            self.wfile.flush()
            # A reset, not an end: what was sent may be lost on its way, as when a machine goes away.
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.close_connection = True
            self.connection.close()
            return
        self.wfile.write(sent)
        self.wfile.flush()

    do_GET = _any  # noqa: N815 - the names are the standard library's
    do_POST = do_PUT = do_PATCH = do_DELETE = _any  # noqa: N815

    def finish(self) -> None:
        """Forgive a connection that was reset."""
        try:
            super().finish()
        except (OSError, ValueError):
            return

    def log_message(self, *_: object) -> None:
        """Say nothing."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128
    fake: Fake

    def handle_error(self, *_: object) -> None:
        """Say nothing of clients that were killed; all else is shown."""
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(*_)


def _server(fake: Fake, port: int = 0) -> _Server:
    server = _Server(("127.0.0.1", port), _Handler)
    server.fake = fake
    return server


@contextmanager
def serving(fake: Fake) -> Iterator[str]:
    """Serve *fake* on a free port of loopback, and give its address."""
    server = _server(fake)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def main() -> None:
    """Serve until stdin says ``end``; print the address first; ``state`` prints the state as one line of JSON.

    ``calls`` prints how many calls came and how many were under way at most.
    """
    parser = argparse.ArgumentParser()
    parser.add_argument("fake", help="module:Class")
    parser.add_argument("--options", default="{}", help="JSON of the class's arguments")
    asked = parser.parse_args()
    module, _, name = asked.fake.partition(":")
    fake: Fake = getattr(importlib.import_module(module), name)(**json.loads(asked.options))
    with serving(fake) as url:
        print(url, flush=True)
        for line in sys.stdin:
            if line.strip() == "end":
                return
            if line.strip() == "state":
                with fake.lock:
                    print(json.dumps(fake.state()), flush=True)
            if line.strip() == "calls":
                print(json.dumps([len(fake.calls), fake.is_asked_now, fake.most_at_once]), flush=True)


if __name__ == "__main__":
    main()
