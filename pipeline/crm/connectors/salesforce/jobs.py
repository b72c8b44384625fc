"""Jobs of Bulk API 2.0: made, filled, begun, waited for, aborted, and read out.

``Open → UploadComplete → InProgress → JobComplete | Failed | Aborted``. Nothing is written before UploadComplete.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from pipeline.crm.connectors.salesforce.api import GARBLED, Api
from pipeline.crm.connectors.salesforce.job_csv import results
from pipeline.crm.connectors.salesforce.judging import JobStateError, said
from pipeline.crm.connectors.salesforce.options import SalesforceOptions
from pipeline.crm.connectors.salesforce.places import ID
from pipeline.crm.connectors.salesforce.rows import Part
from pipeline.crm.connectors.salesforce.tickets import Job
from pipeline.crm.patience import Patience
from pipeline.crm.trouble import RetryError, StopError, StopReason

OPEN: Final = "Open"
COMPLETE: Final = "JobComplete"
FAILED: Final = "Failed"
ABORTED: Final = "Aborted"
_UNDER_WAY: Final = frozenset({"UploadComplete", "InProgress"})
_ENDS: Final = frozenset({COMPLETE, FAILED, ABORTED})
_GROWTH: Final = 1.5
_PATH: Final = "/jobs/ingest"


class Jobs:
    """The Bulk jobs of one org.

    Args:
        api: The org.
        options: How long pauses are.
        patience: Clock and sleep.
    """

    def __init__(self, api: Api, options: SalesforceOptions, patience: Patience) -> None:
        self._api, self._options, self._patience = api, options, patience

    def open(self, part: Part) -> Job:
        """Make a job for *part*; it holds nothing yet."""
        asked = {"object": part.object, "operation": "update", "contentType": "CSV", "lineEnding": "LF"}
        if part.column != ID:
            asked |= {"operation": "upsert", "externalIdFieldName": part.column}
        made = self._api.mapping("POST", _PATH, body=asked)
        name = made.get("id")
        if not isinstance(name, str) or not name.isalnum():
            raise RetryError(GARBLED)
        return Job(name, part.object, part.column)

    def fill(self, job: Job, content: bytes) -> None:
        """Put rows, written as CSV, into *job*.

        Raises:
            RetryError: The job took them already, perhaps not whole: they must go in another.
        """
        try:
            self._api.ask("PUT", f"{_PATH}/{job.id}/batches", content=content, headers={"Content-Type": "text/csv"})
        except JobStateError as error:
            raise RetryError(error.words) from error

    def begin(self, job: Job) -> None:
        """Let Salesforce write what *job* holds.

        Raises:
            RetryError: It does not begin.
        """
        try:
            self._patch(job.id, "UploadComplete")
        except JobStateError as error:
            # An earlier call may have begun it, and its answer was lost.
            if self.state(job.id)["state"] not in _UNDER_WAY | {COMPLETE}:
                raise RetryError(error.words) from error

    def state(self, name: str) -> Mapping[str, Any]:
        """Return what Salesforce says of a job.

        Raises:
            GoneError: There is no such job.
        """
        found = self._api.mapping("GET", f"{_PATH}/{name}")
        state = found.get("state")
        if not isinstance(state, str) or state not in _ENDS | _UNDER_WAY | {OPEN}:
            raise RetryError(GARBLED)
        return found

    def ended(self, name: str) -> Mapping[str, Any]:
        """Return what Salesforce says of a job when it has ended; pauses between looks grow.

        Raises:
            GoneError: There is no such job any more.
            StopError: It takes too long.
        """
        until = self._patience.clock() + self._options.longest_job_s
        pause = self._options.poll_s
        while (found := self.state(name))["state"] not in _ENDS:
            if self._patience.clock() >= until:
                words = f"The Bulk job {name} is still under way."
                raise StopError(words, reason=StopReason.NETWORK, hint="run the same command later; it goes on there.")
            self._patience.sleep(pause)
            pause = min(pause * _GROWTH, self._options.longest_poll_s)
        return found

    def abort(self, name: str) -> None:
        """See to it that a job that is there writes nothing from now on."""
        if self.state(name)["state"] in _ENDS:
            return
        try:
            self._patch(name, ABORTED)
        except JobStateError:
            # It may have ended in between; else it runs, and its end is waited for.
            self.ended(name)
            return
        self.ended(name)

    def written(self, job: Job) -> Iterator[str]:
        """Yield what tells the rows apart that *job* wrote."""
        for ident, _ in self._results(job, "successfulResults"):
            yield ident

    def failed(self, job: Job) -> Iterator[tuple[str, str, str]]:
        """Yield the rows that *job* did not write, each with a code and a message."""
        for ident, error in self._results(job, "failedResults"):
            code, _, message = error.partition(":")
            yield ident, code, message.removesuffix(" --").rstrip(":")

    def _results(self, job: Job, which: str) -> Iterator[tuple[str, str]]:
        answer = self._api.ask("GET", f"{_PATH}/{job.id}/{which}", headers={"Accept": "text/csv"})
        yield from results(answer.content, job.column)

    def _patch(self, name: str, state: str) -> None:
        self._api.json("PATCH", f"{_PATH}/{name}", body={"state": state})


def why(found: Mapping[str, Any]) -> str:
    """Return what Salesforce says of why a job did not end well."""
    return said(str(found["state"]), str(found.get("errorMessage") or ""))


def is_senseless(found: Mapping[str, Any]) -> bool:
    """Return whether a job failed before its first row: its columns were at fault, not its rows."""
    message = str(found.get("errorMessage") or "")
    return found["state"] == FAILED and message.startswith("InvalidBatch") and not found.get("numberRecordsProcessed")
