"""What the stand-in of Salesforce answers to SOQL, page by page, alone or several together."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from fakes.salesforce_records import Record, Table
from fakes.salesforce_soql import MalformedError, parsed
from fakes.serving import Reply, Request

LONGEST_ADDRESS = 16_384


def refused(status: int, code: str, message: str = "", *, fields: Sequence[str] = ()) -> Reply:
    """Return an error as Salesforce tells it."""
    return Reply(status, [{"message": message or code, "errorCode": code, "fields": list(fields)}])


class Queries:
    """The part of an org that answers queries.

    Attributes:
        tables: Its objects.
        hidden: Fields that the integration user may not see: ``Stop__c`` on all objects, ``Lead.Stop__c`` on one.
        page: Records of one page.
        cursors: What is left of queries.
        numbers: Names for cursors.
    """

    tables: dict[str, Table]
    hidden: set[str]
    page: int
    cursors: dict[str, tuple[Table, list[str], list[Record]]]
    numbers: Iterator[int]

    def is_hidden(self, table: str, name: str) -> bool:
        """Return whether the integration user may not see a field of an object."""
        return not self.hidden.isdisjoint({name, f"{table}.{name}"})

    def query(self, request: Request) -> Reply:
        return self._queried(request.query.get("q", ""))

    def _queried(self, text: str) -> Reply:
        if len(text) > LONGEST_ADDRESS:
            return refused(414, "URI_TOO_LONG")
        try:
            query = parsed(text)
        except MalformedError as error:
            return refused(400, "MALFORMED_QUERY", f"\n{text}\n^\nERROR at Row:1:Column:1\n{error}")
        table = self.tables.get(query.table)
        if table is None:
            return refused(400, "INVALID_TYPE", f"sObject type '{query.table}' is not supported.")
        unknown = sorted(name for name in query.named if name not in table.fields or self.is_hidden(table.name, name))
        if unknown:
            told = f"\n{text}\n^\nERROR at Row:1:Column:8\nNo such column '{unknown[0]}' on entity '{table.name}'."
            return refused(400, "INVALID_FIELD", told)
        found = [
            record
            for record in self._candidates(table, query.among)
            if not record.is_deleted and query.test(lambda name, record=record: table.view(record, name))
        ]
        for name in reversed(query.order):
            found.sort(key=lambda record, name=name: table.view(record, name))
        return self._page(table, query.columns, found[: query.limit])

    def _candidates(self, table: Table, among: list[tuple[str, list[Any]]]) -> Iterable[Record]:
        for name, values in among:
            texts = [value for value in values if isinstance(value, str)]
            if name == "Id":
                return [record for value in dict.fromkeys(texts) if (record := table.with_id(value)) is not None]
            if name == table.key:
                found = {record.number: record for value in texts for record in table.with_key(value)}
                return found.values()
            if name == "ConvertedContactId":
                return [table.records[n] for value in dict.fromkeys(texts) for n in table.by_contact.get(value, ())]
        return table.records

    def _page(self, table: Table, columns: list[str], records: list[Record]) -> Reply:
        now, later = records[: self.page], records[self.page :]
        body: dict[str, Any] = {
            "totalSize": len(records), "done": not later, "records": [_shown(table, columns, one) for one in now]
        }  # fmt: skip
        if later:
            name = f"01g{next(self.numbers):012d}-{self.page}"
            self.cursors[name] = (table, columns, later)
            body["nextRecordsUrl"] = f"/services/data/v62.0/query/{name}"
        return Reply(200, body)

    def more(self, request: Request, name: str) -> Reply:
        if name not in self.cursors:
            return refused(400, "INVALID_QUERY_LOCATOR", "invalid query locator")
        return self._page(*self.cursors[name])

    def composite(self, request: Request) -> Reply:
        asked = request.json()["compositeRequest"]
        if len(asked) > 5:
            return refused(400, "LIMIT", "no more than 5 queries in a composite request")
        parts = []
        for one in asked:
            query = dict(parse_qsl(urlsplit(one["url"]).query))
            reply = self._queried(query.get("q", ""))
            status = {"httpHeaders": {}, "httpStatusCode": reply.status, "referenceId": one["referenceId"]}
            parts.append({"body": reply.body, **status})
        return Reply(200, {"compositeResponse": parts})


def _shown(table: Table, columns: list[str], record: Record) -> dict[str, Any]:
    place = f"/services/data/v62.0/sobjects/{table.name}/{table.id_of(record)}"
    shown: dict[str, Any] = {"attributes": {"type": table.name, "url": place}}
    for name in columns:
        value = table.view(record, name)
        shown[name] = value.strftime("%Y-%m-%dT%H:%M:%S.000+0000") if isinstance(value, datetime) else value
    return shown
