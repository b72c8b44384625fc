"""Timelines on disk: one Parquet file per table and bucket of leads."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from features.moment_type import MOMENT
from features.plan import KEY_COLUMNS
from features.timeline import Coverage, Timelines

_ROW_GROUP = 16_384
"""Rows that lie together: a page asks for one lead's. With eight times as many a whole file is read a tenth faster."""
_AT_ONCE = 131_072
"""Rows that are written together."""
LEADS = "leads"
"""The folder of the index of leads, beside the tables."""
PEOPLE = "people"
"""The folder of what is known of people: no timeline, so that no feature can read it."""

_IDS = ("row_id", "lead_id")


def bucket_file(folder: Path, table: str, bucket: int) -> Path:
    """Return the path of one table's timeline of one bucket."""
    return folder / table / f"bucket-{bucket:04d}.parquet"


def schema_in_utc(schema: pa.Schema) -> pa.Schema:
    """Return *schema* with its naive times said to be UTC."""
    return pa.schema([pa.field(field.name, MOMENT) if pa.types.is_timestamp(field.type) else field for field in schema])


def in_utc(table: pa.Table) -> pa.Table:
    """Return *table* with its naive UTC times said to be UTC; no value changes."""
    return table.cast(schema_in_utc(table.schema))


def write_buckets(
    tables: Iterable[pa.Table], folder: Path, name: str, *, schema: pa.Schema, ends: Sequence[int]
) -> int:
    """Write lead-sorted rows as one file per bucket and return how many leads have any.

    Args:
        tables: Rows in ascending ``lead_no``, in pieces.
        folder: The folder of timelines.
        name: The table's name.
        schema: The schema of the files.
        ends: Per bucket, the first ``lead_no`` behind it.
    """
    writers = _Writers(folder, name, schema)
    leads, last = 0, -1
    try:
        for piece in tables:
            numbers = piece["lead_no"].to_numpy()
            leads += int(np.count_nonzero(np.diff(numbers, prepend=last)))
            last = numbers[-1] if len(numbers) else last
            start = 0
            for bucket, stop in enumerate(np.searchsorted(numbers, np.asarray(ends))):
                if stop > start:
                    writers.append(bucket, piece.slice(start, stop - start))
                    start = int(stop)
        writers.finish(len(ends))
    finally:
        writers.close()
    return leads


def read_bucket(
    folder: Path,
    bucket: int,
    *,
    available: Mapping[str, Sequence[str]],
    columns: Mapping[str, set[str]] | None,
    coverage: Mapping[str, Coverage],
) -> Timelines:
    """Return one bucket's timelines.

    Args:
        folder: The folder of timelines.
        bucket: The bucket's number.
        available: Columns per table, in order.
        columns: Which columns of which tables to read beside the keys; None = all.
        coverage: The span of each table.
    """
    tables = {
        name: read_sorted(bucket_file(folder, name, bucket), asked)
        for name, asked in asked_of(available, columns).items()
    }
    return Timelines(read_sorted(bucket_file(folder, LEADS, bucket)), tables, coverage)


def asked_of(available: Mapping[str, Sequence[str]], columns: Mapping[str, set[str]] | None) -> dict[str, list[str]]:
    """Return which columns of which tables to read, in order.

    Args:
        available: Columns per table, in order.
        columns: Which are asked for beside the keys; None = all.
    """
    return {
        name: [column for column in there if columns is None or column in {*KEY_COLUMNS, *columns[name]}]
        for name, there in available.items()
        if columns is None or name in columns
    }


def read_people(folder: Path, bucket: int) -> pa.Table:
    """Return what is known of one bucket's people, all versions; see `features.people`."""
    with pq.ParquetFile(bucket_file(folder, PEOPLE, bucket)) as file:
        return file.read()


def bucket_of(lead_id: str, *, buckets: int) -> int:
    """Return the bucket that holds a lead: what `features.resolution.leads_sql` says in SQL."""
    digest = hashlib.md5(lead_id.encode(), usedforsecurity=False).digest()
    return int.from_bytes(digest[8:], "little") % buckets


def read_sorted(path: Path, columns: Sequence[str] | None = None) -> pa.Table:
    """Return columns of a bucket's file, by default all; texts come as they lie there, as codes into a dictionary."""
    # `pq.read_table` would load pandas and look for a folder of files.
    words = words_of(pq.read_schema(path))
    with pq.ParquetFile(path, read_dictionary=words) as file:
        return file.read(columns)


def words_of(schema: pa.Schema) -> list[str]:
    """Return the columns of words that come again and again: ids hardly do."""
    return [field.name for field in schema if pa.types.is_string(field.type) and field.name not in _IDS]


class _Writers:
    """One open Parquet file at a time, as buckets come in order."""

    def __init__(self, folder: Path, table: str, schema: pa.Schema) -> None:
        self._folder, self._table, self._schema = folder, table, schema
        self._bucket = -1
        self._writer: pq.ParquetWriter | None = None
        self._waiting: list[pa.Table] = []
        (folder / table).mkdir(parents=True, exist_ok=True)

    def append(self, bucket: int, rows: pa.Table) -> None:
        if bucket != self._bucket:
            self.finish(bucket)
            self._open(bucket)
        self._waiting.append(rows)
        if sum(map(len, self._waiting)) >= _AT_ONCE:
            self._write()

    def finish(self, until: int) -> None:
        """Close the open file and leave an empty one for each bucket before *until* that had no rows."""
        self._write()
        self.close()
        for bucket in range(self._bucket + 1, until):
            self._open(bucket)
            self.close()
        self._bucket = max(self._bucket, until - 1)

    def close(self) -> None:
        if self._writer is not None:
            writer, self._writer = self._writer, None
            with suppress(ValueError):
                writer.close()

    def _open(self, bucket: int) -> None:
        self._bucket = bucket
        path = bucket_file(self._folder, self._table, bucket)
        # A third larger than zstd and read in half the time, once per run from now on.
        self._writer = pq.ParquetWriter(path, self._schema, compression="lz4", use_dictionary=words_of(self._schema))

    def _write(self) -> None:
        if self._writer is not None and self._waiting:
            rows = pa.concat_tables(self._waiting).cast(self._schema).combine_chunks()
            self._writer.write_table(rows, row_group_size=_ROW_GROUP)
        self._waiting = []


def bucket_ends(leads: pa.Table, *, buckets: int) -> list[int]:
    """Return, per bucket, the first ``lead_no`` behind it; *leads* ascend by (bucket, lead_id)."""
    numbers = pc.cast(leads["bucket"], pa.int64()).to_numpy()
    return [int(end) for end in np.searchsorted(numbers, np.arange(buckets), side="right")]
