"""Intake: every source located, mapped and staged, with all faults of all tables found first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb

from features.errors import LeadlightError, wrong_input
from features.local_time import LocalClock, local_clock
from features.parsing import literal, quoted
from features.reading import Mapped, Reading
from features.tables import TABLES
from pipeline.progress import Progress
from pipeline.settings import Settings
from pipeline.settings_tables import Source
from pipeline.sources.files import SourceFile, find_files
from pipeline.sources.mapping import map_columns
from pipeline.sources.relations import ROW, Relation, file_relation, query_relation
from pipeline.sources.staging import Staged, stage
from pipeline.stages.ingest_record import IngestRecord, SourceRecord, TableRecord, mapping_signature

_SHOWN = 12


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

    @property
    def name(self) -> str:
        """A name that is unique among sources and good in file names."""
        return f"{self.table}-{self.number}"


def find_incoming(
    connection: duckdb.DuckDBPyConnection, settings: Settings, before: IngestRecord, *, loaded_at: int
) -> list[Incoming]:
    """Return the sources that hold something to read, all of them mapped.

    Raises:
        LeadlightError: Sources are not there or do not fit the config: all faults of all tables.
    """
    faults: list[str] = []
    incoming = []
    for table, sources in settings.tables.items():
        record = before.tables.get(table, TableRecord(()))
        for number, source in enumerate(sources):
            found = _incoming(connection, settings, table, source, number=number, record=record, loaded_at=loaded_at)
            if isinstance(found, Incoming):
                incoming.append(found)
            else:
                faults += found
    if faults:
        raise _do_not_fit(faults)
    return incoming


def stage_all(
    connection: duckdb.DuckDBPyConnection,
    incoming: Sequence[Incoming],
    *,
    folder: Path,
    max_rejected_share: float,
    progress: Progress,
) -> dict[str, Staged]:
    """Return every source's staged rows by its name.

    Raises:
        LeadlightError: A table is empty, or too many of its rows are unfit: all tables at once.
    """
    staged = {}
    for done, source in enumerate(incoming):
        progress(f"reading {source.table}", done, len(incoming))
        staged[source.name] = stage(
            connection,
            source.relation,
            source.reading,
            path=folder / "staged" / f"{source.name}.parquet",
            rejects=folder / "rejects" / f"{source.name}.csv",
        )
    progress("reading", len(incoming), len(incoming))
    if faults := [line for source in incoming for line in _row_faults(source, staged[source.name], max_rejected_share)]:
        raise _too_many_rejected(faults, max_rejected_share)
    return staged


def _incoming(
    connection: duckdb.DuckDBPyConnection,
    settings: Settings,
    table: str,
    source: Source,
    *,
    number: int,
    record: TableRecord,
    loaded_at: int,
) -> Incoming | list[str]:
    """Return the source if it must be read, else its faults; none of either when it is as it was."""
    before = record.sources[number] if number < len(record.sources) else None
    zone = settings.shop.time_zone
    try:
        files = _files(source, settings.data_folder)
        to_read = _to_read(files, source, before)
        if not to_read and not source.query:
            return []
        relation = _relation(connection, settings, table, source, files=to_read, name=f"{table}_{number}")
    except LeadlightError as error:
        said = str(error).partition("\n\nHint:")[0]
        return [f"{table}: {' '.join(said.replace('  - ', ' ').split())}"]
    mapping = map_columns(table, source, relation.columns)
    faults = [f"{table}: lacks or misreads {line}" for line in mapping.faults]
    reading = Reading(
        table=TABLES[table],
        columns=mapping.columns,
        clock=_clock(connection, relation, mapping.columns, local_clock(source.time_zone or zone)),
        loaded_at=loaded_at,
        numbered_by=quoted(ROW),
        cancelled_statuses=tuple(source.cancelled_statuses),
        is_status_static=source.static_status,
    )
    if not reading.has_ids:
        faults += _changed_files(table, files, source, before)
    if faults:
        return faults
    return Incoming(
        table=table,
        number=number,
        source=source,
        relation=relation,
        reading=reading,
        files={file.name: file.fingerprint for file in files},
        record=before,
        signature=mapping_signature(source, zone=zone),
        zone=zone,
    )


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
    first = ", ".join(f"epoch_us(min({raw.sql}::TIMESTAMP) FILTER (isfinite({raw.sql})))" for raw in naive)
    last = first.replace("epoch_us(min(", "epoch_us(max(")
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


def _row_faults(source: Incoming, staged: Staged, max_share: float) -> list[str]:
    if not staged.rows_read and source.record is None:
        return [f"{source.table}: is empty: the source has a header but no rows"]
    if staged.overflowing:
        names = ", ".join(staged.overflowing)
        return [
            f"{source.table}: the sum of {names} is too large to be exact: is it in the shop's currency, in seconds?"
        ]
    if staged.rejected <= max_share * staged.rows_read:
        return []
    share = staged.rejected / staged.rows_read
    head = f"{source.table}: {staged.rejected:,} of {staged.rows_read:,} rows ({share:.1%}) would be rejected"
    reasons = [
        f"{source.table}:   {count:,} rows: {reason}{_remedy(reason)}" for reason, count in staged.faults.items()
    ]
    return [head, *reasons[:_SHOWN]]


_REMEDIES = {
    "is negative": "map refunds as cancelled orders, or leave them out",
    "is not a time": "give tables.*.columns.NAME a format, such as {column: day, format: '%d/%m/%Y'}",
    "later than the load": "check shop.time_zone, the unit of times, or the format's order of day and month",
    "is not a number": "set tables.*.decimal to ',' if numbers are written 1.234,50",
    "lead_id is empty": "rows of nobody cannot be used; map visitor_id and identities, or leave them out",
    "malformed": "check tables.*.delimiter, tables.*.encoding and the quotes around texts",
    "is not finite": "leave rows with infinite or missing amounts out",
}


def _remedy(reason: str) -> str:
    return next((f" ({remedy})" for sign, remedy in _REMEDIES.items() if sign in reason), "")


def all_at_midnight(connection: duckdb.DuckDBPyConnection, source: Incoming, staged: Staged) -> bool:
    """Whether all of a source's times are at 00:00 local though it does not call them days."""
    column = next((m for m in source.reading.columns if m.column.name == source.reading.table.time_column), None)
    if column is None or column.raw.is_date or column.raw.is_time or not column.raw.type.startswith("TIMESTAMP"):
        return False
    path = literal(str(staged.path))
    # At 00:00 local the UTC time falls on a whole quarter of an hour; a thousand of them are no accident.
    found = connection.execute(
        f"SELECT count(*), count(DISTINCT occurred_at::TIME) FROM read_parquet({path})"  # noqa: S608
    ).fetchall()[0]
    return bool(found[0] >= 100 and found[1] <= 2)


def mapping_changed(tables: Sequence[str]) -> LeadlightError:
    """Return the error for tables whose mapping differs from the one their facts were read by."""
    lines = [f"{table}: its facts of several loads were read by another mapping" for table in tables]
    hint = (
        "put the mapping back, or run `leadlight ingest --rebuild`: it reads everything anew as a first load, "
        "and what was learned from earlier loads about when rows became known is lost."
    )
    return wrong_input("The config maps tables differently than the workspace knows them:", lines, hint=hint)


def _do_not_fit(faults: Sequence[str]) -> LeadlightError:
    hint = (
        "map your names under tables.NAME.columns in the config; "
        "`leadlight check` shows what each table needs and reads without writing."
    )
    return wrong_input("The sources do not fit the config:", faults, hint=hint)


def _too_many_rejected(faults: Sequence[str], max_share: float) -> LeadlightError:
    hint = f"mend the rows, or raise ingest.max_rejected_share (now {max_share:g}). Nothing was written."
    return wrong_input("Too many rows cannot be used:", faults, hint=hint)
