"""From facts to timelines: the SQL of `features.resolution`, run over files and written by bucket."""

# ruff: noqa: S608 - names are ours, texts are escaped

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from pathlib import Path

import duckdb
import pyarrow as pa

from features.local_time import instant
from features.moments import local_midnight
from features.ownership import links_sql, ownership_sql, shared_visitors_sql
from features.people import people_sql, told_of
from features.resolution import FactTable, attributes_sql, leads_sql, tie_order, timeline_sql
from features.row_order import settled
from features.tables import FACT_TABLES
from pipeline.progress import Progress
from pipeline.settings import Settings
from pipeline.settings_tables import Source
from pipeline.stages.ingest_record import TableRecord
from pipeline.stages.loads import facts_relation
from pipeline.timeline_files import LEADS, PEOPLE, bucket_ends, in_utc, schema_in_utc, write_buckets

ROWS_PER_BUCKET = 1_000_000
_BATCH = 262_144
_TYPES_LISTED = 1_000


@dataclass(frozen=True)
class Resolved:
    """What resolution found.

    Attributes:
        leads: Number of leads.
        buckets: Number of buckets.
        leads_with: Per table: leads with at least one row.
        columns: Per timeline: its columns in order.
        left_out: Columns that may not be used.
        shared_visitors: Visitors with too many leads.
        unlinked_rows: Rows whose visitor was never linked.
        event_types: Types of events, or None where there are too many to list.
        people: What is known of people, in order; None without a table of leads.
    """

    leads: int
    buckets: int
    leads_with: Mapping[str, int]
    columns: Mapping[str, list[str]]
    left_out: tuple[str, ...]
    shared_visitors: int
    unlinked_rows: int
    event_types: list[str] | None
    people: tuple[str, ...] | None = None


def resolve_facts(
    connection: duckdb.DuckDBPyConnection,
    settings: Settings,
    records: Mapping[str, TableRecord],
    *,
    facts: Path,
    timelines: Path | None,
    progress: Progress,
) -> Resolved:
    """Resolve all facts and write the timelines.

    Args:
        connection: DuckDB.
        settings: The shop's config.
        records: The tables' records, of which the files of facts are read.
        facts: The folder of facts.
        timelines: The folder of timelines; None counts without writing.
        progress: Told of every table done.
    """
    tables = {name: _fact_table(name, record, settings, facts) for name, record in records.items() if record.facts}
    buckets = _bucket_count(connection, settings, tables)
    progress("numbering leads", 0, len(tables) + 1)
    founders = _founders(tables, records, facts)
    connection.execute(f"CREATE OR REPLACE TEMP TABLE lead_index AS {leads_sql(founders, buckets=buckets)}")
    leads = connection.sql("SELECT * FROM lead_index ORDER BY lead_no").to_arrow_table()
    shared = _own(connection, tables, settings)
    queries = _queries(tables, settings, records, has_links="identities" in tables)
    ends = bucket_ends(leads, buckets=buckets)
    leads_with, columns = {}, {}
    for done, (name, query) in enumerate(queries.items()):
        progress(f"sorting {name}", done + 1, len(queries) + 1)
        relation = connection.sql(query)
        columns[name] = list(relation.columns)
        if timelines is None:
            leads_with[name] = _count(connection, f"SELECT count(DISTINCT lead_no) FROM ({query})")
        else:
            # The schema is asked for first: a connection serves one open result at a time.
            schema = schema_in_utc(relation.limit(0).to_arrow_table().schema)
            sorted_rows = (in_utc(pa.Table.from_batches([batch])) for batch in relation.to_arrow_reader(_BATCH))
            rows = settled(sorted_rows, by=tie_order(tables[name])) if name in tables else sorted_rows
            leads_with[name] = write_buckets(rows, timelines, name, schema=schema, ends=ends)
    if timelines is not None:
        _write_leads(leads, timelines, ends)
        _write_people(connection, tables, timelines, ends)
    return Resolved(
        leads=len(leads),
        buckets=buckets,
        leads_with=leads_with,
        columns=columns,
        left_out=tuple(_left_out(tables, settings, records)),
        shared_visitors=shared,
        unlinked_rows=_unlinked(connection, tables),
        event_types=_event_types(connection, tables),
        people=told_of(tables["leads"].content) if "leads" in tables else None,
    )


