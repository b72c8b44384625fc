"""What a file holds, ready to be asked about by key.

A file of a million rows is read once, not once per question: its keys and the fields asked for go to a table of
DuckDB's. It lasts as long as the process, and is made anew when the file changes.
"""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from features.parsing import literal
from pipeline.crm.connectors.file_check import require_columns
from pipeline.crm.connectors.file_engine import at_file, opened
from pipeline.crm.connectors.file_formats import Format
from pipeline.workspace import PART, remove_left_overs

PAGE: Final = 5_000
_FOLDER: Final = "file-snapshot"
Fingerprint = tuple[int, ...]


def fingerprint(file: Path) -> Fingerprint:
    """Return what changes whenever *file* does; empty where there is none."""
    try:
        found = file.stat()
    except FileNotFoundError:
        return ()
    return (found.st_size, found.st_mtime_ns, found.st_ino)


class Snapshot:
    """Keys and fields of one file.

    Args:
        file: The file.
        form: Its format.
        key: The column that tells rows apart.
        names: The fields that are asked for.
        state: Where it lies meanwhile; what killed processes left there is removed.
    """

    def __init__(self, file: Path, form: Format, key: str, names: Sequence[str], *, state: Path) -> None:
        self._file, self._format, self._key, self.names = file, form, key, tuple(names)
        remove_left_overs(state, _FOLDER)
        self._folder = state / f".{_FOLDER}.{secrets.token_hex(4)}.{os.getpid()}{PART}"
        self._folder.mkdir()
        self._connection = opened(self._folder / "spill")
        self._connection.execute(f"ATTACH {literal(str(self._folder / 'snapshot.db'))} AS snapshot")
        self._connection.execute("USE snapshot")
        self._of: Fingerprint | None = None

    def close(self) -> None:
        """Throw it away."""
        self._connection.close()
        shutil.rmtree(self._folder, ignore_errors=True)

    def rows_of(self, keys: Sequence[str]) -> dict[str, tuple[str | None, ...]]:
        """Return the fields of those of *keys* that are there, by key."""
        self._refresh()
        asked = set(keys)
        spelled = [spelling for key in keys for spelling in self._format.spellings(key)]
        with at_file(self._file):
            rows = self._connection.execute(
                "SELECT * EXCLUDE (spot) FROM held WHERE key IN (SELECT unnest($1)) ORDER BY spot", [spelled]
            ).fetchall()
        found = {self._format.meant_key(row[0]): self._meant(row[1:]) for row in rows}
        return {key: values for key, values in found.items() if key in asked}

    def page(self, after: int) -> list[tuple[int, str, tuple[str | None, ...]]]:
        """Return the rows behind place *after*: place, key, fields; fewer than `PAGE` at the end."""
        self._refresh()
        with at_file(self._file):
            rows = self._connection.execute(
                "SELECT spot, * EXCLUDE (spot) FROM held WHERE spot > $1 AND key IS NOT NULL ORDER BY spot LIMIT $2",
                [after, PAGE],
            ).fetchall()
        return [(row[0], self._format.meant_key(row[1]), self._meant(row[2:])) for row in rows]

    def _meant(self, cells: Sequence[Any]) -> tuple[str | None, ...]:
        return tuple(None if cell is None else self._format.meant(cell) for cell in cells)

    def _refresh(self) -> None:
        with at_file(self._file):
            of = fingerprint(self._file)
            if of != self._of:
                self._build(of)

    def _build(self, of: Fingerprint) -> None:
        columns = "".join(f", t{place} VARCHAR" for place in range(len(self.names)))
        self._connection.execute(f"CREATE OR REPLACE TABLE held (spot BIGINT, key VARCHAR{columns})")
        if of and of[0]:
            require_columns(self._file, self._format, self._key)
            texts = self._format.file_texts(self._connection, self._file, self._key, self.names)
            self._connection.execute(f"INSERT INTO held SELECT row_number() OVER (), * FROM ({texts})")  # noqa: S608
        self._of = of
