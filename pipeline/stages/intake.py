"""Intake: every source located and mapped, with all faults of all tables found first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb

from features.errors import LeadlightError, NotFinishedError, wrong_input
from features.local_time import LocalClock, local_clock
from features.parsing import quoted
from features.reading import Mapped, Reading
from features.tables import TABLES
from pipeline.settings import Settings
from pipeline.settings_heard import told_of
from pipeline.settings_tables import Source
from pipeline.sources.files import SourceFile, find_files
from pipeline.sources.heard import heard_relation
from pipeline.sources.mapping import map_columns
from pipeline.sources.relations import ROW, Relation, file_relation, query_relation
from pipeline.stages.ingest_record import IngestRecord, SourceRecord, TableRecord, mapping_signature


@dataclass(frozen=True)
class Incoming:
    """One source that must be read.

    Attributes:
        table: Its canonical table.
        number: Its place among the table's sources.
        source: Its settings.
        relation: What DuckDB reads.
        reading: How its rows become facts.
        files: Per file name, the fingerprint of what is there now.
        record: How it stood before; None at its first load.
        signature: What its mapping is.
        zone: The shop's time zone.
        read_until: Until when it was read, microseconds (UTC), where that is known of it apart from its rows.
    """

    table: str
    number: int
    source: Source
    relation: Relation
    reading: Reading
    files: dict[str, str]
    record: SourceRecord | None
    signature: str
    zone: str
    read_until: int | None = None

    @property
    def name(self) -> str:
        """A name that is unique among sources and good in file names."""
        return f"{self.table}-{self.number}"


@dataclass(frozen=True)
class Load:
    """What all sources of one load share.

    Attributes:
        at: Its moment, microseconds (UTC).
        previous: The current generation, where what is known lies.
        environment: Where the ledger's URL is looked up first; None = the process's own.
    """

    at: int
    previous: Path | None
    environment: Mapping[str, str] | None = None


def find_incoming(
    connection: duckdb.DuckDBPyConnection,
    settings: Settings,
    before: IngestRecord,
    load: Load,
) -> list[Incoming]:
    """Return the sources that hold something to read, all of them mapped.

    Args:
        connection: DuckDB.
        settings: The shop's config.
        before: What the workspace knows.
        load: What they share.

    Raises:
        LeadlightError: Sources are not there or do not fit the config: all faults of all tables.
    """
    misfits = []
    incoming = []
    for table, sources in settings.tables.items():
        record = before.tables.get(table, TableRecord(()))
        for number, source in enumerate(sources):
            try:
                found = _incoming(connection, settings, table, source, number=number, record=record, load=load)
            except _MisfitError as misfit:
                misfits.append(misfit)
            else:
                if found is not None:
                    incoming.append(found)
    if misfits:
        raise _do_not_fit(misfits)
    return incoming


class _MisfitError(Exception):
    """One source cannot be read as the config says: kept until all sources were tried."""

    def __init__(self, faults: Sequence[str], *, hint: str) -> None:
        super().__init__(*faults)
        self.faults = faults
        self.hint = hint


def _incoming(
    connection: duckdb.DuckDBPyConnection,
    settings: Settings,
    table: str,
    source: Source,
    *,
    number: int,
    record: TableRecord,
    load: Load,
) -> Incoming | None:
    """Return the source mapped, or None when it is as it was; raise `_MisfitError` when it does not fit."""
    before = record.sources[number] if number < len(record.sources) else None
    zone = settings.shop.time_zone
    try:
        files = _files(source, settings.data_folder)
        to_read = _to_read(files, source, before)
        if not to_read and not source.query and not source.crm:
            return None
        name = f"{table}_{number}"
        if source.crm:
            kept, where = _own_facts(before, load.previous), load.environment
            relation, read_until = heard_relation(
                connection, settings, table, source.crm, name=name, now=load.at, facts=kept, environment=where
            )
        else:
            relation, read_until = _relation(connection, settings, table, source, files=to_read, name=name), None
    except NotFinishedError:
        raise
    except LeadlightError as error:
        said, _, hint = str(error).partition("\n\nHint: ")
        raise _MisfitError([f"{table}: {' '.join(said.replace('  - ', ' ').split())}"], hint=hint) from error
    mapping = map_columns(table, source, relation.columns)
    faults = [f"{table}: lacks or misreads {line}" for line in mapping.faults]
    reading = Reading(
        table=TABLES[table],
        columns=mapping.columns,
        clock=_clock(connection, relation, mapping.columns, local_clock(source.time_zone or zone)),
        loaded_at=load.at,
        numbered_by=quoted(ROW),
        cancelled_statuses=tuple(source.cancelled_statuses),
        is_status_static=source.static_status,
    )
    if not reading.has_ids:
        faults += _changed_files(table, files, source, before)
    if faults:
        raise _MisfitError(faults, hint=_MAPPING_HINT)
    return Incoming(
        table=table,
        number=number,
        source=source,
        relation=relation,
        reading=reading,
        files={file.name: file.fingerprint for file in files},
        record=before,
        signature=signature_of(settings, table, source),
        zone=zone,
        read_until=read_until if read_until is not None or not source.crm else _never_read(before, load.at),
    )


def _own_facts(before: SourceRecord | None, previous: Path | None) -> list[Path]:
    """Return the files of what earlier loads took from a source."""
    return [] if before is None or previous is None else [previous / "facts" / name for name in before.facts]


def signature_of(settings: Settings, table: str, source: Source) -> str:
    """Return a short hash of everything that decides what the rows of a table's source become."""
    heard = told_of(table, settings.crm[source.crm].read) if source.crm else None
    return mapping_signature(source, zone=settings.shop.time_zone, heard=heard)


