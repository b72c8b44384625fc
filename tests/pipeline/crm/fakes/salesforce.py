"""Salesforce's stand-in, from its documents: OAuth, describe, Collections, Bulk API 2.0, SOQL, Composite, Tooling.

FakeSalesforce(leads=3) has the leads ``C-1`` to ``C-3``. Its clock goes on by a second with each call.
"""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote

from fakes.salesforce_jobs import MOST_BYTES, UNDER_WAY, Fate, Job, opened
from fakes.salesforce_queries import Queries, refused
from fakes.salesforce_records import Table, Written, described_field, picklist, usual_fields
from fakes.serving import Fake, Reply, Request

CLIENT_ID, CLIENT_SECRET = "3MVG9-consumer-key", "consumer-secret-4711"
ROOT = re.compile(r"/services/data/v\d+\.0(?P<rest>/.*)")
MOST_RECORDS = 200


class FakeSalesforce(Queries, Fake):
    """One org.

    Args:
        leads: Leads that are there, ``C-1`` and so on.
        keys_in: A file with the keys of further leads, a line each; empty = there are none.
        contacts: Contacts that are there, ``P-1`` and so on.
        key: The external id field of both objects.
        fields: Further fields of both, as describe tells them.
        token_calls: A token dies after so many calls; 0 = it lives.
        polls: A job ends when it is looked at for this time.
        daily: Calls of a day.
        page: Records of one page of a query.
        is_case_sensitive: Whether keys that differ in capital letters are different.
        latency_s: Every answer comes so late.
        keeps_calls: Whether calls are kept for tests to look at.
    """

    def __init__(
        self,
        *,
        leads: int = 0,
        keys_in: str = "",
        contacts: int = 0,
        key: str = "Leadlight_Key__c",
        fields: Iterable[Mapping[str, Any]] = (),
        token_calls: int = 0,
        polls: int = 2,
        daily: int = 100_000,
        page: int = 2_000,
        is_case_sensitive: bool = False,
        latency_s: float = 0.0,
        keeps_calls: bool = True,
    ) -> None:
        Fake.__init__(self)
        self.keeps_calls = keeps_calls
        self.token_calls, self.polls, self.daily, self.page, self.latency_s = token_calls, polls, daily, page, latency_s
        more = {one["name"]: dict(one) for one in fields}
        self.tables = {
            name: Table(name, key, usual_fields(name, key, is_case_sensitive=is_case_sensitive) | more)
            for name in ("Lead", "Contact")
        }
        for number in range(1, leads + 1):
            self.leads.add(f"C-{number}")
        for one in Path(keys_in).read_text(encoding="utf-8").splitlines() if keys_in else ():
            self.leads.add(one)
        for number in range(1, contacts + 1):
            self.contacts.add(f"P-{number}")
        self.tokens: dict[str, int] = {}
        self.jobs: dict[str, Job] = {}
        self.fates: list[Fate] = []
        self.hidden: set[str] = set()
        self.hides_new_fields = False
        self.may_customize = True
        self.used = 0
        self.cursors = {}
        self.numbers = itertools.count(1)

    @property
    def leads(self) -> Table:
        """The leads."""
        return self.tables["Lead"]

    @property
    def contacts(self) -> Table:
        """The contacts."""
        return self.tables["Contact"]

    def state(self) -> dict[str, dict[str, Any]]:
        """Return what was written, by key; a converted lead's contact counts for the lead's key."""
        found: dict[str, dict[str, Any]] = {}
        for record in self.leads.records:
            if record.key is not None and not record.is_deleted:
                contact = self.contacts.with_id(record.contact) if record.contact else None
                found[record.key] = (contact or record).held()
        for record in self.contacts.records:
            if record.key is not None and not record.is_deleted:
                found[record.key] = record.held()
        return found

    def convert(self, key: str, *, with_key: bool = False, has_contact: bool = True) -> str:
        """Convert a lead, and return its contact's Id."""
        with self.lock:
            contact = self.contacts.add(key if with_key else None) if has_contact else None
            contact_id = self.contacts.id_of(contact) if contact else ""
            self.leads.convert(self.leads.with_key(key)[0], contact_id)
            return contact_id

    def answer(self, request: Request) -> Reply:
        """Return what Salesforce would."""
        with self.lock:
            for table in self.tables.values():
                table.seconds += 1
            reply = self._answer(request)
            told = {"Sforce-Limit-Info": f"api-usage={self.used}/{self.daily}"}
        return Reply(reply.status, reply.body, {**told, **reply.headers}, delay_s=self.latency_s)

    def _answer(self, request: Request) -> Reply:
        if request.path == "/services/oauth2/token":
            return self._token(request)
        found = ROOT.fullmatch(request.path)
        if found is None:
            return refused(404, "NOT_FOUND", "The requested resource does not exist")
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        if self.tokens.get(token, 0) <= 0:
            return refused(401, "INVALID_SESSION_ID", "Session expired or invalid")
        self.tokens[token] -= 1
        self.used += 1
        if self.used > self.daily:
            return refused(403, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.")
        return self._routed(request, found["rest"])

    def _routed(self, request: Request, rest: str) -> Reply:
        routes: list[tuple[str, str, Callable[..., Reply]]] = [
            ("GET", r"/sobjects/(\w+)/describe", self._describe),
            ("GET", r"/query(?:All)?/?", self.query),
            ("GET", r"/query(?:All)?/([\w-]+)", self.more),
            ("POST", r"/composite", self.composite),
            ("PATCH", r"/composite/sobjects", self._update),
            ("PATCH", r"/composite/sobjects/(\w+)/(\w+)", self._upsert),
            ("POST", r"/jobs/ingest/?", self._open_job),
            ("PUT", r"/jobs/ingest/(\w+)/batches/?", self._fill_job),
            ("PATCH", r"/jobs/ingest/(\w+)", self._patch_job),
            ("GET", r"/jobs/ingest/(\w+)", self._job),
            ("GET", r"/jobs/ingest/(\w+)/(successfulResults|failedResults|unprocessedrecords)/?", self._results),
            ("POST", r"/tooling/sobjects/CustomField/?", self._custom_field),
        ]
        for method, pattern, handler in routes:
            found = re.fullmatch(pattern, rest)
            if found and method == request.method:
                return handler(request, *found.groups())
        return refused(404, "NOT_FOUND", "The requested resource does not exist")

    def _token(self, request: Request) -> Reply:
        asked = dict(parse_qsl(request.body.decode()))
        if asked.get("grant_type") != "client_credentials":
            return Reply(400, {"error": "unsupported_grant_type", "error_description": "grant type not supported"})
        if (asked.get("client_id"), asked.get("client_secret")) != (CLIENT_ID, CLIENT_SECRET):
            return Reply(400, {"error": "invalid_client", "error_description": "invalid client credentials"})
        token = f"00D!token{next(self.numbers)}"
        self.tokens[token] = self.token_calls or 2**62
        return Reply(200, {"access_token": token, "instance_url": "https://elsewhere.example", "token_type": "Bearer"})

    def _describe(self, request: Request, name: str) -> Reply:
        if name not in self.tables:
            return refused(404, "NOT_FOUND", "The requested resource does not exist")
        fields = [one for one in self.tables[name].fields.values() if not self.is_hidden(name, one["name"])]
        return Reply(200, {"name": name, "createable": True, "updateable": True, "fields": fields})

    def _update(self, request: Request) -> Reply:
        return self._written(request, None, "Id")

    def _upsert(self, request: Request, name: str, column: str) -> Reply:
        table = self.tables.get(name)
        if table is None or unquote(column) != table.key:
            return refused(
                404, "NOT_FOUND", f"Provided external ID field does not exist or is not accessible: {column}"
            )
        return self._written(request, table, column)

    def _written(self, request: Request, table: Table | None, column: str) -> Reply:
        try:
            records = json.loads(request.body)["records"]
        except (ValueError, KeyError):
            return refused(400, "JSON_PARSER_ERROR", "Unexpected character in the request")
        if len(records) > MOST_RECORDS:
            return refused(400, "EXCEEDED_ID_LIMIT", "record limit reached. cannot submit more than 200 records")
        meant = []
        for record in records:
            of = table or self.tables[record.pop("attributes")["type"]]
            record.pop("attributes", None)
            unknown = [name for name in record if name not in of.fields]
            if unknown:
                return refused(400, "INVALID_FIELD", f"No such column '{unknown[0]}' on sobject of type {of.name}")
            meant.append((of, str(record.pop(column)), record))
        idents = [ident for _, ident, _ in meant]
        answers = []
        for of, ident, record in meant:
            twice = Written(code="DUPLICATE_VALUE", message=f"duplicate id specified: {ident}")
            told = twice if idents.count(ident) > 1 else of.write(column, ident, record)
            answers.append(_collected(told))
        return Reply(200, answers)

    def _open_job(self, request: Request) -> Reply:
        asked = request.json()
        if asked.get("object") not in self.tables or asked.get("contentType") != "CSV":
            return refused(400, "INVALIDJOB", "Unable to find object")
        name = f"750{next(self.numbers):012d}AAA"
        self.jobs[name] = opened(name, asked, self.fates.pop(0) if self.fates else None)
        return Reply(200, {**self.jobs[name].said(), "contentUrl": f"services/data/v62.0/jobs/ingest/{name}/batches"})

    def _fill_job(self, request: Request, name: str) -> Reply:
        job = self.jobs.get(name)
        if job is None:
            return _no_job()
        if job.state != "Open":
            return refused(400, "INVALIDJOBSTATE", "Invalid job state: batches can only be added to an open job")
        if job.content is not None:
            return refused(400, "CLIENT_INPUT_ERROR", f"Found multiple contents for job: <{name}>, do 'PUT' only once")
        if len(request.body) > MOST_BYTES:
            return refused(413, "REQUEST_TOO_LARGE")
        job.content = request.body
        return Reply(201)

    def _patch_job(self, request: Request, name: str) -> Reply:
        job, wanted = self.jobs.get(name), request.json().get("state")
        if job is None:
            return _no_job()
        if wanted == "UploadComplete" and job.state == "Open" and job.content is not None:
            job.begin(self.tables[job.object])
        elif wanted == "Aborted" and job.state in {"Open", *UNDER_WAY}:
            job.end("Aborted")
        else:
            return refused(400, "INVALIDJOBSTATE", f"Invalid job state transition from {job.state} to {wanted}")
        return Reply(200, job.said())

    def _job(self, request: Request, name: str) -> Reply:
        job = self.jobs.get(name)
        if job is None:
            return _no_job()
        job.look(self.tables[job.object], self.polls)
        if job.state == "gone":
            del self.jobs[name]
            return _no_job()
        return Reply(200, job.said())

    def _results(self, request: Request, name: str, which: str) -> Reply:
        job = self.jobs.get(name)
        if job is None:
            return _no_job()
        return Reply(200, job.result(which), {"Content-Type": "text/csv"})

    def _custom_field(self, request: Request) -> Reply:
        if not self.may_customize:
            return refused(403, "INSUFFICIENT_ACCESS", "insufficient access rights on cross-reference id")
        asked = request.json()
        name, _, field = asked["FullName"].partition(".")
        fields = self.tables[name].fields
        if field in fields:
            return refused(400, "DUPLICATE_DEVELOPER_NAME", f"There is already a field named {field} on {name}.")
        fields[field] = _of_metadata(field, asked["Metadata"])
        if self.hides_new_fields:
            self.hidden.add(field)
        return Reply(201, {"id": f"00N{next(self.numbers):012d}AAA", "success": True, "errors": []})


def _no_job() -> Reply:
    return refused(404, "NOT_FOUND", "The requested resource does not exist")


def _collected(told: Written) -> dict[str, Any]:
    if told.code:
        errors = [{"statusCode": told.code, "message": told.message, "fields": list(told.fields)}]
        return {"success": False, "errors": errors}
    return {"id": told.id, "success": True, "created": told.is_created, "errors": []}


def _of_metadata(name: str, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Return a field as describe tells it after it was made."""
    kind = {
        "Text": "string", "LongTextArea": "textarea", "Number": "double", "Checkbox": "boolean",
        "DateTime": "datetime", "Picklist": "picklist",
    }[asked["type"]]  # fmt: skip
    more: dict[str, Any] = {one: asked[one] for one in ("label", "length", "precision", "scale") if one in asked}
    if kind == "picklist":
        values = [one["fullName"] for one in asked["valueSet"]["valueSetDefinition"]["value"]]
        more |= {"picklistValues": picklist(values), "restrictedPicklist": asked["valueSet"]["restricted"]}
    return described_field(name, kind, **more)