def span_of(
    connection: duckdb.DuckDBPyConnection,
    paths: Sequence[Path],
    sources: Sequence[Source],
    *,
    zone: str,
    read_until: int | None = None,
) -> tuple[int | None, int | None, int | None, int | None]:
    """Return data_from, data_until, first and last occurred of files of facts, in microseconds.

    What the config says wins: the latest ``data_from`` and the earliest ``data_until`` of the
    table's sources, for only there all of them collect. No load knows what comes after it.

    Args:
        connection: DuckDB.
        paths: The files.
        sources: What the config says of the table's sources.
        zone: The shop's time zone.
        read_until: Until when CRMs among them were read: a quiet CRM has no rows, and is no older for that.
    """
    found = connection.execute(f"""
        SELECT epoch_us(min(known_at)), epoch_us(max(known_at)), epoch_us(min(occurred_at)), epoch_us(max(occurred_at)),
            epoch_us(max(loaded_at))
        FROM {facts_relation(paths)} WHERE NOT is_retracted
    """).fetchall()[0]
    begins = [_moment(source.data_from, zone, ends=False) for source in sources if source.data_from is not None]
    ends = [_moment(source.data_until, zone, ends=True) for source in sources if source.data_until is not None]
    last = max((at for at in (found[1], read_until) if at is not None), default=None)
    until = min(at for at in (*ends, found[4]) if at is not None) if ends else last
    first = read_until if found[0] is None else found[0]
    return max(begins) if begins else first, until, found[2], found[3]


def _moment(said: datetime | date, zone: str, *, ends: bool) -> int:
    """Return a configured moment; a bare date begins with its first moment and ends with its last."""
    if not isinstance(said, datetime):
        return local_midnight(said + timedelta(days=1) if ends else said, zone)
    return instant(said, zone)


def _fact_table(name: str, record: TableRecord, settings: Settings, folder: Path) -> FactTable:
    content = list(dict.fromkeys(column for source in record.sources for column in source.content))
    has_times = all(source.has_recorded for source in record.sources) or all(
        source.static_status for source in settings.tables[name]
    )
    return FactTable(
        name=name,
        relation=facts_relation([folder / path for path in record.facts]),
        content=tuple(content),
        has_changes=record.has_changes,
        has_visitors=any(source.has_visitors for source in record.sources),
        is_numbered=not all(source.has_ids for source in record.sources),
        left_out=("status",) if name == "orders" and "status" in content and not has_times else (),
    )


def _founders(tables: Mapping[str, FactTable], records: Mapping[str, TableRecord], folder: Path) -> list[FactTable]:
    """Return the tables with those rows alone that make a lead exist: a CRM knows people whom the shop does not."""
    own = {
        name: [path for source in records[name].sources if source.read_until is None for path in source.facts]
        for name in tables
    }
    return [
        replace(table, relation=facts_relation([folder / path for path in own[name]]))
        for name, table in tables.items()
        if own[name]
    ]


def _queries(
    tables: Mapping[str, FactTable], settings: Settings, records: Mapping[str, TableRecord], *, has_links: bool
) -> dict[str, str]:
    queries = {
        name: timeline_sql(
            table if has_links else replace(table, has_visitors=False), leads="lead_index", ownership="ownership"
        )
        for name, table in tables.items()
        if name in FACT_TABLES
    }
    usable = _usable_attributes(tables, settings, records)
    if usable:
        static = [name for name in usable if name in _static(settings)]
        queries["attributes"] = attributes_sql(tables["leads"], leads="lead_index", attributes=usable, static=static)
    return queries


def _attributes(settings: Settings) -> list[str]:
    return list(dict.fromkeys(name for source in settings.tables.get("leads", []) for name in source.attributes))


