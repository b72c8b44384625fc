"""Leads imported as files: one upload, then Marketo works through it, and says afterwards what it did not take.

Marketo names an import only in the answer to its upload. A process that is killed in between leaves an import behind
whose name nobody knows; what it writes is what was frozen, so the values are right in any case. But while it runs, the
same leads must not be created a second time, so the ticket says before each upload that one is begun, and whoever finds
that without a name lets `settle_s` seconds pass since then.

What an import does not vouch for (it failed, or its counts do not add up to its rows) is sent row by row afterwards. So
are rows that it did not take because a field is gone: its words have no code, and that is no row's fault.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from pipeline.crm.connectors.marketo.calls import Calls, results
from pipeline.crm.connectors.marketo.lead_file import LeadFile, lead_files, told_rows
from pipeline.crm.connectors.marketo.row_answers import RowAnswers
from pipeline.crm.connectors.marketo.slip import Import, Slip, imports_of
from pipeline.crm.connectors.marketo.sync import LeadSync
from pipeline.crm.connectors.marketo.watching import Watch
from pipeline.crm.connectors.marketo.wording import words_of_row
from pipeline.crm.http import UnansweredError
from pipeline.crm.promise import Answer, Outcome, Row, Ticket
from pipeline.crm.trouble import BatchRefusedError, RetryError


@dataclass(frozen=True)
class LeadImport:
    """Imports leads from files.

    Args:
        calls: The way to Marketo.
        sync: Writes what no import vouches for.
        watch: Waits for imports to end.
        secrets: What no words may show.
    """

    calls: Calls
    sync: LeadSync
    watch: Watch
    secrets: Callable[[], Iterable[str]]

    def send(self, rows: Sequence[Row], ticket: Ticket) -> list[Answer]:
        """Return one answer for each of *rows*, which all `fits` a file."""
        slip = Slip.of(ticket)
        answers: list[Answer] = []
        files = list(lead_files(rows, self.sync.key))
        for other in slip.others(files):
            self._end(other)
        for file in files:
            state = self._done(file, slip)
            answers += self._answers(file, slip.imports[file.mark].job, state)
        return answers

    def abandon(self, text: str) -> None:
        """Return when none of the imports that a ticket names writes anything any more: Marketo cannot be told to."""
        for one in imports_of(text):
            self._end(one)

    def _done(self, file: LeadFile, slip: Slip) -> dict[str, Any]:
        """Return the last state of the import of *file*, which is uploaded where it was not, or is gone."""
        former = slip.imports.get(file.mark)
        state = self._end(former) if former is not None else None
        while state is None:
            state = self.watch.made(self._upload(file, slip))
        return state

    def _end(self, one: Import) -> dict[str, Any] | None:
        """Return the last state of an upload of before; None where Marketo knows no such import."""
        if one.job:
            return self.watch.ended(one.job)
        if self.sync.may_create:
            pace = self.watch.pace
            passed = (pace.now() - one.begun).total_seconds()
            left = min(pace.settle_s, pace.settle_s - passed)
            if left > 0:
                pace.patience.sleep(left)
        return None

    def _upload(self, file: LeadFile, slip: Slip) -> str:
        asked = {"format": "csv", "lookupField": self.sync.key}
        if self.sync.may_create and self.sync.partition:
            asked["partitionName"] = self.sync.partition
        slip.begin(file, self.watch.pace.now())
        try:
            told = results(self.calls.upload("/bulk/v1/leads.json", file.content, asked))
        except UnansweredError as error:
            raise RetryError(error.words, after_s=self.watch.pace.poll_s) from error
        job = str(told[0].get("batchId") or "") if told else ""
        if not job.isdigit():
            raise RetryError("Marketo did not say what it calls the import.", after_s=self.watch.pace.poll_s)
        slip.named(file, job)
        return job

    def _answers(self, file: LeadFile, job: str, state: dict[str, Any]) -> list[Answer]:
        if state.get("status") != "Complete":
            return self.sync.send(file.rows)
        n_failed, n_processed = state.get("numOfRowsFailed") or 0, state.get("numOfLeadsProcessed")
        failed = self._told(job, "failures") if n_failed else {}
        warned = self._told(job, "warnings") if state.get("numOfRowsWithWarning") else {}
        told = [row for row in file.rows if row.key in failed]
        rest = [row for row in file.rows if row.key not in failed]
        adds_up = len(told) == n_failed and n_processed in (len(rest), len(file.rows))
        says = RowAnswers(self.sync.key, self.secrets)
        again: list[Row] = []
        answers: list[Answer] = []
        for row in told:
            if says.is_of_a_field(failed[row.key], row):
                again.append(row)
            else:
                answers.append(self._answer(row, Outcome.REJECTED, failed[row.key]))
        if not adds_up:
            return answers + self.sync.send([*again, *rest])
        answers += [self._answer(row, Outcome.WRITTEN, warned.get(row.key, "")) for row in rest]
        return answers + self.sync.send(again)

    def _told(self, job: str, what: str) -> dict[str, str]:
        try:
            content = self.calls.download(f"/bulk/v1/leads/batch/{job}/{what}.json")
        except BatchRefusedError:
            return {}  # then the counts do not add up
        return told_rows(content, self.sync.key)

    def _answer(self, row: Row, outcome: Outcome, words: str) -> Answer:
        said = words_of_row(words, row, hidden=self.secrets()) if words else ""
        return Answer(row.key, outcome, words=said)
