"""Parquet files whose bytes depend on their rows alone, not on how the rows arrived."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

ROW_GROUP = 131_072


class RowGroups:
    """A Parquet file written in row groups of one size, whatever the size of the pieces.

    The file is written beside its place and moved there by `publish`.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._part = path.with_name(f".{path.name}.part")
        self._writer: pq.ParquetWriter | None = None
        self._waiting: list[pa.Table] = []
        self._waiting_rows = 0
        self.rows = 0

    def append(self, table: pa.Table) -> None:
        """Add the rows of *table*; whole row groups are written at once."""
        if self._writer is None:
            self._writer = pq.ParquetWriter(self._part, table.schema, compression="zstd", compression_level=1)
        self.rows += len(table)
        self._waiting.append(table)
        self._waiting_rows += len(table)
        if self._waiting_rows >= ROW_GROUP:
            self._write(whole_groups=True)

    def finish(self) -> None:
        """Write what is left; nothing is in its place yet."""
        self._write(whole_groups=False)
        self._close()

    def publish(self) -> None:
        """Move the finished file to its place."""
        self._part.replace(self._path)

    def discard(self) -> None:
        """Remove what was written and not published."""
        self._close()
        self._part.unlink(missing_ok=True)

    def _close(self) -> None:
        if self._writer is not None:
            self._writer.close()

    def _write(self, *, whole_groups: bool) -> None:
        if self._writer is None:
            return
        # One chunk per column, so that the writer sees the same however the rows came.
        rows = pa.concat_tables(self._waiting).combine_chunks()
        until = len(rows) // ROW_GROUP * ROW_GROUP if whole_groups else len(rows)
        for begin in range(0, until, ROW_GROUP):
            size = min(ROW_GROUP, until - begin)
            self._writer.write_table(rows.slice(begin, size), row_group_size=ROW_GROUP)
        self._waiting = [rows.slice(until)]
        self._waiting_rows = len(rows) - until