def _static(settings: Settings) -> set[str]:
    return {
        name for source in settings.tables.get("leads", []) for name, spec in source.attributes.items() if spec.static
    }


def _usable_attributes(
    tables: Mapping[str, FactTable], settings: Settings, records: Mapping[str, TableRecord]
) -> list[str]:
    """Without ``recorded_at`` and before a second load, nothing says when a value became known."""
    if "leads" not in tables:
        return []
    record = records["leads"]
    has_history = record.loads > 1 or any(source.has_recorded for source in record.sources)
    static = _static(settings)
    there = set(tables["leads"].content)
    return [name for name in _attributes(settings) if name in there and (has_history or name in static)]


def _left_out(tables: Mapping[str, FactTable], settings: Settings, records: Mapping[str, TableRecord]) -> list[str]:
    usable = set(_usable_attributes(tables, settings, records))
    attributes = [f"leads.{name}" for name in _attributes(settings) if name not in usable]
    return attributes + [f"{name}.{column}" for name, table in tables.items() for column in table.left_out]


def _own(connection: duckdb.DuckDBPyConnection, tables: Mapping[str, FactTable], settings: Settings) -> int:
    """Work out who owns what visitors did; return how many visitors have too many leads."""
    if "identities" not in tables:
        return 0
    most = settings.ingest.max_leads_per_visitor
    connection.execute(f"CREATE OR REPLACE TEMP TABLE links AS {links_sql(tables['identities'].relation)}")
    connection.execute(f"CREATE OR REPLACE TEMP TABLE ownership AS {ownership_sql('links', max_leads=most)}")
    return _count(connection, f"SELECT count(*) FROM ({shared_visitors_sql('links', max_leads=most)})")


def _unlinked(connection: duckdb.DuckDBPyConnection, tables: Mapping[str, FactTable]) -> int:
    rows = 0
    for table in tables.values():
        if table.has_visitors and table.name in FACT_TABLES:
            linked = "AND visitor_id NOT IN (SELECT visitor_id FROM links)" if "identities" in tables else ""
            rows += _count(connection, f"SELECT count(*) FROM {table.relation} WHERE lead_id IS NULL {linked}")
    return rows


def _event_types(connection: duckdb.DuckDBPyConnection, tables: Mapping[str, FactTable]) -> list[str] | None:
    if "events" not in tables:
        return []
    found = connection.execute(
        f"SELECT DISTINCT type FROM {tables['events'].relation} ORDER BY type LIMIT {_TYPES_LISTED + 1}"
    ).fetchall()
    return [str(kind) for (kind,) in found] if len(found) <= _TYPES_LISTED else None


def _bucket_count(connection: duckdb.DuckDBPyConnection, settings: Settings, tables: Mapping[str, FactTable]) -> int:
    if isinstance(settings.ingest.buckets, int):
        return settings.ingest.buckets
    rows = sum(_count(connection, f"SELECT count(*) FROM {table.relation}") for table in tables.values())
    return max(1, math.ceil(rows / ROWS_PER_BUCKET))


def _write_leads(leads: pa.Table, timelines: Path, ends: Sequence[int]) -> None:
    index = in_utc(leads.drop_columns(["bucket"]))
    write_buckets([index], timelines, LEADS, schema=index.schema, ends=ends)


def _write_people(
    connection: duckdb.DuckDBPyConnection, tables: Mapping[str, FactTable], timelines: Path, ends: Sequence[int]
) -> None:
    """Write what is known of people beside the timelines: what is read of them is for showing, never for learning."""
    if "leads" not in tables:
        return
    relation = connection.sql(people_sql(tables["leads"], leads="lead_index"))
    schema = schema_in_utc(relation.limit(0).to_arrow_table().schema)
    rows = (in_utc(pa.Table.from_batches([batch])) for batch in relation.to_arrow_reader(_BATCH))
    write_buckets(rows, timelines, PEOPLE, schema=schema, ends=ends)


def _count(connection: duckdb.DuckDBPyConnection, query: str) -> int:
    return int(connection.execute(query).fetchall()[0][0])
