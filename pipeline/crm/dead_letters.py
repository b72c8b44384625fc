"""The dead-letter file of a target: whom the CRM that it leads to turned away for good, and what it said."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import chain
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Engine, Row, select

from features.moments import from_us
from pipeline.crm.ledger.destinations import Destination
from pipeline.crm.ledger.tables import REJECTIONS
from pipeline.crm.row_files import write_rows
from pipeline.crm.unsendable import WORDS
from pipeline.workspace import Workspace

_HEAD: Final = ("lead_id", "code", "words", "run", "at")


def write_dead_letters(
    engine: Engine, workspace: Workspace, where: Destination, *, unsendable: Iterable[str] = ()
) -> Path | None:
    """Write the file anew from the ledger and return it; None = nobody is turned away, and there is no file.

    Args:
        engine: The ledger.
        workspace: Where the file lies.
        where: The target, at its place.
        unsendable: Ids of leads that no CRM was asked about; see `pipeline.crm.unsendable`.
    """
    path = workspace.rejects_folder / f"crm-{where.target}.csv"
    wanted = select(REJECTIONS).where(where.is_of(REJECTIONS)).order_by(REJECTIONS.c.lead_id)
    with engine.connect() as connection:
        found = connection.execution_options(stream_results=True, max_row_buffer=10_000).execute(wanted)
        letters = chain(map(_letter, found), map(_letter_of_ours, unsendable))
        return write_rows(workspace, path, _HEAD, letters)


def _letter(row: Row[Any]) -> list[object]:
    return [row.lead_id, row.code, row.words, row.run_id, from_us(row.at).isoformat()]


def _letter_of_ours(lead_id: str) -> list[object]:
    return [lead_id, None, WORDS, None, None]
