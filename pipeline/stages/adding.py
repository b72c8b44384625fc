"""Adding: staged sources become files of facts beside those of earlier loads."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import duckdb

from features.errors import LeadlightError, wrong_input
from features.tables import TABLES
from pipeline.sources.staging import Staged, has_future
from pipeline.stages.ingest_record import IngestRecord, SourceRecord, TableRecord
from pipeline.stages.intake import Incoming
from pipeline.stages.loads import (
    Added,
    Repeats,
    add_first,
    add_later,
    facts_relation,
    find_repeats,
    fit_rows,
    retract,
    vanished,
)
from pipeline.stages.timeline_writer import span_of


@dataclass(frozen=True)
class Addition:
    """What a load added to all tables.

    Attributes:
        records: The tables' records after it.
        added: Per table: what each source added.
        totals: Per table: facts there now, all versions.
    """

    records: dict[str, TableRecord]
    added: Mapping[str, Sequence[Added]] = field(default_factory=dict)
    totals: Mapping[str, int] = field(default_factory=dict)

    @property
    def is_changed(self) -> bool:
        """Whether any fact is new."""
        return any(one.rows or one.versions or one.retracted for all_of in self.added.values() for one in all_of)

    def notes(self) -> list[str]:
        """Return one line per table whose new facts are mostly older than what was loaded before: history, it seems."""
        lines = []
        for table, ones in self.added.items():
            late, rows = sum(one.late for one in ones), sum(one.rows for one in ones)
            if late > rows / 2:
                lines.append(
                    f"{table}: {late:,} of {rows:,} new rows happened before the earlier load's data ended and count "
                    "as known only from now on; if they are history, map recorded_at, or `leadlight ingest --rebuild`"
                )
        return lines

    def counts(self, table: str) -> dict[str, int]:
        """Return the sums for a table's report."""
        ones = self.added.get(table, ())
        return {
            "kept": sum(one.rows for one in ones),
            "new_versions": sum(one.versions for one in ones),
            "retracted": sum(one.retracted for one in ones),
            "repeats": sum(one.repeats for one in ones),
        }


def add_all(
    connection: duckdb.DuckDBPyConnection,
    incoming: Sequence[Incoming],
    staged: Mapping[str, Staged],
    *,
    before: IngestRecord,
    folder: Path,
    previous: Path | None,
    is_lasting: bool,
) -> Addition:
    """Write the new facts of all tables into *folder*, beside links to the earlier ones.

    Args:
        connection: DuckDB.
        incoming: The sources that were read.
        staged: Their rows.
        before: What the workspace knew.
        folder: The new generation.
        previous: The current generation, of which facts are kept.
        is_lasting: Whether *folder* outlives the current generation; a check's does not.

    Raises:
        LeadlightError: Ids have conflicting rows, or rows without ids are gone: all tables at once.
    """
    facts = folder / "facts"
    _bring_along(before, facts, previous, is_lasting=is_lasting)
    by_table: dict[str, list[Incoming]] = {}
    for source in incoming:
        by_table.setdefault(source.table, []).append(source)
    repeats = {table: _repeats(connection, sources, staged) for table, sources in by_table.items()}
    if faults := _faults(connection, by_table, repeats, staged, facts):
        raise _conflicts(faults)
    records, added = dict(before.tables), {}
    for table, sources in by_table.items():
        record = before.tables.get(table, TableRecord(()))
        records[table], added[table] = _add_table(connection, record, sources, staged, repeats[table], facts=facts)
    ordered = {name: records[name] for name in TABLES if name in records}
    totals = {name: _total(connection, record, facts) for name, record in ordered.items()}
    return Addition(ordered, added, totals)


def _bring_along(before: IngestRecord, facts: Path, previous: Path | None, *, is_lasting: bool) -> None:
    """Link earlier facts into the new generation: they never change, so they need no second copy."""
    for name in (name for table in before.tables.values() for name in table.facts):
        place = facts / name
        place.parent.mkdir(parents=True, exist_ok=True)
        source = (previous or facts.parent) / "facts" / name
        if not is_lasting:
            place.symlink_to(source.resolve())
            continue
        try:
            os.link(source, place)
        except OSError:
            # Some network filesystems know no links.
            shutil.copyfile(source, place)


