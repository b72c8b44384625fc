"""What the formats of files share: how a batch becomes a part, and how parts and file become one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import duckdb
import pyarrow as pa

from pipeline.crm.connectors.file_engine import listed
from pipeline.crm.connectors.file_parts import NUMBER, Note, Part, Parts, paths
from pipeline.crm.promise import CrmField, Row

KEY = "key"
"""The column of parts with the lead's key."""


@dataclass(frozen=True)
class Staged:
    """The parts beside a file, all with the same fields.

    Attributes:
        parts: The parts.
        notes: What each says of itself.
    """

    parts: tuple[Part, ...]
    notes: tuple[Note, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """The fields that they write."""
        return self.notes[0].names if self.notes else ()

    @property
    def sql(self) -> str:
        """All of their rows."""
        return f"read_parquet({listed(paths(self.parts))})"


def staged(parts: Parts, *, after: int = 0) -> Staged:
    """Return the parts with numbers beyond *after*."""
    found = tuple(part for part in parts.listed() if part.number > after)
    return Staged(found, tuple(parts.note(part) for part in found))


class Format(Protocol):
    """One format.

    What stands in a file may be spelled otherwise than it is meant: a key is asked for by `spellings`; `meant_key` and
    `meant` say what was found.
    """

    def columns(self, file: Path) -> list[str] | None:
        """Return the columns of *file*; None where each row has its own."""

    def part(self, rows: Sequence[Row], names: Sequence[str]) -> tuple[pa.Table, Note]:
        """Return *rows* as a part."""

    def file_texts(self, connection: duckdb.DuckDBPyConnection, file: Path, key: str, names: Sequence[str]) -> str:
        """Return the SQL that reads ``key, t0, t1 …`` from *file*: its rows in order, values as texts."""

    def source(self, staged_parts: Staged) -> str:
        """Return the SQL of all rows of parts."""

    def part_texts(self, newest: str, staged_parts: Staged, names: Sequence[str]) -> str:
        """Return the SQL that reads ``key, t0, t1 …`` from parts: *names* are among those that they write."""

    def file_rows(self, connection: duckdb.DuckDBPyConnection, file: Path, key: str, parts: Staged) -> str:
        """Return the SQL that reads ``spot, key`` and the format's own columns from *file*: rows numbered from 1."""

    def write(
        self,
        connection: duckdb.DuckDBPyConnection,
        stretches: Iterator[str],
        file: Path | None,
        key: str,
        parts: Staged,
        to: Path,
    ) -> None:
        """Write *stretches* (see `file_merge`) of the old file's rows ``o`` and the parts' rows ``p``."""

    def spellings(self, key: str) -> list[str]:
        """Return how *key* may stand in a file."""

    def meant_key(self, cell: str) -> str:
        """Return the key that `file_texts` and `part_texts` spell as *cell*."""

    def meant(self, cell: str) -> str | None:
        """Return the value that they spell as *cell*, as `value_texts` spells it."""

    def faults(self, connection: duckdb.DuckDBPyConnection, file: Path, fields: Sequence[CrmField]) -> Iterator[str]:
        """Yield what in the columns of *file* does not fit, a line each."""


def newest(connection: duckdb.DuckDBPyConnection, form: Format, staged_parts: Staged) -> str:
    """Return the SQL of the rows of parts that count: for each lead the one of the latest part."""
    source = form.source(staged_parts)
    found = connection.execute(
        f"SELECT 1 FROM {staged_parts.sql} GROUP BY {KEY} HAVING count(*) > 1 LIMIT 1"  # noqa: S608 - of our own
    ).fetchall()
    if not found:
        return source
    latest = f"(SELECT {KEY}, max({NUMBER}) AS {NUMBER} FROM {staged_parts.sql} GROUP BY {KEY})"  # noqa: S608
    return f"(SELECT p.* FROM {source} AS p SEMI JOIN {latest} AS latest USING ({KEY}, {NUMBER}))"  # noqa: S608
