"""What the formats of files share: how a batch becomes a part, and how parts and file become one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import duckdb
import pyarrow as pa

from pipeline.crm.connectors.file_engine import listed
from pipeline.crm.connectors.file_parts import Note, Part, Parts, paths
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


def staged(parts: Parts, found: Iterable[Part]) -> Staged:
    """Return those of *parts* that were *found*, in the order of sending."""
    ordered = tuple(sorted(found, key=lambda part: part.number))
    return Staged(ordered, tuple(parts.note(part) for part in ordered))


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
        """Return the key that `file_texts` spells as *cell*."""

    def meant(self, cell: str) -> str | None:
        """Return the value that it spells as *cell*, as `value_texts` spells it."""

    def faults(
        self,
        connection: duckdb.DuckDBPyConnection,
        file: Path,
        key: str,
        fields: Sequence[CrmField],
        *,
        may_create: bool,
    ) -> Iterator[str]:
        """Read all of *file*, and yield what in it does not fit, a line each."""
