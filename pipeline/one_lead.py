"""One lead's rows of a few tables, quickly enough for a page: DuckDB skips what is not the lead's in a row group."""

# ruff: noqa: S608 - names of columns are quoted; values and paths are bound

from __future__ import annotations

import threading
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa

from features.parsing import quoted
from pipeline.ingested import Tables
from pipeline.timeline_files import LEADS, bucket_file, bucket_of

if TYPE_CHECKING:
    import duckdb

_OF_THREAD = threading.local()


def rows_of_lead(tables: Tables, lead_id: str, names: Sequence[str]) -> dict[str, pa.Table]:
    """Return one lead's rows by table, those of an unknown lead without any.

    Args:
        tables: The ingested tables.
        lead_id: The lead.
        names: Which tables; one that was not ingested is left out.
    """
    folder, bucket = tables.folder / "timelines", bucket_of(lead_id, buckets=tables.buckets)
    leads = _rows(bucket_file(folder, LEADS, bucket), ["lead_no"], "lead_id", lead_id)
    number = leads["lead_no"][0].as_py() if len(leads) else -1
    there = {name: columns for name, columns in tables.manifest["timelines"].items() if name in names}
    return {
        name: _rows(bucket_file(folder, name, bucket), columns, "lead_no", number) for name, columns in there.items()
    }


def _rows(path: Path, columns: Sequence[str], where: str, value: str | int) -> pa.Table:
    query = f"SELECT {', '.join(map(quoted, columns))} FROM read_parquet(?) WHERE {where} = ?"
    return _cursor().sql(query, params=[str(path), value]).to_arrow_table()


def _cursor() -> duckdb.DuckDBPyConnection:
    """Return this thread's own connection to the one DuckDB."""
    if not hasattr(_OF_THREAD, "cursor"):
        _OF_THREAD.cursor = _connection().cursor()
    cursor: duckdb.DuckDBPyConnection = _OF_THREAD.cursor
    return cursor


@lru_cache(maxsize=1)
def _connection() -> duckdb.DuckDBPyConnection:
    import duckdb

    connection = duckdb.connect(
        config={"threads": 1, "autoinstall_known_extensions": False, "autoload_known_extensions": False}
    )
    connection.execute("SET TimeZone = 'UTC'")
    connection.execute("SET parquet_metadata_cache = true")
    return connection
