"""Scores in a file: CSV, Parquet or JSON lines.

A batch is staged beside the file as a part (`file_parts`); `finish` writes file and parts together anew, beside the
file, and lets it take the file's place. So a reader sees the old file or the new one, never a half. A run that was
killed leaves parts; taken up again, it sends its batches with their tickets, and what lies there whole stays.

Rows of the file keep their order, and new ones follow by key; columns of others keep their place and their content.
"""

from __future__ import annotations

import json
import shutil
import threading
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from pipeline.crm.connectors.file_check import faults, require_columns
from pipeline.crm.connectors.file_csv import Csv
from pipeline.crm.connectors.file_engine import at_file
from pipeline.crm.connectors.file_formats import Format, Staged, staged
from pipeline.crm.connectors.file_jsonl import JsonLines
from pipeline.crm.connectors.file_merge import merge
from pipeline.crm.connectors.file_parquet import Parquet
from pipeline.crm.connectors.file_parts import ROOM, Parts
from pipeline.crm.connectors.file_place import (
    PLACE_HINT,
    FileOptions,
    file_of,
    files,
    place_faults,
    places,
    require_readable,
)
from pipeline.crm.connectors.file_snapshot import PAGE, Snapshot, fingerprint
from pipeline.crm.kinds import ConnectorKind, Surroundings
from pipeline.crm.promise import Answer, Changes, Connector, CrmField, Missing, Outcome, Record, Row, Ticket
from pipeline.crm.trouble import BatchRefusedError, StopError, StopReason
from pipeline.workspace import flush

_FORMATS: Final[dict[str, type[Format]]] = {"csv": Csv, "parquet": Parquet, "jsonl": JsonLines}
_BATCH_ROWS: Final = 5_000
_AGAIN: Final = "run the same command again: what is not in the file is sent anew."
_LONGEST_TEXT: Final = 100_000
"""What is longer might make a line that no program reads."""


