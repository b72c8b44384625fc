"""Bulk API 2.0 of the stand-in: jobs that go their way as they are looked at, and results in an order of their own."""

from __future__ import annotations

import csv
import io
import random
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from fakes.salesforce_records import Table, Written

UNDER_WAY = ("UploadComplete", "InProgress")
MOST_BYTES = 100_000_000


@dataclass(frozen=True)
class Fate:
    """How a job to come will end.

    Attributes:
        end: ``Failed``, ``Aborted`` or ``gone``.
        rows: How many rows are written before.
        message: What is said of it.
    """

    end: str
    rows: int = 0
    message: str = "InternalServerError : the job could not be finished"


@dataclass
class Job:
    """One ingest job."""

    id: str
    object: str
    operation: str
    column: str
    fate: Fate | None = None
    state: str = "Open"
    content: bytes | None = None
    polls: int = 0
    done: int = 0
    failed: int = 0
    message: str = ""
    header: list[str] = field(default_factory=list)
    rows: list[list[str]] = field(default_factory=list)
    told: list[Written] = field(default_factory=list)
    results: dict[str, bytes] = field(default_factory=dict)

    def said(self) -> dict[str, Any]:
        """Return the job as Salesforce tells it."""
        return {
            "id": self.id, "object": self.object, "operation": self.operation, "state": self.state,
            "externalIdFieldName": None if self.column == "Id" else self.column, "contentType": "CSV",
            "lineEnding": "LF", "numberRecordsProcessed": self.done, "numberRecordsFailed": self.failed,
            "errorMessage": self.message or None, "jobType": "V2Ingest", "apiVersion": 62.0,
        }  # fmt: skip

    def begin(self, table: Table) -> None:
        """Read what was uploaded; columns that are not there fail the job as a whole."""
        self.state = "UploadComplete"
        text = io.StringIO((self.content or b"").decode(), newline="")
        self.content = None
        rows = csv.reader(text)
        self.header = next(rows, [])
        self.rows = list(rows)
        unknown = [name for name in self.header if name not in table.fields]
        if self.column not in self.header or unknown:
            self.message = f"InvalidBatch : Field name not found : {', '.join(unknown) or self.column}"
            self.end("Failed")

    def look(self, table: Table, polls: int) -> None:
        """Go on by one look."""
        if self.state not in UNDER_WAY:
            return
        self.polls += 1
        most = len(self.rows) if self.fate is None else min(self.fate.rows, len(self.rows))
        if self.polls < polls:
            self.state = "InProgress"
            self.work(table, most // 2)
            return
        self.work(table, most)
        if self.fate is not None:
            self.message = self.fate.message
        self.end("JobComplete" if self.fate is None else self.fate.end)

    def work(self, table: Table, until: int) -> None:
        """Write the rows up to a number."""
        at = self.header.index(self.column)
        names = [name for name in self.header if name != self.column]
        for row in self.rows[self.done : until]:
            cells = row[:at] + row[at + 1 :]
            values = {name: None if cell == "#N/A" else cell for name, cell in zip(names, cells, strict=True) if cell}
            told = table.write(self.column, row[at], values)
            self.told.append(told)
            self.failed += bool(told.code)
        self.done = max(self.done, until)

    def end(self, state: str) -> None:
        """End, and write the results down; what the rows hold is let go."""
        self.state = state
        order = list(range(len(self.told)))
        random.Random(self.id).shuffle(order)
        good = [i for i in order if not self.told[i].code]
        bad = [i for i in order if self.told[i].code]
        self.results = {
            "successfulResults": self._csv(
                ["sf__Id", "sf__Created"], [[self.told[i].id, str(self.told[i].is_created).lower()] for i in good], good
            ),
            "failedResults": self._csv(["sf__Id", "sf__Error"], [["", _error(self.told[i])] for i in bad], bad),
            "unprocessedrecords": self._csv([], None, list(range(len(self.told), len(self.rows)))),
        }
        self.rows, self.told = [], []

    def result(self, which: str) -> bytes:
        """Return a result file."""
        return zlib.decompress(self.results[which]) if which in self.results else b""

    def _csv(self, before: list[str], cells: list[list[str]] | None, rows: list[int]) -> bytes:
        text = io.StringIO(newline="")
        writer = csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\n")
        writer.writerow([*before, *self.header])
        told = cells if cells is not None else [[] for _ in rows]
        writer.writerows([*first, *self.rows[i]] for first, i in zip(told, rows, strict=True))
        return zlib.compress(text.getvalue().encode(), 1)


def _error(told: Written) -> str:
    return f"{told.code}:{told.message}:{','.join(told.fields)} --"


def opened(name: str, asked: Mapping[str, Any], fate: Fate | None) -> Job:
    """Return a new job."""
    column = asked.get("externalIdFieldName") or "Id"
    return Job(name, asked["object"], asked["operation"], column, fate)
