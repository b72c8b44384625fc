"""Resolution in memory: a small shop's tables in, timelines out, through the SQL that ingest runs."""

# ruff: noqa: S608 - this module writes SQL; names are quoted and texts escaped

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

import duckdb
import pyarrow as pa

from features.errors import wrong_input
from features.facts import FAULT, FUTURE, NOTE, WAITING, facts_sql
from features.local_time import local_clock
from features.moments import to_us
from features.ownership import links_sql, ownership_sql
from features.parsing import Raw, quoted
from features.reading import Mapped, Reading
from features.resolution import FactTable, attributes_sql, leads_sql, tie_order, timeline_sql
from features.row_order import settle
from features.tables import FACT_TABLES, TABLES, Column, columns_missing, missing_columns, table_named
from features.timeline import Coverage, Timelines, microseconds
from features.versions import repeats_sql

_STATES = ("cancelled", "canceled", "refunded", "returned")


@dataclass(frozen=True)
class ResolveOptions:
    """What may differ from shop to shop.

    Attributes:
        max_leads_per_visitor: A visitor linked to more leads gives its rows to none.
        static_attributes: Attributes that never change; others need ``recorded_at``.
        cancelled_statuses: States of an order that mean cancelled.
        is_status_static: Whether a state without a time was true from the start.
        coverage: Spans of tables; else first and last known time.
    """

    max_leads_per_visitor: int = 5
    static_attributes: Sequence[str] = ()
    cancelled_statuses: Sequence[str] = _STATES
    is_status_static: bool = False
    coverage: Mapping[str, Coverage] = field(default_factory=dict)


def resolve(
    tables: Mapping[str, pa.Table],
    *,
    zone: str = "UTC",
    loaded_at: datetime,
    options: ResolveOptions | None = None,
) -> Timelines:
    """Return the timelines of canonical tables, as one bucket, as if they were a first load.

    Args:
        tables: Canonical tables by name (`features.tables.TABLES`), with canonical column names.
            Ids are strings or integers. Times are ``timestamp`` (without a zone: local in *zone*),
            ``date32`` or ISO text. Amounts are numbers in the shop's currency, ``duration_s`` is
            in seconds, counts are whole numbers. Any column may be null where it is not required;
            ``visitor_id`` may stand in for a null ``lead_id`` in sessions and events. Rows with
            one id and different ``recorded_at`` are versions. Columns that are not canonical are
            kept as the shop's own (in ``leads``: as attributes), numbers as float64. A table
            without its id column gets row numbers, which order nothing.
        zone: The zone of naive times.
        loaded_at: The moment of the load (aware); rows occurred or known later are left out.
        options: What may differ from shop to shop.

    Returns:
        Timelines with ``attributes`` in place of ``leads``, sorted, amounts in 1/10,000,
        durations in milliseconds. Coverage is the first and last known time of each table.

    Raises:
        LeadlightError: A table is not canonical, lacks required columns or has unfit rows.
    """
    chosen = options or ResolveOptions()
    with duckdb.connect(config={"threads": 1}) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        facts = {
            name: _load(connection, name, rows, zone=zone, loaded_at=to_us(loaded_at), options=chosen)
            for name, rows in sorted(tables.items())
        }
        return _timelines(connection, facts, chosen)


def _load(
    connection: duckdb.DuckDBPyConnection,
    name: str,
    rows: pa.Table,
    *,
    zone: str,
    loaded_at: int,
    options: ResolveOptions,
) -> FactTable:
    """Parse one table into facts, kept in *connection*."""
    lacking = missing_columns(table_named(name).name, rows.column_names, found=rows.column_names)
    if lacking:
        raise columns_missing(name, lacking)
    connection.register(f"given_{name}", rows)
    described = connection.execute(f"DESCRIBE given_{name}").fetchall()
    reading = Reading(
        table=TABLES[name],
        columns=tuple(_mapped(name, str(column), str(kind)) for column, kind, *_ in described),
        clock=local_clock(zone),
        loaded_at=loaded_at,
        numbered_by="printf('row:%09d', _position)",
        cancelled_statuses=tuple(options.cancelled_statuses),
        is_status_static=options.is_status_static,
    )
    numbered = f"(SELECT *, row_number() OVER () AS _position FROM given_{name})"
    connection.execute(f"CREATE TABLE read_{name} AS {facts_sql(reading, numbered)}")
    _refuse_unfit(connection, name)
    if reading.has_ids:
        _refuse_conflicts(connection, reading)
    changed = "count(*) OVER (PARTITION BY row_id) > 1 AS is_change" if reading.has_ids else "FALSE AS is_change"
    connection.execute(
        f"CREATE TABLE facts_{name} AS SELECT * REPLACE ({changed}) "
        f"FROM (SELECT DISTINCT * EXCLUDE ({FAULT}, {NOTE}) FROM read_{name} WHERE {FAULT} IS NULL)"
    )
    return FactTable(
        name=name,
        relation=f"facts_{name}",
        content=tuple(column.stored_name for column in reading.content),
        has_visitors="visitor_id" in reading.names,
        is_numbered=not reading.has_ids,
        left_out=_left_out(reading, options),
    )


