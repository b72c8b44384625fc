"""Batches in the ledger: which rows are still due, which are on their way, and what the CRM said of them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import ColumnElement, Connection, Engine, and_, bindparam, delete, exists, func, insert, select, update

from pipeline.crm.ledger.kept_values import kept_list, kept_object
from pipeline.crm.ledger.runs import Run, RunKind
from pipeline.crm.ledger.standing import hand_back, listed, mark_unsure, take_over
from pipeline.crm.ledger.tables import BATCHES, REJECTIONS, ROWS
from pipeline.crm.promise import Answer, Outcome, Row

LONGEST_WORDS: Final = 500


@dataclass(frozen=True)
class Due:
    """The rows of one batch that are still due.

    Attributes:
        number: The batch.
        rows: What is sent, in order; their keys are the leads' ids.
        ticket: The job that already holds exactly these rows; empty = none.
        parts: Jobs that held a part of them, and may still be at work.
        was_in_flight: Whether they were on their way when a run was cut short.
    """

    number: int
    rows: tuple[Row, ...]
    ticket: str
    parts: tuple[str, ...]
    was_in_flight: bool

    @property
    def jobs(self) -> tuple[str, ...]:
        """All jobs that may still be at work."""
        return (*((self.ticket,) if self.ticket else ()), *self.parts)


def due_batches(connection: Connection, run: Run) -> list[int]:
    """Return the numbers of the batches that are not done, those on their way first."""
    wanted = select(BATCHES.c.number, BATCHES.c.state).where(BATCHES.c.run_id == run.id, BATCHES.c.state != "done")
    found = connection.execute(wanted.order_by(BATCHES.c.state, BATCHES.c.number)).all()
    return [row.number for row in found]  # "in_flight" comes before "pending"


def due(connection: Connection, run: Run, number: int) -> Due:
    """Return what is still due of one batch."""
    batch = connection.execute(select(BATCHES).where(BATCHES.c.run_id == run.id, BATCHES.c.number == number)).one()
    wanted = select(ROWS.c.number, ROWS.c.lead_id, ROWS.c.payload).where(
        _of_batch(run, number), ROWS.c.state == "pending"
    )
    rows = tuple(
        Row(row.lead_id, kept_object(row.payload), f"{run.id}-{row.number}")
        for row in connection.execute(wanted.order_by(ROWS.c.number))
    )
    parts = tuple(kept_list(batch.parts or "[]"))
    return Due(number, rows, batch.ticket or "", parts, batch.state == "in_flight")


def on_its_way(connection: Connection, run: Run, number: int) -> None:
    """Write down that a batch goes out now."""
    _set(connection, run, number, state="in_flight")


class KeptTicket:
    """The name of a batch's job, kept in the ledger; see `pipeline.crm.promise.Ticket`.

    Args:
        engine: The ledger.
        run: The run.
        number: The batch.
        text: The job that holds exactly the rows that are sent.
        is_whole: False where only a part of what is due is sent: its job is remembered so that it can be ended.
    """

    def __init__(self, engine: Engine, run: Run, number: int, text: str = "", *, is_whole: bool = True) -> None:
        self._engine, self._run, self._number, self._is_whole = engine, run, number, is_whole
        self.text = text

    def keep(self, text: str) -> None:
        """Write the name down."""
        with self._engine.begin() as connection:
            if self._is_whole:
                _set(connection, self._run, self._number, ticket=text)
            else:
                former = connection.execute(
                    select(BATCHES.c.parts).where(BATCHES.c.run_id == self._run.id, BATCHES.c.number == self._number)
                ).scalar()
                _set(connection, self._run, self._number, parts=json.dumps([*kept_list(former or "[]"), text]))
        self.text = text


def is_any_on_its_way(connection: Connection, run: Run) -> bool:
    """Return whether a batch went out of which nobody knows what became."""
    wanted = exists().where(BATCHES.c.run_id == run.id, BATCHES.c.state == "in_flight")
    return bool(connection.execute(select(wanted)).scalar())


def tickets(connection: Connection, run: Run) -> list[str]:
    """Return the names of all jobs of a run that may not have ended."""
    wanted = select(BATCHES.c.ticket, BATCHES.c.parts).where(BATCHES.c.run_id == run.id, BATCHES.c.state == "in_flight")
    found: list[str] = []
    for ticket, parts in connection.execute(wanted.order_by(BATCHES.c.number)):
        found += [*([ticket] if ticket else []), *kept_list(parts or "[]")]
    return found


def record(connection: Connection, run: Run, sent: Due, answers: Sequence[Answer], *, at: int) -> None:
    """Write down what became of the rows of a batch, and of what stands in the CRM; all of it or nothing.

    Of a batch with staged rows only those that were turned away are accounted for; see `settle`.
    """
    said = {answer.key: answer for answer in answers}
    numbers = {row.key: int(row.trace.rpartition("-")[2]) for row in sent.rows}
    others = [said.get(row.key) for row in sent.rows]
    refused = [one for one in others if one is not None and one.outcome == Outcome.REJECTED]
    is_staged = any(one is not None and one.outcome == Outcome.STAGED for one in others)
    waiting = [
        row.key for row, one in zip(sent.rows, others, strict=True) if one is None or one.outcome == Outcome.RETRY
    ]
    pending = and_(_of_batch(run, sent.number), ROWS.c.state == "pending")
    if refused:
        _reject(connection, run, [(numbers[one.key], one) for one in refused], at=at)
    if is_staged:  # the rest is on its way, with its ticket, until it counts
        return
    # One by one, since databases limit the variables of a statement, and a batch may be large.
    _move(connection, run, [numbers[key] for key in waiting], to="waiting")
    _write(connection, run, pending, at=at)
    _move(connection, run, [numbers[key] for key in waiting], to="pending")
    # The job that held all of them has ended: what is left goes out anew.
    _set(connection, run, sent.number, state="pending" if waiting else "done", ticket=None, parts=None)


def settle(connection: Connection, run: Run, number: int, *, at: int) -> None:
    """Write down that the rows of a batch, which were staged, are written."""
    pending = and_(_of_batch(run, number), ROWS.c.state == "pending")
    _write(connection, run, pending, at=at)
    done(connection, run, number)


def hold(connection: Connection, run: Run, due: Due, lead_ids: Sequence[str], *, at: int) -> None:
    """Write down that leads of a batch are left alone after all; its jobs were ended before.

    Where the batch was on its way they may have been written, and nobody knows.
    """
    rows = and_(_of_batch(run, due.number), ROWS.c.state == "pending", ROWS.c.lead_id.in_(listed(connection, lead_ids)))
    if due.was_in_flight:
        mark_unsure(connection, run.asked.destination, run.id, run.asked.mapping, rows=rows, at=at)
    connection.execute(update(ROWS).where(rows).values(state="held"))
    _set(connection, run, due.number, ticket=None, parts=None)


def done(connection: Connection, run: Run, number: int) -> None:
    """Write down that nothing of a batch is due."""
    _set(connection, run, number, state="done", ticket=None, parts=None)


@dataclass(frozen=True)
class TurnedAway:
    """A row that the CRM turned away, with its code and its words."""

    lead_id: str
    code: str
    words: str


def turned_away(connection: Connection, run_id: int, *, most: int) -> tuple[TurnedAway, ...]:
    """Return rows of a run that the CRM turned away, at most so many."""
    wanted = select(ROWS.c.lead_id, ROWS.c.code, ROWS.c.words).where(
        ROWS.c.run_id == run_id, ROWS.c.state == "rejected"
    )
    rows = connection.execute(wanted.order_by(ROWS.c.number).limit(most))
    return tuple(TurnedAway(row.lead_id, row.code or "", row.words or "") for row in rows)


def count_due(connection: Connection, run: Run) -> int:
    """Return how many rows of a run are not accounted for."""
    wanted = select(func.count()).where(ROWS.c.run_id == run.id, ROWS.c.state == "pending")
    return int(connection.execute(wanted).scalar() or 0)


def _reject(connection: Connection, run: Run, refused: Sequence[tuple[int, Answer]], *, at: int) -> None:
    values = [
        {"at_number": number, "code": one.code, "words": one.words[:LONGEST_WORDS], "lead": one.key}
        for number, one in refused
    ]
    connection.execute(
        update(ROWS)
        .where(ROWS.c.run_id == run.id, ROWS.c.number == bindparam("at_number"))
        .values(state="rejected", code=bindparam("code"), words=bindparam("words"), answered_at=at),
        [{name: value[name] for name in ("at_number", "code", "words")} for value in values],
    )
    if run.asked.kind == RunKind.UNDO:  # that a restoring failed keeps nobody from being written to
        return
    where, leads = run.asked.destination, listed(connection, [one.key for _, one in refused])
    connection.execute(delete(REJECTIONS).where(where.is_of(REJECTIONS), REJECTIONS.c.lead_id.in_(leads)))
    shared = {"target": where.target, "place": where.place, "run_id": run.id, "mapping": run.asked.mapping, "at": at}
    connection.execute(
        insert(REJECTIONS),
        [{**shared, "lead_id": value["lead"], "code": value["code"], "words": value["words"]} for value in values],
    )


def _write(connection: Connection, run: Run, rows: ColumnElement[bool], *, at: int) -> None:
    let_stand = hand_back if run.asked.kind == RunKind.UNDO else take_over
    let_stand(connection, run.asked.destination, run.id, run.asked.mapping, rows=rows, at=at)
    connection.execute(update(ROWS).where(rows).values(state="written", answered_at=at))


def _move(connection: Connection, run: Run, numbers: Sequence[int], *, to: str) -> None:
    if numbers:
        moved = update(ROWS).where(ROWS.c.run_id == run.id, ROWS.c.number == bindparam("at_number")).values(state=to)
        connection.execute(moved, [{"at_number": number} for number in numbers])


def _of_batch(run: Run, number: int) -> ColumnElement[bool]:
    first = number * run.batch_size
    return and_(ROWS.c.run_id == run.id, ROWS.c.number >= first, ROWS.c.number < first + run.batch_size)


def _set(connection: Connection, run: Run, number: int, **values: object) -> None:
    connection.execute(update(BATCHES).where(BATCHES.c.run_id == run.id, BATCHES.c.number == number).values(**values))
