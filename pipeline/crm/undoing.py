"""Taking a run back: what the ledger last wrote before it is restored, or nothing where it wrote nothing.

What changed since is left alone: records that a later run wrote, and properties that no longer hold what this run
wrote. Rows that were on their way when a run was cut short are looked at too: what arrived is taken back.

What is restored counts as written by the run that had written it, so that runs can be taken back one after another, the
newest first.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, Engine, and_, insert, or_, select, true
from sqlalchemy import Row as RowOf

from pipeline.crm.differences import as_value, differences
from pipeline.crm.ledger.kept_values import kept_object
from pipeline.crm.ledger.other_runs import maybe_written, written_before
from pipeline.crm.ledger.runs import Planned, Run, RunState, are_unheard, cut_short_after
from pipeline.crm.ledger.tables import ROWS, STANDING
from pipeline.crm.left_alone import SetOfLeads
from pipeline.crm.promise import Connector, CrmField, Record, Value
from pipeline.crm.verifying import READ_AT_ONCE, with_records

Payload = dict[str, Value]
_AT_ONCE: Final = 20 * READ_AT_ONCE


@dataclass
class Restoring:
    """What an undoing finds beside the rows that it adds.

    Attributes:
        planned: How the leads are accounted for: what changed since counts as unchanged.
        changed_since: Leads of which something was left alone because it changed since.
        gone: Leads that have no record any more.
    """

    planned: Planned
    changed_since: int = 0
    gone: int = 0


def plan_undoing(
    engine: Engine,
    connector: Connector,
    run: Run,
    undo_id: int,
    fields: Sequence[CrmField],
    *,
    held: SetOfLeads,
    progress: Callable[[int], None],
) -> Restoring:
    """Add to the run *undo_id* what takes *run* back, and return what was found.

    Args:
        engine: The ledger.
        connector: The CRM, which is read.
        run: What is taken back.
        undo_id: The run that does it, planned.
        fields: The properties that the run wrote.
        held: Leads that are to be left alone.
        progress: Told how many leads were looked at.
    """
    found = Restoring(Planned())
    with engine.connect() as connection:
        cut_short = cut_short_after(connection, run)
    for rows in _candidates(engine, run):
        values = []
        left_alone = frozenset(held.among([row.lead_id for row in rows]))
        found.planned.given += len(rows)
        found.planned.held += len(left_alone)
        free = [row for row in rows if row.lead_id not in left_alone]
        others = _others(engine, run, cut_short, free, fields)
        for row, record in with_records(connector, free, fields):
            restored = _restored(row, record, fields, others, found)
            if restored is None:
                found.planned.unchanged += 1
                continue
            values.append(_row(row, restored, undo_id, number=found.planned.rows))
            found.planned.rows += 1
        if values:
            with engine.begin() as connection:
                connection.execute(insert(ROWS), values)
        progress(found.planned.given)
    return found


@dataclass(frozen=True)
class _Others:
    """What other runs wrote to leads.

    Attributes:
        before: What the ledger last wrote to each before the run.
        after: What later runs had on its way to each: nobody knows whether it arrived.
    """

    before: dict[str, Payload]
    after: dict[str, list[Payload]]


def _others(
    engine: Engine, run: Run, cut_short: Sequence[Run], rows: Sequence[RowOf[Any]], fields: Sequence[CrmField]
) -> _Others:
    before = {row.lead_id: kept_object(row.former) if row.former else {} for row in rows}
    # What stood holds the properties of the run before; older runs may have written to others of this one's. Where
    # nothing stood, nobody is asked: a shop's first run has no older ones.
    in_part = [lead for lead, former in before.items() if former and any(one.name not in former for one in fields)]
    with engine.connect() as connection:
        older = written_before(connection, run, in_part) if in_part else {}
        after = maybe_written(connection, cut_short, list(before)) if cut_short else {}
    return _Others({lead: {**older.get(lead, {}), **former} for lead, former in before.items()}, after)


def _restored(
    row: RowOf[Any], record: Record | None, fields: Sequence[CrmField], others: _Others, found: Restoring
) -> Payload | None:
    """Return what is written to take a row back; None = nothing of it is left to be taken back.

    A property that changed since keeps what it holds: all rows of a batch have the same fields, so it is written as it
    was just read.
    """
    if record is None:
        found.gone += 1
        return None
    ours, former = kept_object(row.payload), others.before[row.lead_id]
    changed = {one.property for one in differences(ours, record.fields, fields)}
    if any(_arrived(later, changed, record, fields) for later in others.after.get(row.lead_id, ())):
        found.changed_since += 1
        return None
    if changed and row.state != "written":
        # What was on its way arrived whole or not at all: this record never got it, or something came after it.
        return None
    if row.state == "written":
        # What holds the former value was restored by an undoing that was cut short before it heard so.
        back = {field.name: former.get(field.name) for field in fields}
        changed &= {one.property for one in differences(back, record.fields, fields)}
        found.changed_since += bool(changed)
    try:
        restored: Payload = {
            field.name: as_value(record.fields.get(field.name), field.type)
            if field.name in changed
            else former.get(field.name)
            for field in fields
        }
    except ValueError:  # what somebody wrote there has no value that could be written
        return None
    return restored if len(changed) < len(fields) else None


def _arrived(later: Payload, changed: Collection[str], record: Record, fields: Sequence[CrmField]) -> bool:
    """Return whether a record holds what a later run had on its way: of what *changed*, one property is as it says."""
    asked = [field for field in fields if field.name in changed and field.name in later]
    return len(differences(later, record.fields, asked)) < len(asked)


def _row(row: RowOf[Any], restored: Payload, undo_id: int, *, number: int) -> dict[str, Any]:
    return {
        "run_id": undo_id,
        "number": number,
        "lead_id": row.lead_id,
        "payload": json.dumps(restored, ensure_ascii=False),
        "score": row.former_score,
        "grade": row.former_grade,
        "action": row.former_action,
        "former": row.payload,
        "former_score": row.score,
        "former_grade": row.grade,
        "former_action": row.action,
        "former_run": row.former_run if row.former else None,
        "state": "pending",
    }


def _candidates(engine: Engine, run: Run) -> Iterator[list[Any]]:
    """Yield rows of *run* that may stand in the CRM and that no later run wrote over."""
    last = -1
    while True:
        with engine.connect() as connection:
            rows = _some(connection, run, after=last)
        if not rows:
            return
        last = rows[-1].number
        yield rows


def _some(connection: Connection, run: Run, *, after: int) -> list[Any]:
    # Once a run was given up, what was on its way is unsure until somebody writes there and is heard.
    is_unsure = true() if run.state == RunState.OPEN else STANDING.c.is_unsure
    is_untouched = or_(STANDING.c.run_id.is_(None), and_(STANDING.c.run_id <= run.id, is_unsure))
    is_last = and_(ROWS.c.state == "written", STANDING.c.run_id == run.id)
    wanted = (
        select(ROWS)
        .outerjoin(STANDING, and_(run.asked.destination.is_of(STANDING), STANDING.c.lead_id == ROWS.c.lead_id))
        .where(ROWS.c.run_id == run.id, ROWS.c.number > after)
        .where(or_(is_last, and_(are_unheard(run), is_untouched)))
        .order_by(ROWS.c.number)
        .limit(_AT_ONCE)
    )
    return list(connection.execute(wanted).all())
