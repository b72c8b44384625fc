"""Runs in the ledger: begun, opened, resumed, given up, ended, and how many leads each accounts for."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, and_, delete, exists, func, insert, or_, select, update

from features.moments import to_us
from pipeline.crm.ledger.destinations import Destination
from pipeline.crm.ledger.kept_values import DamagedValueError, kept_list, kept_object
from pipeline.crm.ledger.standing import mark_unsure
from pipeline.crm.ledger.tables import BATCHES, ROWS, RUNS
from pipeline.crm.promise import CrmField, FieldType


class RunState(StrEnum):
    """How far a run has come; undone is one that was taken back to the end, and that no later run wrote over."""

    PLANNED = "planned"
    OPEN = "open"
    FINISHED = "finished"
    SUPERSEDED = "superseded"
    UNDONE = "undone"


class RunKind(StrEnum):
    """Whether a run brings scores or takes them back."""

    PUBLISH = "publish"
    UNDO = "undo"


@dataclass(frozen=True)
class Asked:
    """What tells a run from others.

    Attributes:
        destination: Where it writes to.
        kind: Whether it brings scores or takes them back.
        as_of: The moment of the scores, microseconds (UTC).
        model_version: The model that scored.
        filters: Which of the leads were asked for, as plain data.
        mapping: Hash of what goes into which property.
        fields: The properties that it writes.
        undoes: The run that it takes back.
    """

    destination: Destination
    kind: RunKind
    as_of: int
    model_version: str
    filters: Mapping[str, Any]
    mapping: str
    fields: tuple[CrmField, ...]
    undoes: int | None = None

    @property
    def target(self) -> str:
        """How the config calls the place that it writes to."""
        return self.destination.target


@dataclass(frozen=True)
class Run:
    """A run as the ledger holds it.

    Attributes:
        id: Its number: what people type.
        asked: What tells it from others.
        state: How far it has come.
        batch_size: Rows that travel together.
        begun_at: When it was planned, microseconds (UTC).
    """

    id: int
    asked: Asked
    state: RunState
    batch_size: int
    begun_at: int


@dataclass(frozen=True)
class Tally:
    """How every lead of a run is accounted for; `given` is the sum of the others.

    Attributes:
        given: Leads after filters.
        written: The CRM took them.
        unchanged: It holds what it should already.
        rejected: It turned them away for good, now or in an earlier run.
        pending: Not sent yet, or without an answer.
        held: To be left alone: suppressed, or overridden by a person.
    """

    given: int = 0
    written: int = 0
    unchanged: int = 0
    rejected: int = 0
    pending: int = 0
    held: int = 0

    @property
    def parts(self) -> dict[str, int]:
        """What the leads given are made up of, by name."""
        return {name: getattr(self, name) for name in ("written", "unchanged", "rejected", "pending", "held")}


@dataclass
class Planned:
    """What planning counts beside the rows that it adds."""

    given: int = 0
    unchanged: int = 0
    held: int = 0
    still_rejected: int = 0
    rows: int = 0
    movements: dict[tuple[str, str], int] = field(default_factory=dict)


def begin(connection: Connection, asked: Asked, *, at: datetime) -> int:
    """Write a run down as planned and return its number; it sends nothing before it is opened."""
    values = {
        "target": asked.target,
        "place": asked.destination.place,
        "kind": asked.kind,
        "state": RunState.PLANNED,
        "as_of": asked.as_of,
        "model_version": asked.model_version,
        "filters": json.dumps(asked.filters, sort_keys=True),
        "mapping": asked.mapping,
        "fields": _fields_text(asked.fields),
        "undoes": asked.undoes,
        "begun_at": to_us(at),
    }
    key = connection.execute(insert(RUNS).values(**values)).inserted_primary_key
    return int(key[0]) if key else 0


def seal(connection: Connection, run_id: int, planned: Planned, *, batch_size: int) -> None:
    """Write down how a planned run accounts for its leads, and which rows travel together."""
    counts = {name: getattr(planned, name) for name in ("given", "unchanged", "held", "still_rejected")}
    connection.execute(update(RUNS).where(RUNS.c.id == run_id).values(**counts, batch_size=batch_size))
    numbers = range(-(-planned.rows // batch_size))
    batches = [{"run_id": run_id, "number": number, "state": "pending"} for number in numbers]
    if batches:
        connection.execute(insert(BATCHES), batches)


def set_state(connection: Connection, run_id: int, state: RunState) -> None:
    """Write down how far a run has come."""
    connection.execute(update(RUNS).where(RUNS.c.id == run_id).values(state=state))


def end(connection: Connection, run_id: int, state: RunState, *, at: datetime) -> Tally:
    """Write down that a run has ended, with how its leads are accounted for, and return that."""
    found = tally(connection, run_id)
    run = connection.execute(select(RUNS.c.still_rejected).where(RUNS.c.id == run_id)).one()
    counts = {"written": found.written, "pending": found.pending, "held": found.held}
    ended = {**counts, "rejected": found.rejected - run.still_rejected, "state": state, "ended_at": to_us(at)}
    connection.execute(update(RUNS).where(RUNS.c.id == run_id, RUNS.c.ended_at.is_(None)).values(**ended))
    return found


def discard(connection: Connection, run_id: int) -> None:
    """Remove a run of which nothing was sent."""
    for table in (ROWS, BATCHES):
        connection.execute(delete(table).where(table.c.run_id == run_id))
    connection.execute(delete(RUNS).where(RUNS.c.id == run_id))


def unfinished(connection: Connection, where: Destination) -> list[Run]:
    """Return the runs that were opened at *where* and never ended, and those that were only planned, oldest first.

    One that was opened at another place of the target waits there: its jobs can be ended nowhere else.
    """
    is_open_here = and_(where.is_of(RUNS), RUNS.c.state == RunState.OPEN)
    is_planned = and_(RUNS.c.target == where.target, RUNS.c.state == RunState.PLANNED)
    wanted = select(RUNS).where(or_(is_open_here, is_planned)).order_by(RUNS.c.id)
    return [_run(row) for row in connection.execute(wanted)]


def find(connection: Connection, run_id: int) -> Run | None:
    """Return the run of that number, or None."""
    row = connection.execute(select(RUNS).where(RUNS.c.id == run_id)).one_or_none()
    return None if row is None else _run(row)


def get(connection: Connection, run_id: int) -> Run:
    """Return the run of that number, which is there."""
    return _run(connection.execute(select(RUNS).where(RUNS.c.id == run_id)).one())


def cut_short_after(connection: Connection, run: Run) -> list[Run]:
    """Return the runs after *run* with batches of which nobody heard, oldest first; none of them takes *run* back."""
    is_other = or_(RUNS.c.undoes.is_(None), RUNS.c.undoes != run.id)
    is_unheard = exists().where(BATCHES.c.run_id == RUNS.c.id, BATCHES.c.state == "in_flight")
    wanted = select(RUNS).where(run.asked.destination.is_of(RUNS), RUNS.c.id > run.id, is_other, is_unheard)
    return [_run(row) for row in connection.execute(wanted.order_by(RUNS.c.id))]


def newest(connection: Connection, target: str, *, most: int = 10) -> list[Run]:
    """Return the last runs of *target* that were opened, newest first."""
    is_real = RUNS.c.state != RunState.PLANNED
    wanted = select(RUNS).where(RUNS.c.target == target, is_real).order_by(RUNS.c.id.desc()).limit(most)
    return [_run(row) for row in connection.execute(wanted)]


def targets(connection: Connection) -> list[str]:
    """Return all targets of which a run was opened, by name."""
    wanted = select(RUNS.c.target).where(RUNS.c.state != RunState.PLANNED).distinct().order_by(RUNS.c.target)
    return list(connection.scalars(wanted))


def supersede(connection: Connection, run: Run, *, at: datetime) -> None:
    """Give a run up: what was on its way is known to be unknown from now on."""
    mark_unsure(connection, run.asked.destination, run.id, run.asked.mapping, rows=are_unheard(run), at=to_us(at))
    end(connection, run.id, RunState.SUPERSEDED, at=at)


def are_unheard(run: Run) -> ColumnElement[bool]:
    """Return the condition that rows of *run* are on their way: nobody heard what became of them."""
    on_its_way = exists().where(
        BATCHES.c.run_id == run.id,
        BATCHES.c.state == "in_flight",
        BATCHES.c.number == ROWS.c.number // max(1, run.batch_size),
    )
    return and_(ROWS.c.run_id == run.id, ROWS.c.state == "pending", on_its_way)


def tally(connection: Connection, run_id: int) -> Tally:
    """Return how the leads of a run are accounted for."""
    run = connection.execute(select(RUNS).where(RUNS.c.id == run_id)).one()
    if run.ended_at is not None:
        return Tally(run.given, run.written, run.unchanged, run.rejected + run.still_rejected, run.pending, run.held)
    by_state = select(ROWS.c.state, func.count()).where(ROWS.c.run_id == run_id).group_by(ROWS.c.state)
    states: dict[str, int] = {state: int(count) for state, count in connection.execute(by_state)}
    return Tally(
        given=run.given,
        written=states.get("written", 0),
        unchanged=run.unchanged,
        rejected=states.get("rejected", 0) + run.still_rejected,
        pending=states.get("pending", 0),
        held=states.get("held", 0) + run.held,
    )


def has_lost_rows(connection: Connection, run: Run) -> bool:
    """Return whether a run sent something, or was about to, and no row of it is left."""
    found = tally(connection, run.id)
    if not (found.written or found.pending):
        return False
    return connection.execute(select(ROWS.c.number).where(ROWS.c.run_id == run.id).limit(1)).first() is None


def prune(connection: Connection, *, before: int) -> None:
    """Remove the rows of runs that ended before the moment *before*, microseconds; the runs themselves stay."""
    old = select(RUNS.c.id).where(RUNS.c.ended_at < before)
    for table in (ROWS, BATCHES):
        connection.execute(delete(table).where(table.c.run_id.in_(old)))


def _fields_text(fields: Sequence[CrmField]) -> str:
    return json.dumps([[one.name, one.type, one.length, list(one.choices), one.label] for one in fields])


def _run(row: Row[Any]) -> Run:
    try:
        return _read(row)
    except (TypeError, ValueError) as error:
        raise DamagedValueError("no run") from error


def _read(row: Row[Any]) -> Run:
    fields = tuple(
        CrmField(name, FieldType(kind), length, tuple(choices), label)
        for name, kind, length, choices, label in kept_list(row.fields)
    )
    asked = Asked(
        destination=Destination(row.target, row.place),
        kind=RunKind(row.kind),
        as_of=row.as_of,
        model_version=row.model_version,
        filters=kept_object(row.filters),
        mapping=row.mapping,
        fields=fields,
        undoes=row.undoes,
    )
    return Run(row.id, asked, RunState(row.state), row.batch_size, row.begun_at)
