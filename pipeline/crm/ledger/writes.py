"""What the ledger holds about one lead: each time that it was sent, with which values, and what the CRM answered."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, select

from pipeline.crm.ledger.runs import RunState
from pipeline.crm.ledger.tables import ROWS, RUNS


def writes_of(connection: Connection, target: str, lead_id: str) -> Sequence[Row[Any]]:
    """Return the rows about one lead that were to go to *target*, newest first; those of runs long ended are gone.

    Beside its own columns each has ``kind``, ``undoes``, ``as_of`` and ``model_version`` of its run, and the state of
    the run as ``run_state``.
    """
    columns = (RUNS.c.kind, RUNS.c.undoes, RUNS.c.state.label("run_state"), RUNS.c.as_of, RUNS.c.model_version, *ROWS.c)
    wanted = (
        select(*columns)
        .join(RUNS, RUNS.c.id == ROWS.c.run_id)
        .where(ROWS.c.lead_id == lead_id, RUNS.c.target == target, RUNS.c.state != RunState.PLANNED)
        .order_by(RUNS.c.id.desc())
    )
    return connection.execute(wanted).all()
