"""What moved a lead's score since an older run: computed on demand, since it reads both runs and the tables again."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from features.errors import LeadlightError
from features.moments import from_us
from pipeline.changes import what_changed
from pipeline.published.editions import Edition
from pipeline.score_store import ScoreStore, StoredRun
from pipeline.stages.explain_change import ChangeTold, run_before, told_change
from pipeline.web.faults import RefusedError
from pipeline.web.lead import local, rows_of
from pipeline.web.visit import Visit
from pipeline.workspace import Workspace

MOST = 60
"""Older runs that are offered, newest first."""


def older_runs(visit: Visit, edition: Edition) -> list[datetime]:
    """Return the moments of the stored runs before this one, newest first, on the shop's clock."""
    moments = sorted({run.as_of for run in _store(visit).runs() if run.as_of < edition.stored.as_of}, reverse=True)
    return [local(visit, from_us(moment)) for moment in moments[:MOST]]


def changes(visit: Visit, edition: Edition, key: str, *, since: datetime) -> Sequence[ChangeTold]:
    """Return what moved each score of a lead since the newest run at *since* or before.

    Raises:
        RefusedError: There is no such lead, or no such run.
    """
    rows, new = rows_of(edition, key), edition.stored
    settings, zone = visit.house.settings, visit.house.settings.shop.time_zone
    old = _older(visit, new, since)
    found = [
        what_changed(settings, row["lead_id"], row["trigger_id"], old=old, new=new, said_in=visit.said) for row in rows
    ]
    return [told_change(change, old, new, zone, visit.said) for change in found]


def _older(visit: Visit, new: StoredRun, since: datetime) -> StoredRun:
    try:
        return run_before(_store(visit), new, since, zone=visit.house.settings.shop.time_zone)
    except LeadlightError as error:
        first, *rest = str(error).splitlines()
        raise RefusedError(404, "no_older_run", first, details=[line for line in rest if line]) from error


def _store(visit: Visit) -> ScoreStore:
    return ScoreStore(Workspace(visit.house.settings.shop.workspace))