def _mapped(table: str, column: str, kind: str) -> Mapped:
    raw = Raw(quoted(column), kind)
    if column in TABLES[table].names:
        return Mapped(TABLES[table].column(column), raw)
    is_text = kind in ("VARCHAR", "BOOLEAN") or kind.startswith("ENUM")
    own = "text" if is_text else "time" if kind.startswith(("TIMESTAMP", "DATE")) else "number"
    return Mapped(Column(column, own, "The shop's own."), raw, is_extra=True)


def _left_out(reading: Reading, options: ResolveOptions) -> tuple[str, ...]:
    has_times = "recorded_at" in reading.names or options.is_status_static
    return () if reading.table.name != "orders" or has_times else ("status",)


def _refuse_unfit(connection: duckdb.DuckDBPyConnection, name: str) -> None:
    unfit = connection.execute(
        f"SELECT {FAULT}, count(*) FROM read_{name} WHERE {FAULT} NOT IN (?, ?) GROUP BY 1 ORDER BY 1",
        [WAITING, FUTURE],
    ).fetchall()
    if unfit:
        lines = [f"{reason}: {count} rows" for reason, count in unfit]
        raise wrong_input(f"Table '{name}' has rows that cannot be used:", lines, hint="mend or leave out these rows.")


def _refuse_conflicts(connection: duckdb.DuckDBPyConnection, reading: Reading) -> None:
    name = reading.table.name
    content = [column.stored_name for column in reading.content]
    _, _, conflicts, examples = connection.execute(repeats_sql(f"read_{name}", content)).fetchall()[0]
    if conflicts:
        fact = f"Table '{name}' has {conflicts:,} ids with different rows and one recorded_at:"
        raise wrong_input(fact, examples or (), hint="one id must mean one fact; versions need a recorded_at each.")


def _timelines(
    connection: duckdb.DuckDBPyConnection, facts: Mapping[str, FactTable], options: ResolveOptions
) -> Timelines:
    connection.execute(f"CREATE TABLE lead_index AS {leads_sql(facts.values(), buckets=1)}")
    if "identities" in facts:
        owners = ownership_sql(f"({links_sql('facts_identities')})", max_leads=options.max_leads_per_visitor)
        connection.execute(f"CREATE TABLE ownership AS {owners}")
    tables = {}
    for name, table in facts.items():
        if name in FACT_TABLES:
            owned = replace(table, has_visitors=table.has_visitors and "identities" in facts)
            rows = _rows(connection, timeline_sql(owned, leads="lead_index", ownership="ownership"))
            tables[name] = settle(rows, by=tie_order(table))
    tables |= _attributes(connection, facts, options)
    leads = _rows(connection, "SELECT * EXCLUDE (bucket) FROM lead_index ORDER BY lead_no")
    spans = {name: _span(connection, name) for name in facts}
    return Timelines(leads, tables, {**spans, **options.coverage})


def _attributes(
    connection: duckdb.DuckDBPyConnection, facts: Mapping[str, FactTable], options: ResolveOptions
) -> dict[str, pa.Table]:
    if "leads" not in facts:
        return {}
    own = [name for name in facts["leads"].content if name not in TABLES["leads"].names]
    has_versions = connection.execute("SELECT bool_or(recorded_at IS NOT NULL) FROM facts_leads").fetchall()[0][0]
    usable = [name for name in own if has_versions or name in options.static_attributes]
    if not usable:
        return {}
    query = attributes_sql(facts["leads"], leads="lead_index", attributes=usable, static=options.static_attributes)
    return {"attributes": _rows(connection, query)}


def _rows(connection: duckdb.DuckDBPyConnection, query: str) -> pa.Table:
    table = connection.sql(query).to_arrow_table()
    moment = pa.timestamp("us", tz="UTC")
    fields = [pa.field(f.name, moment) if pa.types.is_timestamp(f.type) else f for f in table.schema]
    return table.cast(pa.schema(fields))


def _span(connection: duckdb.DuckDBPyConnection, name: str) -> Coverage:
    found = _rows(connection, f"SELECT min(known_at) AS first, max(known_at) AS last FROM facts_{name}")
    return Coverage(int(microseconds(found["first"], missing=0)[0]), int(microseconds(found["last"], missing=0)[0]))
