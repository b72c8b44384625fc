"""A receiver of webhooks as docs/crm.md describes one: it verifies, remembers what it answered, and keeps records."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from collections.abc import Callable, Collection
from datetime import UTC, datetime
from typing import Any

from fakes.serving import Fake, Reply, Request


def is_genuine(secret: str, header: str, body: bytes, *, now: float, tolerance_s: float = 300) -> bool:
    """Return whether *body* was signed with *secret* a short while ago."""
    said = dict(part.split("=", 1) for part in header.split(",") if "=" in part)
    if not said.get("t", "").isdecimal() or abs(now - int(said["t"])) > tolerance_s:
        return False
    expected = hmac.new(secret.encode(), said["t"].encode() + b"." + body, hashlib.sha256).hexdigest()
    return hmac.compare_digest(expected, said.get("v1", ""))


class FakeWebhook(Fake):
    """A receiver.

    Args:
        secret: What it shares with the sender.
        rejected_keys: Keys that it turns away, row by row.
        busy_keys: Keys that it asks to send later, the first time.
        spoiling_keys: Keys for which it refuses a whole batch.
        most_rows: More are too large.
        most_calls: Beyond, calls are asked to come later.
        says_nothing: Whether a batch that went well is answered without a body.
        latency_s: How long each call takes.
        keeps_calls: Whether calls are kept to be looked at.
        clock: Seconds since 1970 (UTC).
    """

    def __init__(
        self,
        secret: str = "webhook-s3cret",
        *,
        rejected_keys: Collection[str] = (),
        busy_keys: Collection[str] = (),
        spoiling_keys: Collection[str] = (),
        most_rows: int = 10_000,
        says_nothing: bool = False,
        latency_s: float = 0.0,
        keeps_calls: bool = True,
        clock: Callable[[], float] = time.time,
    ) -> None:
        super().__init__()
        self.secret, self.clock, self.latency_s = secret, clock, latency_s
        self.keeps_calls = keeps_calls
        self.rejected_keys, self.spoiling_keys = frozenset(rejected_keys), frozenset(spoiling_keys)
        self.busy_keys = set(busy_keys)
        self.most_rows, self.says_nothing = most_rows, says_nothing
        self.records: dict[str, dict[str, Any]] = {}
        self.changed: dict[str, tuple[int, str]] = {}
        self.answered: dict[str, Reply] = {}
        self.applied = 0
        self._number = 0

    def answer(self, request: Request) -> Reply:
        """Return what a receiver would."""
        if request.method != "POST":
            return Reply(405, {"error": "POST only"})
        headers = {name.lower(): value for name, value in request.headers.items()}
        with self.lock:
            if not is_genuine(self.secret, headers.get("leadlight-signature", ""), request.body, now=self.clock()):
                return Reply(401, {"error": "the signature does not fit"}, delay_s=self.latency_s)
            reply = self._answered(request, headers.get("idempotency-key", ""))
        return Reply(reply.status, reply.body, reply.headers, reply.cut_after, self.latency_s)

    def state(self) -> Any:
        """Return the records by key."""
        return {key: dict(sorted(fields.items())) for key, fields in sorted(self.records.items())}

    def change(self, key: str, **fields: Any) -> None:
        """Let a person change a record."""
        with self.lock:
            self._write(key, fields)

    def _answered(self, request: Request, once: str) -> Reply:
        said = request.json()
        if request.path.endswith("/read"):
            return Reply(body={"records": [self._record(key) for key in said["keys"] if key in self.records]})
        if request.path.endswith("/changes"):
            return self._changes(int(said["cursor"] or 0))
        if said.get("ping"):
            return Reply(204)
        if once in self.answered:
            return self.answered[once]
        reply = self._batch(said)
        if reply.status == 200 and not self.busy_keys & {row["key"] for row in said["rows"]}:
            self.answered[once] = reply
        return reply

    def _batch(self, said: Any) -> Reply:
        rows = said["rows"]
        if len(rows) > self.most_rows:
            return Reply(413, {"error": "too many rows"})
        if any(row["key"] in self.spoiling_keys for row in rows):
            return Reply(422, {"error": "a row is not as it should be"})
        self.applied += 1
        results = [self._row(row) for row in rows]
        if self.says_nothing and all(result["status"] == "written" for result in results):
            return Reply(200)
        return Reply(200, {"results": results})

    def _row(self, row: Any) -> dict[str, str]:
        key = row["key"]
        if key in self.rejected_keys:
            return {"key": key, "status": "rejected", "error": f"nobody here is called {key}", "code": "UNKNOWN"}
        if key in self.busy_keys:
            self.busy_keys.discard(key)
            return {"key": key, "status": "retry", "error": "somebody edits it"}
        self._write(key, row["fields"])
        return {"key": key, "status": "written"}

    def _write(self, key: str, fields: dict[str, Any]) -> None:
        self._number += 1
        at = datetime.fromtimestamp(self.clock(), tz=UTC).isoformat()
        self.records[key] = {**self.records.get(key, {}), **json.loads(json.dumps(fields))}
        self.changed[key] = (self._number, at)

    def _record(self, key: str) -> dict[str, Any]:
        return {"key": key, "fields": self.records[key], "changed_at": self.changed[key][1]}

    def _changes(self, after: int) -> Reply:
        later = sorted((number, key) for key, (number, _) in self.changed.items() if number > after)
        page = later[:2]
        cursor = str(page[-1][0] if page else after)
        listed = [self._record(key) for _, key in page]
        return Reply(body={"records": listed, "cursor": cursor, "is_more": len(later) > len(page)})