def _never_read(before: SourceRecord | None, loaded_at: int) -> int:
    """Return since when a CRM is waited for that was never read: its table covers that one moment."""
    return loaded_at if before is None or before.read_until is None else before.read_until


def _files(source: Source, folder: Path) -> list[SourceFile]:
    return find_files(source.path, folder) if source.path else []


def _to_read(files: Sequence[SourceFile], source: Source, before: SourceRecord | None) -> list[SourceFile]:
    """Leave out files whose content is in already; a full export is read whole or not at all."""
    if before is None or before.is_waiting:
        return list(files)
    if source.mode == "full":
        is_same = {file.name: file.fingerprint for file in files} == dict(before.files)
        return [] if is_same else list(files)
    seen = set(before.files.values())
    return [file for file in files if file.fingerprint not in seen]


def _relation(
    connection: duckdb.DuckDBPyConnection,
    settings: Settings,
    table: str,
    source: Source,
    *,
    files: Sequence[SourceFile],
    name: str,
) -> Relation:
    if source.query:
        folder = str(settings.data_folder).replace("'", "''")
        return query_relation(connection, source.query.replace("{data}", folder), table=table)
    return file_relation(connection, files, source, name=name, by_content=source.mode == "full")


def _clock(
    connection: duckdb.DuckDBPyConnection, relation: Relation, columns: Sequence[Mapped], clock: LocalClock
) -> LocalClock:
    """Return *clock* over the span of the data alone: each change of the hour costs every row a comparison."""
    naive = [m.raw for m in columns if m.column.kind == "time" and not m.raw.type.endswith("TIME ZONE")]
    is_cheap = relation.is_stored and all(raw.type.startswith(("TIMESTAMP", "DATE")) for raw in naive)
    if not naive or not is_cheap:
        return clock
    first, last = (
        ", ".join(f"epoch_us({which}({raw.sql}::TIMESTAMP) FILTER (isfinite({raw.sql})))" for raw in naive)
        for which in ("min", "max")
    )
    found = connection.execute(f"SELECT least({first}), greatest({last}) FROM {relation.sql}").fetchall()[0]  # noqa: S608
    return clock if None in found else clock.between(*found)


def _changed_files(table: str, files: Sequence[SourceFile], source: Source, before: SourceRecord | None) -> list[str]:
    """Rows without ids cannot be told apart from their former selves."""
    if before is None or source.mode == "full":
        return []
    changed = [file.name for file in files if before.files.get(file.name, file.fingerprint) != file.fingerprint]
    return [
        f"{table}: '{name}' has changed since it was read, and its rows have no ids: "
        f"map {TABLES[table].id_column}, or set `mode: full` if it is always the whole export"
        for name in changed
    ]


_MAPPING_HINT = (
    "map your names under tables.NAME.columns in the config; "
    "`leadlight check` shows what each table needs and reads without writing."
)


def _do_not_fit(misfits: Sequence[_MisfitError]) -> LeadlightError:
    faults = [fault for misfit in misfits for fault in misfit.faults]
    hints = dict.fromkeys(misfit.hint for misfit in misfits)
    return wrong_input("The sources do not fit the config:", faults, hint="\nHint: ".join(hints))
