"""What is the shop's own: no target writes to its workspace, its databases, or to what its tables are read from."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from sqlalchemy import URL

from features.errors import LeadlightError, wrong_input
from pipeline.crm.connectors.sql_place import table_place
from pipeline.crm.kinds import Surroundings
from pipeline.crm.ledger.opening import ledger_address
from pipeline.crm.ledger.tables import RUNS
from pipeline.crm.ledger.unusable import VERSION_TABLE
from pipeline.database_links import FAMILIES
from pipeline.databases import file_of
from pipeline.marks.place import marks_address
from pipeline.marks.rows import MARKS
from pipeline.settings import Settings
from pipeline.sources.files import would_read

_OF_SQLITE: Final = ("", "-wal", "-shm", "-journal")
"""A database in a file, and what SQLite lays beside it."""


def require_not_the_shops(
    settings: Settings, surroundings: Surroundings, places: frozenset[str], files: frozenset[Path]
) -> None:
    """See that a target writes nothing of the shop's own.

    Args:
        settings: The shop's config.
        surroundings: What the target's connector knows.
        places: Where it writes.
        files: Which files of this machine it writes.

    Raises:
        LeadlightError: It would.
    """
    faults = [
        *_in_databases(settings, surroundings, places, files),
        *_in_workspace(settings, files),
        *_in_tables(settings, files),
    ]
    if faults:
        raise _is_the_shops(surroundings.target, faults)


def _in_databases(
    settings: Settings, surroundings: Surroundings, places: frozenset[str], files: frozenset[Path]
) -> Iterator[str]:
    ledger = ledger_address(settings, surroundings.environment)
    yield from _in_database(
        ledger, (*RUNS.metadata.tables, VERSION_TABLE), "the ledger of what was sent", places, files
    )
    marks = marks_address(settings, surroundings.environment)
    yield from _in_database(marks, tuple(MARKS.metadata.tables), "the database of people's marks", places, files)


def _in_database(
    address: URL, tables: Sequence[str], called: str, places: frozenset[str], files: frozenset[Path]
) -> Iterator[str]:
    file = file_of(address)
    if address.get_backend_name() not in FAMILIES:  # no target leads there
        return
    if file is not None:
        held = os.path.realpath(file)
        for own in sorted(files & {Path(held + ending) for ending in _OF_SQLITE}):
            yield f"'{own}' is {called}"
        return
    for table in tables:  # beside them, in one database, others may write
        if table_place(address, table) in places:
            yield f"the table '{table}' belongs to {called}"


def _in_workspace(settings: Settings, files: frozenset[Path]) -> Iterator[str]:
    workspace = Path(os.path.realpath(settings.shop.workspace))
    within = [file for file in files if workspace in file.parents]
    if within:  # the batches beside a file lie there too
        file = min(within, key=lambda one: len(one.parts))
        yield f"'{file}' lies in the workspace '{workspace}', which Leadlight fills and clears by itself"


def _in_tables(settings: Settings, files: frozenset[Path]) -> Iterator[str]:
    read = [(f"tables.{name}", source.path) for name, sources in settings.tables.items() for source in sources]
    if settings.lead_table is not None:
        read.append(("lead_table", settings.lead_table.path))
    for place, pattern in read:
        for file in sorted(files):
            if pattern and would_read(pattern, settings.data_folder, file):
                yield f"'{file}' would be read as rows of {place} ('{pattern}')"


def _is_the_shops(target: str, faults: list[str]) -> LeadlightError:
    hint = f"let crm.{target}.connect name another file or table, outside the workspace."
    return wrong_input(f"The target '{target}' would write to what is the shop's own:", faults, hint=hint)
