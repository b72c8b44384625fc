"""One lead's rows of a few tables, quickly enough for a page: DuckDB skips what is not the lead's in a row group."""

# ruff: noqa: S608 - names of columns are quoted; values and paths are bound

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from functools import cache, lru_cache
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from features.parsing import quoted
from pipeline.duckdb_cursors import Cursors
from pipeline.ingested import Tables
from pipeline.same_file import stands
from pipeline.timeline_files import LEADS, bucket_file, bucket_of

_INDEXES_KEPT: Final = 64
"""Of as many buckets the ids of leads stay in memory, some hundred kilobytes each."""


def rows_of_lead(tables: Tables, lead_id: str, wanted: Mapping[str, Collection[str]]) -> dict[str, pa.Table]:
    """Return one lead's rows by table, those of an unknown lead without any.

    Args:
        tables: The ingested tables.
        lead_id: The lead.
        wanted: Which columns of which tables: each costs time. What was not ingested is left out.
    """
    folder, bucket = tables.folder / "timelines", bucket_of(lead_id, buckets=tables.buckets)
    number = _number_of(bucket_file(folder, LEADS, bucket), lead_id)
    return {
        name: _rows(bucket_file(folder, name, bucket), [column for column in there if column in wanted[name]], number)
        for name, there in tables.manifest["timelines"].items()
        if name in wanted
    }


def _number_of(path: Path, lead_id: str) -> int:
    """Return by which number the timelines of a bucket know a lead; -1 = not at all."""
    ids, numbers = _index_of(path, stands(path))
    place = pc.index(ids, lead_id).as_py()
    return -1 if place < 0 else int(numbers[place].as_py())


@lru_cache(maxsize=_INDEXES_KEPT)
def _index_of(path: Path, _stands: tuple[int, ...]) -> tuple[pa.ChunkedArray, pa.ChunkedArray]:
    with pq.ParquetFile(path) as file:
        leads = file.read(["lead_id", "lead_no"])
    return leads["lead_id"].cast(pa.string()), leads["lead_no"]


def _rows(path: Path, columns: Sequence[str], lead_no: int) -> pa.Table:
    query = f"SELECT {', '.join(map(quoted, columns))} FROM read_parquet(?) WHERE lead_no = ?"
    return _cursors().mine().sql(query, params=[str(path), lead_no]).to_arrow_table()


@cache
def _cursors() -> Cursors:
    return Cursors({"threads": 1})