def _repeats(
    connection: duckdb.DuckDBPyConnection, sources: Sequence[Incoming], staged: Mapping[str, Staged]
) -> Repeats:
    """Look for repeated ids over all of a table's sources; made-up ids cannot repeat."""
    with_ids = [source for source in sources if source.reading.has_ids]
    if not with_ids:
        return Repeats(0, 0, 0, ())
    content = dict.fromkeys(column.stored_name for source in with_ids for column in source.reading.content)
    return find_repeats(connection, fit_rows([staged[source.name].path for source in with_ids]), list(content))


def _faults(
    connection: duckdb.DuckDBPyConnection,
    by_table: Mapping[str, Sequence[Incoming]],
    repeats: Mapping[str, Repeats],
    staged: Mapping[str, Staged],
    facts: Path,
) -> list[str]:
    lines = []
    for table, found in repeats.items():
        if found.conflicts:
            shown = f", such as {', '.join(found.examples)}" if found.examples else ""
            lines.append(f"{table}: {found.conflicts:,} ids of {TABLES[table].id_column} have different rows{shown}")
    for sources in by_table.values():
        for source in sources:
            if source.record is None or not source.record.facts or source.reading.has_ids or not source.source.query:
                continue
            own = [facts / name for name in source.record.facts]
            gone = vanished(connection, staged[source.name], own=own) if source.source.mode == "append" else 0
            if gone:
                lines.append(f"{source.table}: {gone:,} rows of the query are gone, and its rows have no ids")
    return lines


def _add_table(
    connection: duckdb.DuckDBPyConnection,
    record: TableRecord,
    sources: Sequence[Incoming],
    staged: Mapping[str, Staged],
    repeats: Repeats,
    *,
    facts: Path,
) -> tuple[TableRecord, list[Added]]:
    number = record.number + 1
    known = list(record.sources)
    written, added = list(record.facts), []
    for source in sources:
        one = staged[source.name]
        path = facts / source.table / f"load-{number:04d}-{source.number}.parquet"
        earlier = [facts / name for name in written]
        own = [facts / name for name in source.record.facts] if source.record else []
        # Files of one load whose ids never repeat need not be compared with each other.
        if not record.facts and (repeats.are_none or not written):
            result = add_first(connection, one, repeats=repeats, path=path)
        else:
            until = source.record.data_until if source.record else None
            result = add_later(connection, one, earlier=earlier, previous_until=until, repeats=repeats, path=path)
        gone = path.with_name(f"load-{number:04d}-{source.number}-gone.parquet")
        if source.source.mode == "full" and own:
            result = replace(result, retracted=retract(connection, one, earlier=earlier, own=own, path=gone))
        new = [f"{source.table}/{file.name}" for file in (path, gone) if file.exists()]
        written += new
        added.append(result)
        _set(known, source.number, _source_record(connection, source, one, new, facts))
    has_changes = record.has_changes or repeats.versions > 0 or any(one.versions or one.retracted for one in added)
    # A first load without a row has a file as well, and no later one may take its name.
    is_new = len(written) > len(record.facts)
    return TableRecord(tuple(known), number if is_new else record.number, has_changes), added


def _source_record(
    connection: duckdb.DuckDBPyConnection, source: Incoming, staged: Staged, new: Sequence[str], facts: Path
) -> SourceRecord:
    before, reading = source.record, source.reading
    own = [*(before.facts if before else ()), *new]
    until = None
    if own:
        until = span_of(connection, [facts / name for name in own], [source.source], zone=source.zone)[1]
    return SourceRecord(
        signature=source.signature,
        files=source.files,
        facts=tuple(own),
        loads=(before.loads if before else 0) + bool(new),
        data_until=until,
        is_waiting=has_future(staged),
        content=tuple(column.stored_name for column in reading.content),
        has_ids=reading.has_ids,
        has_visitors="visitor_id" in reading.names,
        has_recorded="recorded_at" in reading.names,
        read_until=source.read_until,
    )


def _set(known: list[SourceRecord], number: int, record: SourceRecord) -> None:
    if number < len(known):
        known[number] = record
    else:
        known.append(record)


def _total(connection: duckdb.DuckDBPyConnection, record: TableRecord, facts: Path) -> int:
    if not record.facts:
        return 0
    relation = facts_relation([facts / name for name in record.facts])
    return int(connection.execute(f"SELECT count(*) FROM {relation}").fetchall()[0][0])  # noqa: S608 - our own files


def _conflicts(faults: Sequence[str]) -> LeadlightError:
    hint = (
        "one id must mean one fact: mend the rows, map recorded_at where they are versions, or map another column "
        "as the id; `mode: full` tells that a source without ids is always the whole export."
    )
    return wrong_input("Rows contradict each other:", faults, hint=hint)
