"""The preview of a target: every lead that a dry run would send, with what stands there and what is to stand."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from sqlalchemy import Engine, select

from pipeline.crm.ledger.tables import ROWS
from pipeline.crm.row_files import write_rows
from pipeline.workspace import Workspace

_AT_ONCE: Final = 10_000
_HEAD: Final = (
    "lead_id", "score_before", "score", "grade_before", "grade", "action_before", "action", "written",
)  # fmt: skip
_COLUMNS: Final = (
    ROWS.c.lead_id, ROWS.c.former_score, ROWS.c.score, ROWS.c.former_grade, ROWS.c.grade, ROWS.c.former_action,
    ROWS.c.action, ROWS.c.payload,
)  # fmt: skip


def write_preview(engine: Engine, workspace: Workspace, target: str, run_id: int) -> Path | None:
    """Write the file anew from the rows that the ledger froze, best rank first, and return it.

    Args:
        engine: The ledger.
        workspace: Where the file lies.
        target: The target's name in the config.
        run_id: The run that is shown.

    Returns:
        The file; None = nobody would be sent, and there is no file.
    """
    path = workspace.previews_folder / f"crm-{target}.csv"
    wanted = select(*_COLUMNS).where(ROWS.c.run_id == run_id).order_by(ROWS.c.number)
    with engine.connect() as connection:
        found = connection.execution_options(stream_results=True, max_row_buffer=_AT_ONCE).execute(wanted)
        return write_rows(workspace, path, _HEAD, iter(found))
