"""A stand-in for a Marketo instance, written from the vendor's documents: HTTP 200 whatever happens."""

from __future__ import annotations

import json
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from itertools import count
from typing import Any
from urllib.parse import parse_qsl

from fakes.marketo_imports import Imports, told_file
from fakes.marketo_leads import OF_LEADLIGHT, SEARCHABLE, Leads, RefusedValueError, chosen, described
from fakes.serving import Fake, Reply, Request

CLIENT_ID, CLIENT_SECRET = "4e1f-client", "s3cret-of-the-client"
MOST_JSON, MOST_FILE, MOST_RECORDS, MOST_MATCHES = 1_000_000, 10_000_000, 300, 1_000
_LEADS, _IMPORT, _SCHEMA = "/rest/v1/leads.json", "/bulk/v1/leads", "/rest/v1/leads/schema/fields.json"


class FakeMarketo(Fake):
    """An instance.

    Args:
        key: The custom field that tells leads apart.
        leads: Leads that are there, as dicts.
        n_leads: So many more, with the keys C-0, C-1 …
        fields: Field and type, beside Leadlight's usual ones.
        latency_s: Seconds that a write takes.
        token_calls: Calls after which a token ends before its time; 0 = it lasts.
        token_s: Seconds that a token lasts.
        calls_per_20_s, at_once, daily: The limits.
        import_looks, import_s: Looks, or seconds, after which an import is through.
        refused: Keys that are refused for good, with the words.
        locked: Keys that are refused for so many times with a code that passes.
        may_change_schema: Whether the role may create fields.
        logs: Whether changes are logged; False for a million leads.
        clock: Seconds that only go forward.
    """

    def __init__(
        self,
        key: str = "leadlight_key",
        leads: Sequence[Mapping[str, Any]] = (),
        n_leads: int = 0,
        fields: Mapping[str, str] | None = None,
        *,
        latency_s: float = 0.0,
        token_calls: int = 0,
        token_s: float = 3_600,
        calls_per_20_s: int = 100,
        at_once: int = 10,
        daily: int = 50_000,
        import_looks: int = 2,
        import_s: float = 5.0,
        refused: Mapping[str, str] | None = None,
        locked: Mapping[str, int] | None = None,
        may_change_schema: bool = True,
        logs: bool = True,
        keeps_calls: bool = True,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__()
        self.keeps_calls, self.clock = keeps_calls, clock
        self.leads = Leads(key, {**OF_LEADLIGHT, **(fields or {})}, logs=logs)
        for lead in [*leads, *({key: f"C-{number}"} for number in range(n_leads))]:
            self.leads.create(lead)
        self.refused, self.locked = dict(refused or {}), dict(locked or {})
        self.imports = Imports(self.leads, self.refused, looks=import_looks, seconds=import_s)
        self.latency_s, self.may_change_schema = latency_s, may_change_schema
        self.token_calls, self.token_s = token_calls, token_s
        self.limit, self.most_calls_at_once, self.daily = calls_per_20_s, at_once, daily
        self.made_today = 0
        self._recent: deque[float] = deque()
        self._numbers = count(1)
        self._token, self._token_ends, self._token_left = "", 0.0, 0

    def state(self) -> dict[str, dict[str, Any]]:
        """Return what all leads hold in Leadlight's fields, by key, once every import has ended."""
        self.imports.end_all()
        return self.leads.state()

    def end_token(self) -> None:
        """Let the token end now."""
        self._token_ends = 0.0

    def answer(self, request: Request) -> Reply:
        """Answer one call."""
        with self.lock:
            if request.path == "/identity/oauth/token":
                return self._identity(request)
            refusal = self._limits() or self._token_trouble(request)
            if refusal is not None:
                return refusal
            self.made_today += 1
            self.imports.go_on()
        if request.path == _LEADS and request.method == "POST" and "_method" not in request.query:
            return self._sync(request)
        with self.lock:
            return self._routed(request)

    def _routed(self, request: Request) -> Reply:
        asked = dict(request.query)
        if asked.get("_method") == "GET":
            asked |= dict(parse_qsl(request.body.decode(), keep_blank_values=True))
        elif len(request.path) + sum(len(a) + len(b) + 2 for a, b in asked.items()) > 8_000:
            return Reply(414, b"")
        if request.path.startswith(_IMPORT + "/batch/"):
            return self._import_state(request.path.removeprefix(_IMPORT + "/batch/").removesuffix(".json"))
        routes: dict[tuple[str, str], Callable[[], Reply]] = {
            ("GET", _LEADS): lambda: self._by_filter(asked),
            ("POST", _LEADS): lambda: self._by_filter(asked),
            ("POST", _IMPORT + ".json"): lambda: self._import(request, asked),
            ("GET", "/rest/v1/leads/describe.json"): lambda: done(described(self.leads)),
            ("GET", "/rest/v1/leads/describe2.json"): self._describe2,
            ("GET", _SCHEMA): self._schema,
            ("POST", _SCHEMA): lambda: self._create_fields(request),
            ("GET", "/rest/v1/activities/pagingtoken.json"): lambda: done(None, nextPageToken=self._position(asked)),
            ("GET", "/rest/v1/activities/leadchanges.json"): lambda: self._changes(asked),
            ("POST", "/rest/v1/activities/leadchanges.json"): lambda: self._changes(asked),
            ("GET", "/rest/v1/stats/usage.json"): lambda: done([{"date": "2025-01-20", "total": self.made_today}]),
        }
        route = routes.get((request.method, request.path))
        return failed("610", "Requested resource not found") if route is None else route()

    def _identity(self, request: Request) -> Reply:
        if (request.query.get("client_id"), request.query.get("client_secret")) != (CLIENT_ID, CLIENT_SECRET):
            words = f"Bad client credentials: {request.query.get('client_secret')}"
            return Reply(401, {"error": "unauthorized", "error_description": words})
        now = self.clock()
        if now >= self._token_ends or (self.token_calls and self._token_left <= 0):
            self._token = f"t0ken-{next(self._numbers)}:int"
            self._token_ends, self._token_left = now + self.token_s, self.token_calls
        lasts = int(self._token_ends - now)
        return Reply(
            body={"access_token": self._token, "token_type": "bearer", "expires_in": lasts, "scope": "a@b.example"}
        )

    def _limits(self) -> Reply | None:
        if self.is_asked_now > self.most_calls_at_once:
            return failed("615", "Concurrent access limit reached")
        if self.made_today >= self.daily:
            return failed("607", f"Daily quota '{self.daily}' reached")
        now = self.clock()
        while self._recent and self._recent[0] < now - 20:
            self._recent.popleft()
        if len(self._recent) >= self.limit:
            return failed("606", f"Max rate limit '{self.limit}' exceeded with in '20' secs")
        self._recent.append(now)
        return None

    def _token_trouble(self, request: Request) -> Reply | None:
        said = {name.lower(): value for name, value in request.headers.items()}.get("authorization", "")
        if not said:
            return failed("600", "Empty access token")
        if said != f"Bearer {self._token}":
            return failed("601", "Access token invalid")
        self._token_left -= 1
        if self.clock() >= self._token_ends or (self.token_calls and self._token_left < 0):
            return failed("602", "Access token expired")
        return None

    def _sync(self, request: Request) -> Reply:
        if len(request.body) > MOST_JSON:
            return Reply(413, b"<html>Request Entity Too Large</html>")
        try:
            asked = json.loads(request.body)
        except ValueError:
            return failed("609", "Invalid JSON")
        records, lookup = asked["input"], asked.get("lookupField", "email")
        if len(records) > MOST_RECORDS:
            return failed("1003", f"Max '{MOST_RECORDS}' records")
        with self.lock:
            matches = [self.leads.found(lookup, record.get(lookup, "")) for record in records]
        # Looked up before, written after: of two calls at once, neither knows what the other creates.
        time.sleep(self.latency_s)
        with self.lock:
            told = [
                self._written(record, found, asked.get("action", "createOrUpdate"), str(record.get(lookup)))
                for record, found in zip(records, matches, strict=True)
            ]
        return done(told)

    def _written(self, record: Mapping[str, Any], found: Sequence[int], action: str, key: str) -> dict[str, Any]:
        try:
            self._let_in(key, found, action)
            values = self.leads.checked(record)
        except RefusedValueError as error:
            return skipped(error.code, error.message)
        if not found:
            return {"id": self.leads.create(values), "status": "created"}
        self.leads.update(found[0], values)
        return {"id": found[0], "status": "updated"}

    def _let_in(self, key: str, found: Sequence[int], action: str) -> None:
        if self.locked.get(key, 0) > 0:
            self.locked[key] -= 1
            raise RefusedValueError("611", "System error")
        if key in self.refused:
            raise RefusedValueError("1008", self.refused[key])
        if len(found) > 1:
            raise RefusedValueError("1007", "Multiple lead match lookup criteria")
        if not found and action == "updateOnly":
            raise RefusedValueError("1004", "Lead not found")

    def _by_filter(self, asked: Mapping[str, str]) -> Reply:
        values = asked["filterValues"].split(",")
        if len(values) > MOST_RECORDS:
            return failed("1003", f"Max '{MOST_RECORDS}' filter values")
        if self.leads.types.get(asked["filterType"]) not in SEARCHABLE:
            return failed("1011", f"Field '{asked['filterType']}' not supported")
        numbers = sorted({number for value in values for number in self.leads.found(asked["filterType"], value)})
        if len(numbers) > MOST_MATCHES:
            return failed("1003", "Too many results match the filter")
        start, size = int(asked.get("nextPageToken", "0")), int(asked.get("batchSize", "300"))
        page = [
            chosen(self.leads.by_id[number], asked["fields"].split(",")) for number in numbers[start : start + size]
        ]
        more = {"nextPageToken": str(start + size), "moreResult": True} if start + size < len(numbers) else {}
        return done(page, **more)

    def _import(self, request: Request, asked: Mapping[str, str]) -> Reply:
        if len(request.body) > MOST_FILE:
            return Reply(413, b"")
        job = self.imports.take(request.body, asked.get("lookupField", "email"))
        if job is None:
            return failed("1016", "Too many imports")
        return done([{"batchId": job.number, "importId": str(job.number), "status": "Queued"}])

    def _import_state(self, asked: str) -> Reply:
        number, _, what = asked.partition("/")
        job = self.imports.jobs.get(int(number))
        if job is None:
            return failed("1013", "Object not found")
        if what:
            lines = job.failed if what == "failures" else job.warned
            return Reply(body=told_file(job, lines), headers={"Content-Type": "text/csv"})
        state = self.imports.state(job)
        self.imports.go_on(is_look=True)
        return done([state])

    def _describe2(self) -> Reply:
        searchable = [[name] for name, kind in self.leads.types.items() if kind in SEARCHABLE]
        fields = [{"name": name, "dataType": kind} for name, kind in self.leads.types.items()]
        return done([{"name": "API Lead", "searchableFields": searchable, "fields": fields}])

    def _schema(self) -> Reply:
        return done([{"name": name, "dataType": kind} for name, kind in self.leads.types.items()], moreResult=False)

    def _create_fields(self, request: Request) -> Reply:
        if not self.may_change_schema:
            return failed("603", "Access denied")
        told: list[dict[str, Any]] = []
        for field in request.json()["input"]:
            if field["name"] in self.leads.types:
                told.append({"name": field["name"], **skipped("1017", "Object already exists")})
            else:
                self.leads.types[field["name"]] = field["dataType"]
                told.append({"name": field["name"], "status": "created"})
        return done(told)

    def _position(self, asked: Mapping[str, str]) -> str:
        since = asked["sinceDatetime"]
        return str(sum(entry["activityDate"] < since for entry in self.leads.log))

    def _changes(self, asked: Mapping[str, str]) -> Reply:
        if not asked["nextPageToken"].isdigit():
            return failed("1003", "Invalid paging token")
        start, size = int(asked["nextPageToken"]), int(asked.get("batchSize", "300"))
        names = set(asked["fields"].split(","))
        if unknown := names - set(self.leads.types):
            return failed("1006", f"Field '{min(unknown)}' not found")
        page = self.leads.log[start : start + size]
        told = [entry for entry in page if any(change["name"] in names for change in entry["fields"])]
        is_more = start + size < len(self.leads.log)
        return done(told, nextPageToken=str(start + len(page)), moreResult=is_more)


def done(result: Any, **more: Any) -> Reply:
    """Return an answer that succeeded."""
    body = {"requestId": "e42b#14272d07d78", "success": True, **more}
    return Reply(body=body if result is None else {**body, "result": result})


def failed(code: str, message: str) -> Reply:
    """Return an answer that failed, which is HTTP 200 all the same."""
    errors = [{"code": code, "message": message}]
    return Reply(body={"requestId": "e42b#14272d07d78", "success": False, "errors": errors})


def skipped(code: str, message: str) -> dict[str, Any]:
    """Return the answer to a record that was not written."""
    return {"status": "skipped", "reasons": [{"code": code, "message": message}]}
