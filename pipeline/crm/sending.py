"""Sending what the ledger holds: several batches on their way at once, every answer written down before the next.

A batch is written down as on its way before its first byte goes out, and its answers in one transaction. So whenever
this process is killed, the ledger knows which batches are done, and which may have arrived: these are sent again with
the very same values.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, replace
from typing import Final

import pyarrow as pa
from sqlalchemy import Engine

from pipeline.crm.ledger import batches
from pipeline.crm.ledger.batches import Due, KeptTicket
from pipeline.crm.ledger.runs import Run
from pipeline.crm.patience import Patience
from pipeline.crm.promise import Answer, Connector, Outcome, Row, Ticket
from pipeline.crm.trouble import BatchRefusedError, RetryError, StopError, StopReason

_MOST_TRIES: Final = 6
"""How often a row that may go later is sent within one run; then it stays pending."""
_LATER: Final = "what is pending is kept; run the same command again later."


@dataclass(frozen=True)
class Ended:
    """How sending ended.

    Attributes:
        stopped: Why it stopped before all was sent; None = everything was answered.
    """

    stopped: StopError | None = None


@dataclass(frozen=True)
class Sender:
    """Sends the batches of one run.

    Attributes:
        engine: The ledger.
        connector: The CRM.
        patience: How long rows that may go later are waited for.
        clock: Now, microseconds (UTC).
    """

    engine: Engine
    connector: Connector
    patience: Patience
    clock: Callable[[], int]

    def send(self, run: Run, *, held: pa.Array, progress: Callable[[int], None]) -> Ended:
        """Send whatever is due of *run*, and return how that ended.

        Args:
            run: An open run.
            held: Leads that are left alone, also where they were planned to be sent.
            progress: Told how many rows were answered in this call.
        """
        with self.engine.connect() as connection:
            numbers = batches.due_batches(connection, run)
        held_ids = frozenset(held.to_pylist())
        due = self._due(run, numbers, held_ids)
        answered, stopped = 0, None
        with ThreadPoolExecutor(self.connector.at_once, thread_name_prefix="leadlight-crm") as pool:
            on_its_way: dict[Future[list[Answer]], Due] = {}
            while True:
                while stopped is None and len(on_its_way) < self.connector.at_once and (one := next(due, None)):
                    on_its_way[pool.submit(self._delivered, run, one)] = one
                if not on_its_way:
                    break
                for future in wait(on_its_way, return_when=FIRST_COMPLETED).done:
                    sent = on_its_way.pop(future)
                    try:
                        answers = future.result()
                    except StopError as error:
                        stopped = stopped or error
                        continue
                    self._record(run, sent, answers)
                    answered += len(sent.rows)
                    progress(answered)
        return Ended(stopped if stopped is not None else self._finished())

    def _finished(self) -> StopError | None:
        try:
            self.connector.finish()
        except StopError as error:
            return error
        except RetryError as error:
            return StopError(error.words, reason=StopReason.NETWORK, hint=_LATER)
        return None

    def _due(self, run: Run, numbers: Sequence[int], held: frozenset[str]) -> Iterator[Due]:
        """Yield what is due, each batch written down as on its way before it is handed out."""
        for number in numbers:
            with self.engine.begin() as connection:
                one = batches.due(connection, run, number)
                left_alone = [row.key for row in one.rows if row.key in held]
                if left_alone:
                    if one.ticket:  # a job that carries them must not write them
                        self.connector.abandon(one.ticket)
                    batches.hold(connection, run, number, left_alone)
                    one = replace(one, rows=tuple(row for row in one.rows if row.key not in held), ticket="")
                if not one.rows:
                    batches.done(connection, run, number)
                    continue
                batches.on_its_way(connection, run, number, at=self.clock())
            yield one

    def _record(self, run: Run, sent: Due, answers: Sequence[Answer]) -> None:
        with self.engine.begin() as connection:
            batches.record(connection, run, sent, answers, at=self.clock())

    def _delivered(self, run: Run, due: Due) -> list[Answer]:
        """Return an answer for every row of a batch, those that may go later tried again."""
        ticket = KeptTicket(self.engine, run, due.number, due.ticket)
        answers = self._halved(due.rows, ticket, run, due)
        for tries in range(1, _MOST_TRIES):
            waiting = [row for row in due.rows if answers[row.key].outcome == Outcome.RETRY]
            if not waiting:
                break
            self.patience.sleep(min(self.patience.longest_s, self.patience.first_s * 2**tries))
            answers |= self._halved(waiting, KeptTicket(self.engine, run, due.number, is_whole=False), run, due)
        return list(answers.values())

    def _halved(self, rows: Sequence[Row], ticket: Ticket, run: Run, due: Due) -> dict[str, Answer]:
        """Return the answers to *rows*; where one spoils all, halves are sent until it is found."""
        try:
            found = {answer.key: answer for answer in self.connector.send(rows, ticket)}
        except RetryError as error:
            raise StopError(error.words, reason=StopReason.NETWORK, hint=_LATER) from error
        except BatchRefusedError as error:
            if len(rows) == 1:
                return {rows[0].key: Answer(rows[0].key, Outcome.REJECTED, error.words, error.code)}
            middle = len(rows) // 2
            halves = (rows[:middle], rows[middle:])
            answers: dict[str, Answer] = {}
            for half in halves:
                answers |= self._halved(half, KeptTicket(self.engine, run, due.number, is_whole=False), run, due)
            return answers
        return {row.key: found.get(row.key, Answer(row.key, Outcome.RETRY)) for row in rows}
