"""Scores in a file: CSV, Parquet or JSON lines.

A batch is laid beside the file as a part (`file_parts`); `finish` writes file and parts together anew, beside the file,
and lets it take the file's place. So a reader sees the old file or the new one, never a half. A run that was killed
leaves parts, which the next run takes along; what is read in between is file and parts together.

Rows of the file keep their order, and new ones follow by key; columns of others keep their place and their content.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import threading
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final, Literal

from pydantic import Field, model_validator

from pipeline.crm.connectors.file_csv import Csv
from pipeline.crm.connectors.file_engine import at_file, opened
from pipeline.crm.connectors.file_formats import Format, Staged, staged
from pipeline.crm.connectors.file_jsonl import JsonLines
from pipeline.crm.connectors.file_merge import merge
from pipeline.crm.connectors.file_parquet import Parquet
from pipeline.crm.connectors.file_parts import Parts
from pipeline.crm.connectors.file_snapshot import PAGE, Snapshot, fingerprint
from pipeline.crm.kinds import ConnectorKind, Surroundings
from pipeline.crm.promise import Answer, Changes, Connector, CrmField, Missing, Outcome, Record, Row, Ticket
from pipeline.crm.trouble import BatchRefusedError, StopError, StopReason
from pipeline.settings_tables import Section
from pipeline.workspace import flush

_FORMATS: Final[dict[str, type[Format]]] = {"csv": Csv, "parquet": Parquet, "jsonl": JsonLines}
_BY_SUFFIX: Final = {".csv": "csv", ".parquet": "parquet", ".jsonl": "jsonl", ".ndjson": "jsonl"}
_BATCH_ROWS: Final = 5_000
_LONGEST_TEXT: Final = 100_000
"""What is longer might make a line that no program reads."""


class FileOptions(Section):
    """How the connector `file` finds its file."""

    path: str = Field(min_length=1, description="The file; a relative path starts at the config's folder.")
    format: Literal["", "csv", "parquet", "jsonl"] = Field("", description="Its format; by default by its suffix.")

    @model_validator(mode="after")
    def _format_is_known(self) -> FileOptions:
        if not self.format and Path(self.path).suffix.lower() not in _BY_SUFFIX:
            raise ValueError(f"path: ends in none of {', '.join(_BY_SUFFIX)}; give `format`")
        return self

    @property
    def format_name(self) -> str:
        """The format, given or by the suffix."""
        return self.format or _BY_SUFFIX[Path(self.path).suffix.lower()]


class FileConnector:
    """One file.

    Args:
        options: Where it is.
        surroundings: The target's.
    """

    def __init__(self, options: FileOptions, surroundings: Surroundings) -> None:
        # What a link points to is replaced, never the link.
        self._file = (surroundings.folder / options.path).resolve()
        self._key, self._may_create = surroundings.key, surroundings.may_create
        self._state = surroundings.state
        self._format = _FORMATS[options.format_name]()
        self._parts = Parts(self._file)
        self._alone = threading.RLock()
        self._snapshot: Snapshot | None = None
        self._seen: tuple[int, ...] | None = None

    @property
    def at_once(self) -> int:
        """One: parts are written one after the other."""
        return 1

    def batch_size(self, n_rows: int) -> int:  # noqa: ARG002 - the protocol's
        """Return how many rows a part has."""
        return _BATCH_ROWS

    def check(self, fields: Sequence[CrmField]) -> list[str]:
        """Return what stands in the way of writing the file, a line each."""
        folder = self._file.parent
        if not folder.is_dir():
            return [Missing(f"There is no folder '{folder}'.")]
        if not os.access(folder, os.W_OK | os.X_OK):
            return [f"The folder '{folder}' cannot be written to."]
        if self._file.is_dir():
            return [f"'{self._file}' is a folder."]
        if not self._has_rows():
            return []
        try:
            return [*self._faults_of_columns(), *self._faults_of_rows(fields)]
        except StopError as error:
            return [error.words]

    def setup(self, fields: Sequence[CrmField]) -> list[str]:  # noqa: ARG002 - columns come with their first values
        """Create the folder, and return it."""
        folder = self._file.parent
        if folder.is_dir():
            return []
        with at_file(self._file):
            folder.mkdir(parents=True, exist_ok=True)
        return [f"folder '{folder}'"]

    def send(self, rows: Sequence[Row], ticket: Ticket) -> list[Answer]:  # noqa: ARG002 - a part is no job
        """Lay *rows* beside the file and return one answer for each."""
        if not rows:
            return []
        with self._alone, at_file(self._file):
            self._require_columns()
            known = rows if self._may_create else self._known(rows)
            if known:
                self._add(known)
        is_known = {row.key for row in known}
        return [
            Answer(row.key, Outcome.WRITTEN)
            if row.key in is_known
            else Answer(row.key, Outcome.REJECTED, "The file has no row with this key.")
            for row in rows
        ]

    def abandon(self, ticket: str) -> None:
        """Do nothing: a part is whole or not there."""

    def finish(self) -> None:
        """Let the file hold what the parts say, and remove them."""
        with self._alone, at_file(self._file):
            found = staged(self._parts)
            self._forget()
            if found.parts:
                merged = self._merged(found)
                if self._file.exists():
                    shutil.copymode(self._file, merged)
                flush(merged)
                merged.replace(self._file)
                flush(self._file.parent)
            if self._parts.folder.is_dir():
                self._parts.remove(found.parts)
                flush(self._file.parent)

    def read(self, keys: Sequence[str], names: Sequence[str]) -> dict[str, Record]:
        """Return what file and parts hold of *keys* in the columns *names*, by key."""
        with self._alone:
            found = self._looked(names).rows_of(keys)
        return {key: Record(key, dict(zip(names, values, strict=True))) for key, values in found.items()}

    def changes(self, cursor: str, names: Sequence[str]) -> Changes:
        """Return all records where the file is another than at *cursor*, page by page; none where it is the same."""
        now = list(fingerprint(self._file))
        of, place = _cursor(cursor)
        if of == now and place is None:
            return Changes((), cursor)
        if not now:
            return Changes((), _cursor_text(now, None))
        after = place if of == now and place is not None else 0
        with self._alone:
            rows = self._looked(names).page(after)
            changed_at = datetime.fromtimestamp(now[1] / 1e9, tz=UTC)
        records = [Record(key, dict(zip(names, values, strict=True)), changed_at) for _, key, values in rows]
        is_more = len(rows) == PAGE
        return Changes(records, _cursor_text(now, rows[-1][0] if is_more else None), is_more)

    def close(self) -> None:
        """Throw away what was read."""
        with self._alone:
            self._forget()

    def _merged(self, found: Staged) -> Path:
        """Return a file that holds what file and parts amount to, in the folder of the parts."""
        room = self._parts.folder / "room"
        shutil.rmtree(room, ignore_errors=True)
        room.mkdir()
        merged = room / "merged"
        merge(self._file if self._has_rows() else None, self._format, self._key, found, to=merged, room=room)
        return merged

    def _add(self, rows: Sequence[Row]) -> None:
        names = tuple(name for name in rows[0].fields if name != self._key)
        there = self._parts.listed()
        if there and self._parts.note(there[0]).names != names:
            self.finish()  # parts of an earlier config write other fields: they count first
        if any(len(text) > _LONGEST_TEXT for row in rows for text in row.fields.values() if isinstance(text, str)):
            raise BatchRefusedError(f"A text of more than {_LONGEST_TEXT:,} characters is not written to a file.")
        content = json.dumps([[row.key, row.trace, dict(row.fields)] for row in rows])
        digest = hashlib.sha256(content.encode()).hexdigest()[:16]
        try:
            table, note = self._format.part(rows, names)
        except (UnicodeEncodeError, OverflowError) as error:
            raise BatchRefusedError(f"A value cannot be written to a file: {type(error).__name__}") from None
        self._parts.add(table, note, digest)

    def _known(self, rows: Sequence[Row]) -> list[Row]:
        there = self._looked(()).rows_of([row.key for row in rows])
        return [row for row in rows if row.key in there]

    def _looked(self, names: Sequence[str]) -> Snapshot:
        """Return the snapshot with the fields *names*; there is one at a time, for memory's sake."""
        if self._snapshot is None or self._snapshot.names != tuple(names):
            self._forget()
            self._snapshot = Snapshot(self._file, self._format, self._key, names, state=self._state)
        return self._snapshot

    def _forget(self) -> None:
        if self._snapshot is not None:
            self._snapshot.close()
            self._snapshot = None

    def _has_rows(self) -> bool:
        return bool(fingerprint(self._file)) and self._file.stat().st_size > 0

    def _require_columns(self) -> None:
        """Stop before the first part where the file could not take any."""
        now = fingerprint(self._file)
        if now != self._seen:
            faults = list(self._faults_of_columns()) if self._has_rows() else []
            if faults:
                raise StopError(faults[0], reason=StopReason.SETUP, hint="correct the file, or the target's key.")
            self._seen = now

    def _faults_of_columns(self) -> Iterator[str]:
        columns = self._format.columns(self._file)
        if columns is None:
            return
        if self._key not in columns:
            yield f"'{self._file.name}' has no column '{self._key}', which is to tell rows apart."
        plain = [name.lower() for name in columns]
        for name in sorted({name for name in columns if plain.count(name.lower()) > 1}):
            yield f"'{self._file.name}' has more than one column '{name}', case aside."

    def _faults_of_rows(self, fields: Sequence[CrmField]) -> Iterator[str]:
        columns = self._format.columns(self._file)
        if columns is not None and self._key not in columns:
            return
        with (
            TemporaryDirectory(prefix="leadlight-file-") as room,
            at_file(self._file),
            opened(Path(room)) as connection,
        ):
            yield from self._format.faults(connection, self._file, fields)
            texts = self._format.file_texts(connection, self._file, self._key, ())
            asked = f"SELECT key FROM ({texts}) GROUP BY key HAVING count(*) > 1 AND key IS NOT NULL"  # noqa: S608
            repeated = connection.execute(f"SELECT count(*) FROM ({asked})").fetchall()[0][0]  # noqa: S608
        if repeated:
            yield f"'{self._key}' does not tell rows apart: {repeated:,} of its values stand more than once."


def _cursor(text: str) -> tuple[list[int], int | None]:
    """Return the fingerprint of a cursor, and how far its reading got; None = to the end."""
    try:
        of, place = json.loads(text)
    except (ValueError, TypeError):
        return [-1], None
    return of, place


def _cursor_text(of: list[int], place: int | None) -> str:
    return json.dumps([of, place])


def _connect(options: FileOptions, surroundings: Surroundings) -> Connector:
    return FileConnector(options, surroundings)


KIND: Final = ConnectorKind(FileOptions, _connect)
