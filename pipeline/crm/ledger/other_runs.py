"""What other runs wrote to the leads of a run: before it, and perhaps after it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, false, or_, select

from pipeline.crm.ledger.kept_values import kept_object
from pipeline.crm.ledger.runs import Run, are_unheard
from pipeline.crm.ledger.standing import listed
from pipeline.crm.ledger.tables import ROWS, RUNS


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


def maybe_written(
    connection: Connection, runs: Sequence[Run], lead_ids: Sequence[str]
) -> dict[str, list[dict[str, Any]]]:
    """Return what *runs* had on its way to each lead when they were cut short: it may have arrived."""
    wanted = select(ROWS.c.lead_id, ROWS.c.payload).where(
        ROWS.c.lead_id.in_(listed(connection, lead_ids)), or_(false(), *map(are_unheard, runs))
    )
    found: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for lead_id, payload in connection.execute(wanted):
        found[lead_id].append(kept_object(payload))
    return found
