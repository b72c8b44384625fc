"""Sending what the ledger holds: several batches on their way at once, every answer written down before the next.

A batch is written down as on its way before its first byte goes out, and its answers in one transaction. So whenever
this process is killed, the ledger knows which batches are done, and which may have arrived: these are sent again with
the very same values. What a connector only staged is on its way until `finish` has returned, and counts as pending.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Final

from sqlalchemy import Engine

from pipeline.crm.ledger import batches
from pipeline.crm.ledger.batches import Due, KeptTicket
from pipeline.crm.ledger.runs import Run
from pipeline.crm.left_alone import SetOfLeads
from pipeline.crm.patience import Breaker, Standstill, patiently
from pipeline.crm.promise import Answer, Connector, Outcome, Row
from pipeline.crm.targets import Target, let_settle
from pipeline.crm.trouble import BatchRefusedError, RetryError, StopError, StopReason

_MOST_TRIES: Final = 6
"""How often a row that may go later is sent within one run; then it stays pending."""
_LATER: Final = "what is pending is kept; run the same command again later."


@dataclass
class _Line:
    """The line to the CRM while one run is sent, shared by all threads.

    Attributes:
        breaker: Leaves a CRM that is down in peace.
        standstill: Ends a run that comes no further.
        put_off_with: The CRM's last words on a row that may go later.
        staged: Batches that are written once the connector has finished.
    """

    breaker: Breaker
    standstill: Standstill
    put_off_with: str = ""
    staged: list[int] = field(default_factory=list)

    def heard(self, answers: Collection[Answer]) -> None:
        """Note what a call brought."""
        later = [answer for answer in answers if answer.outcome == Outcome.RETRY]
        words = next((answer.words for answer in later if answer.words), "")
        self.put_off_with = words or self.put_off_with
        if len(later) < len(answers):
            self.standstill.moved()
        else:
            self.standstill.stayed(words)


@dataclass(frozen=True)
class Sender:
    """Sends the batches of one run.

    Attributes:
        engine: The ledger.
        target: Where to.
        clock: Now, microseconds (UTC).
        require_alone: Raises where somebody else may write to the target by now.
    """

    engine: Engine
    target: Target
    clock: Callable[[], int]
    require_alone: Callable[[], None]

    def send(self, run: Run, *, held: SetOfLeads, progress: Callable[[int], None]) -> StopError | None:
        """Send whatever is due of *run*, and return why that stopped before all was sent; None = all was answered.

        Args:
            run: An open run.
            held: Leads that are left alone, also where they were planned to be sent.
            progress: Told how many rows were answered in this call.
        """
        with self.engine.connect() as connection:
            numbers, is_on_its_way = batches.due_batches(connection, run), batches.is_any_on_its_way(connection, run)
        if is_on_its_way:
            let_settle(self.target)
        on_its_way: dict[Future[list[Answer]], Due] = {}
        line = _Line(Breaker(self.target.patience), Standstill(self.target.patience))
        try:
            with ThreadPoolExecutor(self.connector.at_once, thread_name_prefix="leadlight-crm") as pool:
                try:
                    stopped = self._sent(run, self._due(run, numbers, held), pool, on_its_way, line, progress)
                except BaseException:
                    self.target.stop()  # whoever waits for the CRM now waits for nothing
                    raise
        finally:
            for future, sent in on_its_way.items():  # what was answered all the same counts
                if future.done() and not future.cancelled() and future.exception() is None:
                    self._record(run, sent, future.result())
        return stopped or self._finished(run, line.staged) or self._put_off(run, line)

    @property
    def connector(self) -> Connector:
        """The CRM."""
        return self.target.connector

    def _sent(
        self,
        run: Run,
        due: Iterator[Due],
        pool: ThreadPoolExecutor,
        on_its_way: dict[Future[list[Answer]], Due],
        line: _Line,
        progress: Callable[[int], None],
    ) -> StopError | None:
        """Keep as many batches on their way as the CRM takes; return why that stopped before the last."""
        answered, stopped = 0, None
        while True:
            stopped = stopped or self._handed_out(run, due, pool, on_its_way, line)
            if not on_its_way:
                return stopped
            for future in wait(on_its_way, return_when=FIRST_COMPLETED).done:
                error = future.exception()
                if error is not None and not isinstance(error, StopError):
                    raise error
                sent = on_its_way.pop(future)
                if isinstance(error, StopError):
                    stopped = stopped or error
                    continue
                self._record(run, sent, future.result())
                if _is_staged(future.result()):
                    line.staged.append(sent.number)
                answered += len(sent.rows)
                progress(answered)
            stopped = stopped or line.standstill.stop

    def _handed_out(
        self,
        run: Run,
        due: Iterator[Due],
        pool: ThreadPoolExecutor,
        on_its_way: dict[Future[list[Answer]], Due],
        line: _Line,
    ) -> StopError | None:
        """Hand out batches until the CRM has as many as it takes at once; return why that stopped."""
        try:
            while len(on_its_way) < self.connector.at_once and (one := next(due, None)):
                on_its_way[pool.submit(self._delivered, run, one, line)] = one
        except (StopError, RetryError) as error:  # a job that carries whoever is left alone by now does not end
            return _as_stop(error)
        return None

    def _finished(self, run: Run, staged: Sequence[int]) -> StopError | None:
        """Let what was staged count, and write that down batch by batch: what a kill leaves is sent again."""
        self.require_alone()
        try:
            self.connector.finish()
        except (StopError, RetryError) as error:
            return _as_stop(error)
        for number in staged:
            with self.engine.begin() as connection:
                batches.settle(connection, run, number, at=self.clock())
        return None

    def _put_off(self, run: Run, line: _Line) -> StopError | None:
        """Return why rows are left over though nothing stopped the run: the CRM wants them later, again and again."""
        with self.engine.connect() as connection:
            left = batches.count_due(connection, run)
        if not left:
            return None
        words = f"{left:,} put off {_MOST_TRIES} times"
        said = line.put_off_with
        return StopError(f"{words}; it said: {said}" if said else f"{words}.", reason=StopReason.LATER, hint=_LATER)

    def _due(self, run: Run, numbers: Sequence[int], held: SetOfLeads) -> Iterator[Due]:
        """Yield what is due, each batch written down as on its way before it is handed out."""
        for number in numbers:
            with self.engine.connect() as connection:
                one = batches.due(connection, run, number)
            left_alone = held.among([row.key for row in one.rows]) if one.rows else []
            self.require_alone()
            if left_alone:
                one = self._without(run, one, left_alone)
            with self.engine.begin() as connection:
                if not one.rows:
                    batches.done(connection, run, number)
                    continue
                batches.on_its_way(connection, run, number)
            yield one

    def _without(self, run: Run, due: Due, left_alone: Sequence[str]) -> Due:
        """Return what is due of a batch without leads that are left alone: no job may go on to write them."""
        for job in due.jobs:
            self.connector.abandon(job)
        with self.engine.begin() as connection:
            batches.hold(connection, run, due, left_alone, at=self.clock())
        out = frozenset(left_alone)
        return replace(due, rows=tuple(row for row in due.rows if row.key not in out), ticket="", parts=())

    def _record(self, run: Run, sent: Due, answers: Sequence[Answer]) -> None:
        with self.engine.begin() as connection:
            batches.record(connection, run, sent, answers, at=self.clock())

    def _delivered(self, run: Run, due: Due, line: _Line) -> list[Answer]:
        """Return an answer for every row of a batch, those that may go later tried again."""
        ticket, patience = KeptTicket(self.engine, run, due.number, due.ticket), self.target.patience
        part = partial(KeptTicket, self.engine, run, due.number, is_whole=False)
        answers = self._halved(due.rows, ticket, part, line)
        for tries in range(1, _MOST_TRIES):
            waiting = [row for row in due.rows if answers[row.key].outcome == Outcome.RETRY]
            if not waiting or line.standstill.stop:
                break
            patience.sleep(min(patience.longest_s, patience.first_s * 2**tries))
            answers |= self._halved(waiting, part(), part, line)
        return list(answers.values())

    def _halved(
        self, rows: Sequence[Row], ticket: KeptTicket, part: Callable[[], KeptTicket], line: _Line
    ) -> dict[str, Answer]:
        """Return the answers to *rows*; where one spoils all, halves are sent until it is found."""

        def send() -> list[Answer]:
            return self.connector.send(rows, ticket)

        try:
            found = {answer.key: answer for answer in patiently(send, self.target.patience, line.breaker)}
        except BatchRefusedError as error:
            line.standstill.moved()
            if len(rows) == 1:
                return {rows[0].key: Answer(rows[0].key, Outcome.REJECTED, error.words, error.code)}
            middle = len(rows) // 2
            answers: dict[str, Answer] = {}
            for half in (rows[:middle], rows[middle:]):
                answers |= self._halved(half, part(), part, line)
            return answers
        told = {row.key: found.get(row.key, Answer(row.key, Outcome.RETRY)) for row in rows}
        line.heard(told.values())
        return told


def _is_staged(answers: Sequence[Answer]) -> bool:
    """Return whether a batch is written once the connector has finished; a row that may go later keeps it waiting."""
    outcomes = {answer.outcome for answer in answers}
    return Outcome.STAGED in outcomes and Outcome.RETRY not in outcomes


def _as_stop(error: StopError | RetryError) -> StopError:
    """Return why nothing more is sent; where patience ended, the same may be tried again later."""
    return error if isinstance(error, StopError) else StopError(error.words, reason=StopReason.NETWORK, hint=_LATER)
