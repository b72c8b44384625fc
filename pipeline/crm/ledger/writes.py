"""What the ledger holds about one lead: each time that it was sent, with which values, and what the CRM answered."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, select

from pipeline.crm.ledger.runs import RunKind, RunState
from pipeline.crm.ledger.tables import ROWS, RUNS
from pipeline.crm.promise import Value

GIVEN_UP: Final = "given up"
"""What became of a row that still waited when its run was given up."""
_OVER: Final = frozenset({RunState.SUPERSEDED, RunState.UNDONE})


@dataclass(frozen=True)
class Write:
    """One row of a run.

    Attributes:
        run: The run's number.
        kind: Whether the run brought scores or took them back.
        undoes: The run that it took back.
        as_of: The moment of the scores, microseconds (UTC).
        model_version: The model that scored.
        state: What became of it: pending, written, rejected, held, or given up with its run.
        payload: Values by property, as they were frozen before anything was sent.
        score: The score among them, 0 to 100; None = emptied.
        grade: The grade among them.
        action: The next action among them.
        code: The CRM's code, where it turned the row away.
        words: The CRM's words, where it said any.
        answered_at: When it answered, microseconds (UTC); None = not yet.
    """

    run: int
    kind: RunKind
    undoes: int | None
    as_of: int
    model_version: str
    state: str
    payload: Mapping[str, Value]
    score: int | None
    grade: str | None
    action: str | None
    code: str
    words: str
    answered_at: int | None


def writes_of(connection: Connection, target: str, lead_id: str) -> list[Write]:
    """Return what was sent to *target* about one lead, newest first; rows of runs long ended are gone."""
    columns = (RUNS.c.kind, RUNS.c.undoes, RUNS.c.state.label("run_state"), RUNS.c.as_of, RUNS.c.model_version, *ROWS.c)
    wanted = (
        select(*columns)
        .join(RUNS, RUNS.c.id == ROWS.c.run_id)
        .where(ROWS.c.lead_id == lead_id, RUNS.c.target == target, RUNS.c.state != RunState.PLANNED)
        .order_by(RUNS.c.id.desc())
    )
    return [
        Write(
            run=row.run_id,
            kind=RunKind(row.kind),
            undoes=row.undoes,
            as_of=row.as_of,
            model_version=row.model_version,
            state=GIVEN_UP if row.state == "pending" and row.run_state in _OVER else row.state,
            payload=json.loads(row.payload),
            score=row.score,
            grade=row.grade,
            action=row.action,
            code=row.code or "",
            words=row.words or "",
            answered_at=row.answered_at,
        )
        for row in connection.execute(wanted)
    ]
