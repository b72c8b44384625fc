"""What other runs wrote to the leads of a run: before it, and perhaps after it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Connection, and_, exists, func, or_, select

from pipeline.crm.ledger.kept_values import kept_object
from pipeline.crm.ledger.runs import Run
from pipeline.crm.ledger.standing import listed
from pipeline.crm.ledger.tables import BATCHES, ROWS, RUNS


def written_before(connection: Connection, run: Run, lead_ids: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Return what runs before *run* last wrote to each property of each lead, as far as their rows are kept."""
    wanted = (
        select(ROWS.c.lead_id, ROWS.c.payload)
        .join(RUNS, RUNS.c.id == ROWS.c.run_id)
        .where(run.asked.destination.is_of(RUNS), RUNS.c.id < run.id, ROWS.c.state == "written")
        .where(ROWS.c.lead_id.in_(listed(connection, lead_ids)))
        .order_by(RUNS.c.id)
    )
    found: dict[str, dict[str, Any]] = defaultdict(dict)
    for lead_id, payload in connection.execute(wanted):
        found[lead_id].update(kept_object(payload))
    return found


def cut_short_after(connection: Connection, run: Run) -> tuple[int, ...]:
    """Return the runs after *run* that have something on its way of which nobody heard; none takes *run* back."""
    is_other = or_(RUNS.c.undoes.is_(None), RUNS.c.undoes != run.id)
    is_unheard = exists().where(BATCHES.c.run_id == RUNS.c.id, BATCHES.c.state == "in_flight")
    wanted = select(RUNS.c.id).where(run.asked.destination.is_of(RUNS), RUNS.c.id > run.id, is_other, is_unheard)
    return tuple(connection.execute(wanted).scalars())


def maybe_written(
    connection: Connection, runs: Sequence[int], lead_ids: Sequence[str]
) -> dict[str, list[dict[str, Any]]]:
    """Return what *runs* had on its way to each lead when they were cut short: it may have arrived."""
    of_run = RUNS.c.id == ROWS.c.run_id
    of_batch = and_(BATCHES.c.run_id == RUNS.c.id, BATCHES.c.number == ROWS.c.number // _batch_size())
    wanted = (
        select(ROWS.c.lead_id, ROWS.c.payload)
        .select_from(ROWS.join(RUNS, of_run).join(BATCHES, of_batch))
        .where(RUNS.c.id.in_(runs), BATCHES.c.state == "in_flight", ROWS.c.state == "pending")
        .where(ROWS.c.lead_id.in_(listed(connection, lead_ids)))
    )
    found: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for lead_id, payload in connection.execute(wanted):
        found[lead_id].append(kept_object(payload))
    return found


def _batch_size() -> ColumnElement[int]:
    """Return the rows of a batch; none where a run has none, since databases divide by no zero."""
    return func.nullif(RUNS.c.batch_size, 0, type_=BigInteger)
