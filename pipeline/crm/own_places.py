"""What is the shop's own: no target writes to its ledger, nor to what its tables are read from."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from features.errors import LeadlightError, wrong_input
from pipeline.crm.connectors.sql_place import table_place
from pipeline.crm.kinds import Surroundings
from pipeline.crm.ledger.opening import ledger_address
from pipeline.crm.ledger.tables import RUNS
from pipeline.crm.ledger.unusable import VERSION_TABLE
from pipeline.databases import file_of
from pipeline.settings import Settings
from pipeline.sources.files import would_read


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
    faults = [*_in_ledger(settings, surroundings, places, files), *_in_tables(settings, files)]
    if faults:
        raise _is_the_shops(surroundings.target, faults)


def _in_ledger(
    settings: Settings, surroundings: Surroundings, places: frozenset[str], files: frozenset[Path]
) -> Iterator[str]:
    address = ledger_address(settings, surroundings.environment)
    file = file_of(address)
    if file is not None:
        if Path(os.path.realpath(file)) in files:
            yield f"'{file}' is the ledger of what was sent"
        return
    for table in (*RUNS.metadata.tables, VERSION_TABLE):  # beside them, in one database, others may write
        if table_place(address, table) in places:
            yield f"the table '{table}' is one of the ledger's"


def _in_tables(settings: Settings, files: frozenset[Path]) -> Iterator[str]:
    read = [(f"tables.{name}", source.path) for name, sources in settings.tables.items() for source in sources]
    if settings.lead_table is not None:
        read.append(("lead_table", settings.lead_table.path))
    for place, pattern in read:
        for file in sorted(files):
            if pattern and would_read(pattern, settings.data_folder, file):
                yield f"'{file}' would be read as rows of {place} ('{pattern}')"


def _is_the_shops(target: str, faults: list[str]) -> LeadlightError:
    hint = f"let crm.{target}.connect name another file or table."
    return wrong_input(f"The target '{target}' would write to what is the shop's own:", faults, hint=hint)
