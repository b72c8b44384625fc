"""Marketo's imports: a queue of ten, two of which run; each is through with its file after so many looks at any."""

from __future__ import annotations

import csv
import io
import random
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from fakes.marketo_leads import Leads, RefusedValueError

MOST_QUEUED, MOST_RUNNING = 10, 2
REASON = "Import Failure Reason"


@dataclass
class Job:
    """One import."""

    number: int
    lookup: str
    head: list[str]
    lines: list[list[str]]
    status: str = "Queued"
    looks: int = 0
    began: float = 0.0
    unknown: set[str] = field(default_factory=set)
    failed: list[list[str]] = field(default_factory=list)
    warned: list[list[str]] = field(default_factory=list)


class Imports:
    """All imports.

    Args:
        leads: What they write to.
        refused: Keys that no import writes.
        looks: Looks after which a running import is through.
        seconds: Seconds after which it is through even if nobody looks.
    """

    def __init__(self, leads: Leads, refused: Mapping[str, str], *, looks: int, seconds: float) -> None:
        self.leads, self.refused, self.looks, self.seconds = leads, refused, looks, seconds
        self.jobs: dict[int, Job] = {}
        self.fails_next = 0
        self.warns: dict[str, str] = {}

    def open(self) -> list[Job]:
        """Return the imports that have not ended, in their order."""
        return [job for job in self.jobs.values() if job.status in {"Queued", "Importing"}]

    def take(self, body: bytes, lookup: str) -> Job | None:
        """Queue the file of a multipart body; None where the queue is full."""
        if len(self.open()) >= MOST_QUEUED:
            return None
        lines = list(csv.reader(io.StringIO(_file(body).decode(), newline="")))
        job = Job(3_400 + len(self.jobs), lookup, lines[0], lines[1:])
        self.jobs[job.number] = job
        self.go_on()
        return job

    def go_on(self, *, is_look: bool = False) -> None:
        """Let running imports go on, and queued ones begin."""
        now = time.monotonic()
        for job in self.open():
            if job.status == "Importing":
                job.looks += is_look
                if job.looks >= self.looks or now - job.began >= self.seconds:
                    self._end(job)
        running = sum(job.status == "Importing" for job in self.open())
        for job in [one for one in self.open() if one.status == "Queued"][: MOST_RUNNING - running]:
            job.status, job.began = "Importing", now
            # Looked up now and created at the end: two that run at once do not know of each other's leads.
            place = job.head.index(job.lookup)
            job.unknown = {line[place] for line in job.lines if not self.leads.found(job.lookup, line[place])}

    def end_all(self) -> None:
        """Let all imports end, as they would in time."""
        while waiting := self.open():
            self.go_on()
            for job in waiting[:MOST_RUNNING]:
                if job.status == "Importing":
                    self._end(job)

    def state(self, job: Job) -> dict[str, Any]:
        """Return what Get Import Lead Status tells."""
        is_over = job.status == "Complete"
        return {
            "batchId": job.number,
            "importId": str(job.number),
            "status": job.status,
            "numOfLeadsProcessed": len(job.lines) - len(job.failed) if is_over else 0,
            "numOfRowsFailed": len(job.failed),
            "numOfRowsWithWarning": len(job.warned),
            "message": "",
        }

    def _end(self, job: Job) -> None:
        if self.fails_next:
            self.fails_next -= 1
            job.status = "Failed"
            return
        for line in job.lines:
            self._import(job, line)
        random.Random(job.number).shuffle(job.failed)
        job.status, job.lines = "Complete", [[]] * len(job.lines)

    def _import(self, job: Job, line: list[str]) -> None:
        # An empty cell leaves a field alone.
        record = {name: cell for name, cell in zip(job.head, line, strict=True) if cell and name != "id"}
        key = line[job.head.index(job.lookup)]
        try:
            values = self._checked(record, key)
        except RefusedValueError as error:
            job.failed.append([*_without_empty_end(line), error.message])
            return
        if key in self.warns:
            job.warned.append([*line, self.warns[key]])
        if key not in job.unknown:
            for number in self.leads.found(job.lookup, key):
                self.leads.update(number, values)
        elif job.lookup == "id":
            job.failed.append([*line, "Lead not found"])
        else:
            self.leads.create(values)

    def _checked(self, record: Mapping[str, Any], key: str) -> dict[str, Any]:
        if key in self.refused:
            raise RefusedValueError("", self.refused[key])
        return self.leads.checked(record)


def told_file(job: Job, lines: list[list[str]]) -> bytes:
    """Return failures or warnings as a file."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([[*job.head, REASON], *lines])
    return text.getvalue().encode()


def _without_empty_end(line: list[str]) -> list[str]:
    while line and not line[-1]:
        line = line[:-1]
    return line


def _file(body: bytes) -> bytes:
    boundary = body[: body.index(b"\r\n")]
    begins = body.index(b"\r\n\r\n") + 4
    return body[begins : body.index(b"\r\n" + boundary, begins)]