class FileConnector:
    """One file.

    Args:
        options: Where it is.
        surroundings: The target's.
    """

    def __init__(self, options: FileOptions, surroundings: Surroundings) -> None:
        self._file = file_of(options, surroundings)
        self._key, self._may_create = surroundings.key, surroundings.may_create
        self._state = surroundings.state
        self._format = _FORMATS[options.format_name]()
        self._parts = Parts(self._file, options.format_name)
        self._staged: dict[str, tuple[str, ...]] = {}  # the fields of the parts that are to count, by ticket
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
        if found := place_faults(self._file, self._parts):
            return found
        if not self._has_rows():
            return []
        return faults(self._file, self._format, self._key, fields, may_create=self._may_create)

    def setup(self, fields: Sequence[CrmField]) -> list[str]:  # noqa: ARG002 - columns come with their first values
        """Create the folder, and return it."""
        folder = self._file.parent
        if not any(isinstance(fault, Missing) for fault in place_faults(self._file, self._parts)):
            return []
        with at_file(self._file):
            folder.mkdir(parents=True, exist_ok=True)
        return [f"folder '{folder}'"]

    def send(self, rows: Sequence[Row], ticket: Ticket) -> list[Answer]:
        """Lay *rows* beside the file, if they do not lie there yet, and return one answer for each."""
        if not rows:
            return []
        with self._alone, at_file(self._file):
            self._require_place()
            known = rows if self._may_create else self._known(rows)
            lies_there = len(known) == len(rows) and self._lies_there(rows, ticket.text)
            if known and not lies_there:
                self._add(known, ticket)
        is_known = {row.key for row in known}
        return [
            Answer(row.key, Outcome.STAGED)
            if row.key in is_known
            else Answer(row.key, Outcome.REJECTED, "The file has no row with this key.")
            for row in rows
        ]

    def abandon(self, ticket: str) -> None:
        """Remove the part."""
        with self._alone, at_file(self._file):
            self._staged.pop(ticket, None)
            self._parts.drop(ticket)

    def finish(self) -> None:
        """Let the file hold what the parts say that were staged, and remove these and all others."""
        with self._alone, at_file(self._file):
            self._forget()
            if self._staged:
                self._replace(self._whole_parts())
                self._staged.clear()
            self._parts.remove_all()

    def read(self, keys: Sequence[str], names: Sequence[str]) -> dict[str, Record]:
        """Return what the file holds of *keys* in the columns *names*, by key."""
        with self._alone, at_file(self._file):
            require_readable(self._file)
            found = self._looked(names).rows_of(keys)
        return {key: Record(key, dict(zip(names, values, strict=True))) for key, values in found.items()}

    def changes(self, cursor: str, names: Sequence[str]) -> Changes:
        """Return all records where the file is another than at *cursor*, page by page; none where it is the same."""
        with at_file(self._file):
            require_readable(self._file)
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

    def _whole_parts(self) -> Staged:
        """Return the parts that were staged.

        Raises:
            StopError: One of them is gone, or no longer as it was written.
        """
        found = [part for ticket in self._staged if (part := self._parts.whole(ticket))]
        if len(found) < len(self._staged):
            words = f"what lay ready in '{self._parts.folder}' is gone or damaged; the file beside it is as it was."
            raise StopError(words, reason=StopReason.CHANGED, hint=_AGAIN)
        return staged(self._parts, found)

    def _replace(self, found: Staged) -> None:
        """Let a new file take the file's place.

        Raises:
            StopError: Somebody else wrote the file meanwhile: that would be lost.
        """
        of = fingerprint(self._file)
        merged = self._merged(found)
        if self._file.exists():
            shutil.copymode(self._file, merged)
        flush(merged)
        if fingerprint(self._file) != of:
            words = f"another program wrote '{self._file}' at the same time; what it wrote stands there."
            raise StopError(words, reason=StopReason.CHANGED, hint=_AGAIN)
        merged.replace(self._file)
        flush(self._file.parent)

    def _merged(self, found: Staged) -> Path:
        """Return a file that holds what file and parts amount to, in the folder of the parts."""
        room = self._parts.folder / ROOM
        shutil.rmtree(room, ignore_errors=True)
        room.mkdir()
        merged = room / "merged"
        merge(self._file if self._has_rows() else None, self._format, self._key, found, to=merged, room=room)
        return merged

    def _lies_there(self, rows: Sequence[Row], ticket: str) -> bool:
        """Return whether the part *ticket*, of these rows, lies there whole; else it is removed, and not missed."""
        if not ticket:
            return False
        if self._parts.whole(ticket) is None:
            self.abandon(ticket)
            return False
        self._staged[ticket] = self._names(rows)
        return True

    def _names(self, rows: Sequence[Row]) -> tuple[str, ...]:
        return tuple(name for name in rows[0].fields if name != self._key)

    def _add(self, rows: Sequence[Row], ticket: Ticket) -> None:
        names = self._names(rows)
        if any(others != names for others in self._staged.values()):
            self.finish()  # parts are merged that write the same fields
        if any(len(text) > _LONGEST_TEXT for row in rows for text in row.fields.values() if isinstance(text, str)):
            raise BatchRefusedError(f"A text of more than {_LONGEST_TEXT:,} characters is not written to a file.")
        try:
            table, note = self._format.part(rows, names)
        except (UnicodeEncodeError, OverflowError) as error:
            raise BatchRefusedError(f"A value cannot be written to a file: {type(error).__name__}") from None
        self._staged[self._parts.add(table, note, ticket.keep).ticket] = names

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

    def _require_place(self) -> None:
        """Stop before a part is laid where the file could not take it."""
        if found := place_faults(self._file, self._parts):
            raise StopError(found[0], reason=StopReason.SETUP, hint=PLACE_HINT)
        now = fingerprint(self._file)
        if now != self._seen:
            if self._has_rows():
                require_columns(self._file, self._format, self._key)
            self._seen = now


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


KIND: Final = ConnectorKind(FileOptions, _connect, places, files, is_shared=False)
