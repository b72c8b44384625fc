"""What of earlier loads stands when the config maps a table differently than before.

Rows that were read by another mapping are read anew. Where their sources hold all that is known of them, nothing is
lost by that. Where only the loads knew since when, or the ledger of what CRMs told was lost meanwhile, it would be::

    files, one load             read anew
    files, several loads        refused: when rows became known is in the loads alone
    CRM, the ledger is whole    read anew, known since they were heard
    CRM, the ledger lacks some  refused: they are in the loads alone
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import duckdb

from features.errors import LeadlightError, wrong_input
from pipeline.settings import Settings
from pipeline.sources.heard import has_forgotten
from pipeline.stages.ingest_record import IngestRecord, TableRecord
from pipeline.stages.intake import signature_of

_OF_LOADS = "its facts of several loads were read by another mapping"
_FORGOTTEN = "its facts were read by another mapping, and the ledger no longer tells all that was heard of them"


def still_valid(
    connection: duckdb.DuckDBPyConnection,
    settings: Settings,
    stored: IngestRecord,
    *,
    facts: Path,
    environment: Mapping[str, str] | None,
) -> IngestRecord:
    """Return what is known, without tables that must be read anew because their mapping changed.

    Args:
        connection: DuckDB.
        settings: The shop's config.
        stored: What is known.
        facts: The folder of its facts.
        environment: Where the ledger's URL is looked up first; None = the process's own.

    Raises:
        LeadlightError: Reading a table anew would lose when its rows became known.
        NotFinishedError: The ledger does not answer.
    """
    changed = [name for name in stored.tables if _is_changed(settings, name, stored.tables[name])]
    losing = {}
    for name in changed:
        table = stored.tables[name]
        heard = [facts / file for source in table.sources if source.read_until is not None for file in source.facts]
        if table.number > 1 and any(source.read_until is None for source in table.sources):
            losing[name] = _OF_LOADS
        elif heard and has_forgotten(connection, settings, heard, environment=environment):
            losing[name] = _FORGOTTEN
    if losing:
        raise _mapping_changed([f"{name}: {why}" for name, why in losing.items()])
    kept = {name: record for name, record in stored.tables.items() if name not in changed}
    return IngestRecord(kept, stored.resolved_by)


def _is_changed(settings: Settings, name: str, record: TableRecord) -> bool:
    asked = [signature_of(settings, name, source) for source in settings.tables.get(name, [])]
    return [source.signature for source in record.sources] != asked[: len(record.sources)]


def _mapping_changed(lines: Sequence[str]) -> LeadlightError:
    hint = (
        "put the mapping back, or run `leadlight ingest --rebuild`: it reads everything anew as a first load, "
        "and what was learned from earlier loads about when rows became known is lost."
    )
    return wrong_input("The config maps tables differently than the workspace knows them:", lines, hint=hint)
