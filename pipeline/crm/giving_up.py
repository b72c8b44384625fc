"""Giving up runs that were cut short and are not taken up again."""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.crm.ledger import batches, runs
from pipeline.crm.ledger.runs import Run, RunState
from pipeline.crm.session import Session
from pipeline.crm.targets import let_settle


def end_jobs(session: Session, left: Sequence[Run]) -> None:
    """See to it that no job or call of runs that were cut short writes anything from now on."""
    with session.engine.connect() as connection:
        jobs = [job for run in left for job in batches.tickets(connection, run)]
        is_on_its_way = any(batches.is_any_on_its_way(connection, run) for run in left)
    for job in jobs:
        session.target.connector.abandon(job)
    if is_on_its_way:
        let_settle(session.target)


def give_up(session: Session, run: Run) -> None:
    """End a run that is not taken up again: its jobs end first, and what was on its way is known to be unknown."""
    end_jobs(session, [run])
    with session.engine.begin() as connection:
        if run.state == RunState.PLANNED:
            runs.discard(connection, run.id)
        else:
            runs.supersede(connection, run, at=session.outside.clock())
