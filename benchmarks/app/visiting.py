"""``python -m benchmarks.app.visiting FOLDER PORT``: readers of the web app, each on a connection that stays open.

A search goes by POST with the token of the visit, as the page's own form does. A lead's page is followed by the part
that loads its timeline. Prints what was seen as one line of JSON: per kind of ask, seconds as the reader saw them less
what the reader's own thread computed meanwhile (``seconds``), as seen (``seen``), and as the app measured (``inside``).
"""

from __future__ import annotations

import argparse
import http.client
import json
import re
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlencode

from benchmarks.app.mix import Reader, Wish
from benchmarks.app.trained import known_ids, settings_of
from benchmarks.app.until import Until
from pipeline.published.keys import of_lead, text_of
from pipeline.web.filters import handle

_FIELDS = {"grades": "grade", "stages": "stage", "segments": "segment", "sources": "source", "owners": "owner",
           "temperatures": "temperature", "actions": "action"}  # fmt: skip


class Seen:
    """What all readers saw; lists only grow, so threads may share it."""

    def __init__(self) -> None:
        self.seconds: dict[str, list[float]] = {}
        self.seen: dict[str, list[float]] = {}
        self.inside: dict[str, list[float]] = {}
        self.errors: list[str] = []
        self.mixed = 0
        self.editions: set[str] = set()


class Visitor:
    """One reader with a browser's connection, cookie and token.

    Args:
        port: Of the app.
        seen: Where it is kept what happens.
    """

    def __init__(self, port: int, seen: Seen) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        self._seen = seen
        status, headers, body = self._ask("GET", "/leads")
        self._cookie = (headers.get("set-cookie") or "").partition(";")[0]
        status, headers, body = self._ask("GET", "/leads")
        found = re.search(rb'name="token" value="([0-9a-f]{64})"', body)
        if status != 200 or found is None:
            sys.exit(f"the first page could not be read: {status}")
        self._token = found[1].decode()

    def visit(self, kind: str, path: str, form: dict[str, str] | None = None, *, is_part: bool = False) -> None:
        """Ask for a page, or for the part of one as htmx does, and keep how long it took."""
        began, computed = time.perf_counter(), time.thread_time()
        try:
            body = None if form is None else urlencode({**form, "token": self._token}).encode()
            status, headers, page = self._ask("GET" if form is None else "POST", path, body, is_part=is_part)
        except (OSError, http.client.HTTPException) as error:
            self._seen.errors.append(f"{kind}: {type(error).__name__}: {error}")
            self._connection.close()
            return
        computed, took = time.thread_time() - computed, time.perf_counter() - began
        if status != 200 or b"</" not in page:
            self._seen.errors.append(f"{kind}: {status}")
            return
        for kept, value in (
            (self._seen.seconds, took - computed),
            (self._seen.seen, took),
            (self._seen.inside, float(headers["x-seconds"])),
        ):
            kept.setdefault(kind, []).append(value)
        editions = headers["x-editions"].split()
        self._seen.editions.update(editions)
        self._seen.mixed += len(editions) != 1

    def _ask(
        self, method: str, path: str, body: bytes | None = None, *, is_part: bool = False
    ) -> tuple[int, http.client.HTTPMessage, bytes]:
        headers = {"Cookie": getattr(self, "_cookie", ""), "Accept-Language": "en"}
        if is_part:
            headers |= {"HX-Request": "true"}
        if body is not None:
            headers |= {"Content-Type": "application/x-www-form-urlencoded"}
        self._connection.request(method, path, body=body, headers=headers)
        answer = self._connection.getresponse()
        return answer.status, answer.headers, answer.read()


def read(visitor: Visitor, reader: Reader, keys: Sequence[str], *, rows: int, until: Until) -> None:
    """Let one reader read until the end."""
    time.sleep(reader.thinks())
    while until.goes_on():
        wish = reader.wishes()
        if wish.kind == "lead":
            key = keys[reader.chosen(len(keys))]
            visitor.visit("lead", f"/leads/{key}")
            visitor.visit("timeline", f"/leads/{key}/timeline", is_part=True)
        elif wish.kind == "search":
            visitor.visit("search", "/leads", {"text": wish.text})
        else:
            visitor.visit(wish.kind, f"/leads?{urlencode(_query(wish, rows))}")
        time.sleep(reader.thinks())


def _query(wish: Wish, rows: int) -> list[tuple[str, str]]:
    asked = [("sort", wish.sort)] if wish.sort != "rank" else []
    if wish.kind == "deep page":
        asked.append(("after", f"rank~{int(wish.depth * rows)}"))
    for name, values in wish.filters.items():
        if name == "held":
            asked.append(("held", "yes" if values else "no"))
        else:
            asked += [(_FIELDS[name], handle(value, is_person=name == "owners")) for value in values]
    return asked


def main() -> int:
    """Read, and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.app.visiting", description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("port", type=int)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--readers", type=int, default=20)
    parser.add_argument("--think", type=float, default=1.0)
    parser.add_argument("--leads", type=int, default=1_000_000)
    parser.add_argument("--editions", type=int, default=1)
    asked = parser.parse_args()
    keys = [text_of(of_lead(lead_id)) for lead_id in known_ids(settings_of(asked.folder))[:2_000]]
    seen = Seen()
    Visitor(asked.port, Seen()).visit("lead", f"/leads/{keys[0]}")  # the first page pays for loading the model
    visitors = [Visitor(asked.port, seen) for _ in range(asked.readers)]
    until = Until(asked.seconds, seen.editions, asked.editions)
    threads = [
        threading.Thread(target=read, args=(visitor, Reader(seed, asked.think), keys),
                         kwargs={"rows": asked.leads, "until": until})
        for seed, visitor in enumerate(visitors)
    ]  # fmt: skip
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    told = {name: getattr(seen, name) for name in ("seconds", "seen", "inside", "errors", "mixed")}
    print(json.dumps({**told, "editions": len(seen.editions)}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
