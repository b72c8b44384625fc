"""What of a run still stands in a CRM, and what later runs wrote over, by which of them."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, and_, exists, func, select

from pipeline.crm.ledger.runs import Run, RunKind
from pipeline.crm.ledger.tables import ROWS, RUNS, STANDING


@dataclass(frozen=True)
class WrittenOver:
    """What of a run lies under the values of later runs.

    Attributes:
        leads: How many leads.
        by: The runs that must be taken back before these leads can be, as far as they can be; the newest first.
    """

    leads: int
    by: tuple[int, ...]

    @property
    def words(self) -> str:
        """Name the runs, in the order in which they are taken back."""
        names = ", ".join(map(str, self.by))
        return f"run {names}" if len(self.by) == 1 else f"the runs {names} (in this order)"


def written_over(connection: Connection, run: Run) -> WrittenOver:
    """Return what later runs wrote over; leads that were taken back already are none of them."""
    undoings = select(RUNS.c.id).where(RUNS.c.undoes == run.id)
    restored = select(ROWS.c.lead_id).where(ROWS.c.run_id.in_(undoings), ROWS.c.state == "written").distinct()
    back = restored.subquery("back")
    stands = and_(run.asked.destination.is_of(STANDING), STANDING.c.lead_id == ROWS.c.lead_id)
    wanted = (
        select(RUNS.c.id, RUNS.c.kind, func.count())
        .select_from(ROWS.join(STANDING, stands).join(RUNS, RUNS.c.id == STANDING.c.run_id))
        .outerjoin(back, back.c.lead_id == ROWS.c.lead_id)
        .where(ROWS.c.run_id == run.id, ROWS.c.state == "written", STANDING.c.run_id != run.id)
        .where(back.c.lead_id.is_(None))
        .group_by(RUNS.c.id, RUNS.c.kind)
        .order_by(RUNS.c.id.desc())
    )
    found = connection.execute(wanted).all()
    by = tuple(run_id for run_id, kind, _ in found if kind == RunKind.PUBLISH)
    return WrittenOver(sum(leads for _, _, leads in found), by)


def still_stands(connection: Connection, run: Run) -> bool:
    """Return whether at least one lead holds what the run wrote, as far as the ledger knows."""
    is_last = and_(run.asked.destination.is_of(STANDING), STANDING.c.run_id == run.id, STANDING.c.payload.is_not(None))
    return bool(connection.execute(select(exists().where(is_last))).scalar())
