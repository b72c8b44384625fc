"""Many rows: Bulk jobs, found again by the ticket that the ledger keeps.

The ticket names the jobs before they begin. Whoever comes with a ticket takes the jobs' results, waits for those under
way, and sends anew only what went to jobs that never began, were aborted, failed, or are gone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from pipeline.crm.connectors.salesforce import few_rows
from pipeline.crm.connectors.salesforce.api import Api
from pipeline.crm.connectors.salesforce.job_csv import means_nothing, written
from pipeline.crm.connectors.salesforce.jobs import ABORTED, COMPLETE, OPEN, Jobs, is_senseless, why
from pipeline.crm.connectors.salesforce.judging import GoneError
from pipeline.crm.connectors.salesforce.places import ID, Whereabouts
from pipeline.crm.connectors.salesforce.rows import Order, Part, answer_of, require_no_stop
from pipeline.crm.connectors.salesforce.tickets import Job, jobs_of, text_of
from pipeline.crm.promise import Answer, Outcome, Row, Ticket
from pipeline.crm.trouble import StopError, StopReason

_UNTOLD: Final = "The Bulk job does not tell what became of this row."
_GONE: Final = "The Bulk job is no longer there."
_HINT: Final = "run `leadlight publish --setup`; it makes what is missing and says what does not fit."


@dataclass(frozen=True)
class ManyRows:
    """Writes rows by Bulk jobs.

    Args:
        api: The org.
        jobs: Its jobs.
        places: Finds the records of keys.
        order: Says which rows go where.
    """

    api: Api
    jobs: Jobs
    places: Callable[[Sequence[str]], dict[str, Whereabouts]]
    order: Callable[[Sequence[Row], Mapping[str, Whereabouts]], Order]

    def write(self, rows: Sequence[Row], ticket: Ticket, *, beside: Sequence[Job] = ()) -> list[Answer]:
        """Write *rows*, and return an answer for each.

        Args:
            rows: The rows.
            ticket: Where the jobs' names are kept.
            beside: Jobs that have ended well and stay named in the ticket.
        """
        order = self.order(rows, self.places([row.key for row in rows]))
        answers = list(order.refused)
        large: list[tuple[Part, bytes]] = []
        for part in order.parts:
            by_job, by_call = _divided(part)
            large += [(by_job, written(by_job))] if by_job.rows else []
            answers += few_rows.write(self.api, by_call)
        opened = [(self.jobs.open(part), part) for part, _ in large]
        if opened:
            ticket.keep(text_of([*beside, *[job for job, _ in opened]]))
        for (job, _), (_, content) in zip(opened, large, strict=True):
            self.jobs.fill(job, content)
        for job, _ in opened:
            self.jobs.begin(job)
        for job, part in opened:
            answers += self._answers(job, part)
        return answers

    def resume(self, rows: Sequence[Row], ticket: Ticket) -> list[Answer]:
        """Return an answer for each of *rows*, which went to the jobs of *ticket*."""
        kept = jobs_of(ticket.text)
        places = self.places([row.key for row in rows]) if any(job.column == ID for job in kept) else {}
        told: dict[str, Answer] = {}
        complete: list[Job] = []
        for job in kept:
            end, answers = self._found(job, _by_ident(job, rows, places))
            told |= {answer.key: answer for answer in answers}
            complete += [job] if end == COMPLETE else []
        if len(complete) < len(kept):
            told = {key: answer for key, answer in told.items() if answer.outcome is not Outcome.RETRY}
            left = [row for row in rows if row.key not in told]
            return [*told.values(), *(self.write(left, ticket, beside=complete) if left else [])]
        left = [row for row in rows if row.key not in told]
        return [*told.values(), *self._left_out(left)]

    def abandon(self, text: str) -> None:
        """End the jobs of a ticket."""
        for job in jobs_of(text):
            try:
                self.jobs.abort(job.id)
            except GoneError:
                continue

    def _found(self, job: Job, rows: Mapping[str, Row]) -> tuple[str, list[Answer]]:
        """Return how a job of an earlier time ended, and what it says of *rows*."""
        try:
            if self.jobs.state(job.id)["state"] == OPEN:
                # Perhaps only a part of the rows came: it must never begin.
                self.jobs.abort(job.id)
            end = str(self.jobs.ended(job.id)["state"])
            return end, [] if end == ABORTED else list(self._told(job, rows).values())
        except GoneError:
            return ABORTED, []

    def _answers(self, job: Job, part: Part) -> list[Answer]:
        """Return an answer for each row of a job that was begun just now."""
        try:
            found = self.jobs.ended(job.id)
            if is_senseless(found):
                raise StopError(why(found), reason=StopReason.SETUP, hint=_HINT)
            told = self._told(job, part.rows)
            # Whoever comes with the ticket again takes what was written, and sends the rest anew.
            require_no_stop(told.values())
        except GoneError:
            return [Answer(row.key, Outcome.RETRY, _GONE) for row in part.rows.values()]
        words = _UNTOLD if found["state"] == COMPLETE else why(found)
        rest = [row for ident, row in part.rows.items() if ident not in told]
        return [*told.values(), *[Answer(row.key, Outcome.RETRY, words) for row in rest]]

    def _told(self, job: Job, rows: Mapping[str, Row]) -> dict[str, Answer]:
        """Return what *job* says of *rows*, by what tells them apart."""
        told = {ident: Answer(rows[ident].key, Outcome.WRITTEN) for ident in self.jobs.written(job) if ident in rows}
        for ident, code, message in self.jobs.failed(job):
            if ident in rows:
                told[ident] = answer_of(rows[ident], code, message)
        return told

    def _left_out(self, rows: Sequence[Row]) -> list[Answer]:
        """Return answers for rows of which complete jobs say nothing: some were refused before, others go later."""
        if not rows:
            return []
        order = self.order(rows, self.places([row.key for row in rows]))
        later = [row for part in order.parts for row in part.rows.values()]
        return [*order.refused, *[Answer(row.key, Outcome.RETRY, _UNTOLD) for row in later]]


def _divided(part: Part) -> tuple[Part, Part]:
    """Return what of *part* goes by a job, and what goes by calls: few rows, and values that CSV cannot say."""
    if len(part.rows) <= few_rows.MOST:
        return part.some(()), part
    unsayable = [ident for ident, row in part.rows.items() if means_nothing(ident, row)]
    if not unsayable:
        return part, part.some(())
    others = part.rows.keys() - set(unsayable)
    return part.some(ident for ident in part.rows if ident in others), part.some(unsayable)


def _by_ident(job: Job, rows: Iterable[Row], places: Mapping[str, Whereabouts]) -> dict[str, Row]:
    """Return *rows* by what tells them apart in *job*, wherever their records are by now."""
    if job.column != ID:
        return {row.key: row for row in rows}
    found: dict[str, Row] = {}
    for row in rows:
        where = places[row.key]
        records = [str(record[ID]) for record in (where.lead, where.contact) if record is not None and ID in record]
        for ident in filter(None, (where.id, *records)):
            found.setdefault(ident, row)
    return found
