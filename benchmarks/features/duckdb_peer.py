"""The features by hand in DuckDB SQL, bucket by bucket, in three ways.

``range_join``
    Events joined with the snapshots that see them, then one group-by with filtered aggregates.
``snapshots``
    One filtered group-by per snapshot, all in one query.
``window_asof``
    Each event becomes "enters at this snapshot, leaves at that one" by ASOF joins, and window
    functions run the totals (`benchmarks.features.duckdb_window`).

Texts become enums first, and the row number orders ties, as the files are sorted; packed with the
source it finds the first and the last one by a plain minimum and maximum.
"""

# The SQL is put together from this package's own constants and paths only.
# ruff: noqa: S608

from __future__ import annotations

from typing import TYPE_CHECKING

import duckdb
import pyarrow as pa

from benchmarks.features import duckdb_window
from benchmarks.features.cases import COUNTS, MICROSECONDS_PER_DAY, SUMS, THREADS, WINDOW_DAYS, Case

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

DAY = MICROSECONDS_PER_DAY
LONGEST = max(WINDOW_DAYS)
SOURCE_ROOM = 1_048_576  # more than the levels of any category column
QUIET = "set enable_progress_bar = false"

LOAD = """
create or replace temp table e as
select lead_no, value,
       epoch_us(occurred_at) as occurred,
       epoch_us(known_at) as known,
       coalesce(epoch_us(superseded_at), 9223372036854775807) as superseded,
       type = 'view' as is_view, type = 'cart' as is_cart, type = 'purchase' as is_purchase,
       enum_code(category::category_level) as category,
       file_row_number * {room} + enum_code(source::source_level) as touch
from read_parquet('{events}', file_row_number = true);
create or replace temp table l as select lead_no from read_parquet('{leads}')
"""


def run(folder: Path, case: Case, *, formulation: str) -> pa.Table:
    """Return one row per (lead, as_of), all features, computed by one of `FORMULATIONS`."""
    connection = duckdb.connect()
    connection.execute(f"set threads = {THREADS}; set preserve_insertion_order = false; {QUIET}")
    _prepare(connection, folder, case)
    parts = []
    for events in sorted((folder / "events").glob("*.parquet")):
        leads = folder / "leads" / events.name
        connection.execute(LOAD.format(events=events, leads=leads, room=SOURCE_ROOM))
        found = FORMULATIONS[formulation](case)
        parts.append(connection.sql(f"{found} {_finished()}").to_arrow_table())
    return pa.concat_tables(parts)


def _prepare(connection: duckdb.DuckDBPyConnection, folder: Path, case: Case) -> None:
    files = f"read_parquet('{folder}/events/*.parquet')"
    for name in ("category", "source"):
        connection.execute(f"create type {name}_level as enum (select distinct {name} from {files})")
    moments = ", ".join(f"({number}, {as_of})" for number, as_of in enumerate(case.as_of_us))
    columns = "(number integer, as_of bigint)"
    connection.execute(f"create table s {columns}; insert into s values {moments}")


def _range_join(_: Case) -> str:
    seen = f"select e.*, as_of, {_masks('as_of')} from e join s on {_is_seen('as_of')}"
    found = f"select lead_no, as_of, {_aggregates()} from ({seen}) group by lead_no, as_of"
    return f"with {_dense(found)}"


def _snapshots(case: Case) -> str:
    parts = []
    for as_of in case.as_of_us:
        seen = f"select *, {_masks(as_of)} from e where {_is_seen(as_of)}"
        parts.append(f"(select lead_no, {as_of}::bigint as as_of, {_aggregates()} from ({seen}) group by lead_no)")
    return f"with {_dense(' union all '.join(parts))}"


FORMULATIONS: dict[str, Callable[[Case], str]] = {
    "range_join": _range_join,
    "snapshots": _snapshots,
    "window_asof": duckdb_window.query,
}
BEST = {"monthly6": "range_join", "weekly26": "range_join", "daily90": "range_join"}


def _dense(found: str) -> str:
    every = "select lead_no, as_of from l cross join s"
    return f"found as ({found}), every as (select * from ({every}) left join found using (lead_no, as_of))"


def _is_seen(as_of: str | int) -> str:
    return f"known < {as_of} and {as_of} <= superseded and occurred >= {as_of} - {LONGEST * DAY}"


def _masks(as_of: str | int) -> str:
    return ", ".join(f"occurred >= {as_of} - {days * DAY} as in_{days}" for days in WINDOW_DAYS)


def _aggregates() -> str:
    found = ["max(occurred) as last", "max(touch) as last_touch"]
    for days in WINDOW_DAYS:
        within = f"filter (in_{days})"
        found += [
            f"count(*) {within} as count_all_{days}d",
            *(f"count(*) filter (in_{days} and is_{t}) as count_{t}_{days}d" for t in ("view", "cart", "purchase")),
            f"len(list_distinct(list(category) {within})) as distinct_category_{days}d",
            f"sum(value) {within}::bigint as sum_value_all_{days}d",
            f"sum(value) filter (in_{days} and is_purchase)::bigint as sum_value_purchase_{days}d",
            f"min(occurred) {within} as first_{days}",
            f"min(touch) {within} as first_touch_{days}",
        ]
    return ", ".join(found)


def _finished() -> str:
    columns = ["lead_no", "as_of"]
    for days in WINDOW_DAYS:
        columns += _window_columns(days)
    return f"select {', '.join(columns)} from every"


def _window_columns(days: int) -> list[str]:
    count, gap = f"count_all_{days}d", f"(last - first_{days})::double / (count_all_{days}d - 1) / {DAY}"
    last_touch = f"case when {count} > 0 then last_touch end"
    return [
        *(f"coalesce({name}_{days}d, 0)::uinteger as {name}_{days}d" for name in COUNTS),
        *(f"coalesce({name}_{days}d, 0) / 10000.0::double as {name}_{days}d" for name in SUMS),
        f"case when {count} > 1 then {gap} end as mean_gap_days_{days}d",
        f"case when {count} > 0 then (as_of - last)::double / {DAY} end as days_since_last_{days}d",
        f"(as_of - first_{days})::double / {DAY} as days_since_first_{days}d",
        f"{_source(f'first_touch_{days}')} as first_source_{days}d",
        f"{_source(last_touch)} as last_source_{days}d",
    ]


def _source(touch: str) -> str:
    return f"(enum_range(null::source_level)::source_level[])[({touch}) % {SOURCE_ROOM} + 1]"
