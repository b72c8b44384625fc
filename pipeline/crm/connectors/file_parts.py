"""Parts: batches that lie beside the file until it is written anew.

They lie in the folder ``.NAME.leadlight`` beside the file NAME and are numbered in the order in which they were sent:
of two parts that name a lead, the later counts. Each is whole or not there: it is brought to the disk before it gets
its name, which tells its format and the digest of its bytes. By that ticket a part is found again, so one that somebody
removed or cut short, or that was laid for another format, is not taken for what was sent.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.workspace import flush

_NAME: Final = re.compile(r"part-(\d{8})-([a-z]+-[0-9a-f]{32})\.parquet")
_NOTE: Final = b"leadlight"
_UNFINISHED: Final = "part.unfinished"
ROOM: Final = "room"
"""Where the file is merged, beside the parts."""
NUMBER: Final = "n"
"""The column with the part's own number."""


@dataclass(frozen=True)
class Part:
    """One batch.

    Attributes:
        number: Its place in the order of sending.
        ticket: Its format and the digest of its bytes.
        path: Where it lies.
    """

    number: int
    ticket: str
    path: Path


@dataclass(frozen=True)
class Note:
    """What a part says of itself.

    Attributes:
        names: The fields that it writes.
        kinds: What each of them holds in it, where the file's format has types.
    """

    names: tuple[str, ...]
    kinds: tuple[str, ...] = ()


class Parts:
    """The parts beside one file.

    Args:
        file: The file that they belong to.
        form: The name of its format.
    """

    def __init__(self, file: Path, form: str) -> None:
        self.folder = file.with_name(f".{file.name}.leadlight")
        self._form = form

    def foreign(self) -> str:
        """Return why the folder is none of ours, so that nothing is put there or removed; empty where it is.

        Raises:
            OSError: Its name is too long, or it may not be looked into.
        """
        longest = self.folder / f"part-{'0' * 8}-{'x' * 40}.parquet"
        with suppress(FileNotFoundError, NotADirectoryError):
            longest.lstat()
        if self.folder.is_symlink() or (self.folder.exists() and not self.folder.is_dir()):
            return "it is no folder"
        theirs = sorted(
            path.name
            for path in (self.folder.iterdir() if self.folder.exists() else ())
            if path.name not in {_UNFINISHED, ROOM} and not _NAME.fullmatch(path.name)
        )
        return f"it holds what is not Leadlight's: '{theirs[0]}'" if theirs else ""

    def add(self, table: pa.Table, note: Note, keep: Callable[[str], None]) -> Part:
        """Write a part and return it; it survives a kill and a loss of power.

        Args:
            table: One row per lead; the column `NUMBER` is added.
            note: What the part says of itself.
            keep: Told the part's ticket before it lies there.
        """
        before = self._listed()
        number = before[-1].number + 1 if before else 1
        if not self.folder.is_dir():
            self.folder.mkdir()
            flush(self.folder.parent)
        written = self.folder / _UNFINISHED
        numbered = table.append_column(NUMBER, pa.repeat(pa.scalar(number, pa.int64()), len(table)))
        said = json.dumps([note.names, note.kinds]).encode()
        pq.write_table(numbered.replace_schema_metadata({_NOTE: said}), written, compression="zstd")
        flush(written)
        ticket = self._ticket_of(written)
        keep(ticket)
        path = self.folder / f"part-{number:08d}-{ticket}.parquet"
        written.replace(path)
        flush(self.folder)
        return Part(number, ticket, path)

    def whole(self, ticket: str) -> Part | None:
        """Return the part of that ticket, if it lies there as it was written."""
        for part in self._listed():
            if part.ticket == ticket and self._ticket_of(part.path) == ticket:
                return part
        return None

    def note(self, part: Part) -> Note:
        """Return what *part* says of itself."""
        names, kinds = json.loads(pq.read_schema(part.path).metadata[_NOTE])
        return Note(tuple(names), tuple(kinds))

    def drop(self, ticket: str) -> None:
        """Remove the part of that ticket, whole or not, if there is one."""
        for part in self._listed():
            if part.ticket == ticket:
                part.path.unlink(missing_ok=True)
                flush(self.folder)

    def remove_all(self) -> None:
        """Remove the folder with all parts and whatever a kill left in it; one that is none of ours stays."""
        if self.folder.is_dir() and not self.foreign():
            shutil.rmtree(self.folder)
            flush(self.folder.parent)

    def _listed(self) -> list[Part]:
        found = [(_NAME.fullmatch(path.name), path) for path in self.folder.glob("part-*.parquet")]
        return sorted(
            (Part(int(match[1]), match[2], path) for match, path in found if match), key=lambda part: part.number
        )

    def _ticket_of(self, path: Path) -> str:
        """Return the ticket that the bytes at *path* would have."""
        with path.open("rb") as opened:
            return f"{self._form}-{hashlib.file_digest(opened, 'sha256').hexdigest()[:32]}"


def paths(parts: Sequence[Part]) -> list[str]:
    """Return where *parts* lie."""
    return [str(part.path) for part in parts]
