"""The dead-letter file of a target: whom the CRM that it leads to turned away for good, and what it said."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Final

from sqlalchemy import Engine, select

from features.moments import from_us
from pipeline.crm.ledger.destinations import Destination
from pipeline.crm.ledger.tables import REJECTIONS
from pipeline.spreadsheets import safe
from pipeline.workspace import Workspace

_HEAD: Final = ("lead_id", "code", "words", "run", "at")


def write_dead_letters(engine: Engine, workspace: Workspace, where: Destination) -> Path | None:
    """Write the file anew from the ledger and return it; None = nobody is turned away, and there is no file."""
    path = workspace.rejects_folder / f"crm-{where.target}.csv"
    wanted = select(REJECTIONS).where(where.is_of(REJECTIONS)).order_by(REJECTIONS.c.lead_id)
    with engine.connect() as connection:
        found = connection.execution_options(stream_results=True, max_row_buffer=10_000).execute(wanted)
        first = found.fetchone()
        if first is None:
            path.unlink(missing_ok=True)
            return None
        with workspace.writing(path) as part, part.open("w", encoding="utf-8", newline="") as file:
            rows = csv.writer(file)
            rows.writerow(_HEAD)
            for row in (first, *found):
                rows.writerow([safe(row.lead_id), row.code, safe(row.words), row.run_id, from_us(row.at).isoformat()])
    return path
