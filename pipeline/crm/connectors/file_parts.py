"""Parts: batches that lie beside the file until it is written anew.

They lie in the folder ``.NAME.leadlight`` beside the file NAME, are numbered in the order in which they were sent, and
each is whole or not there: it is brought to the disk before it gets its name. Of two parts that name a lead, the later
counts. They are removed oldest first, so what a kill leaves of them is always the latest.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.workspace import flush

_NAME: Final = re.compile(r"part-(\d{8})-([0-9a-f]{16})\.parquet")
_NOTE: Final = b"leadlight"
NUMBER: Final = "n"
"""The column with the part's own number."""


@dataclass(frozen=True)
class Part:
    """One batch.

    Attributes:
        number: Its place in the order of sending.
        digest: What it holds, in few characters.
        path: Where it lies.
    """

    number: int
    digest: str
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
    """

    def __init__(self, file: Path) -> None:
        self.folder = file.with_name(f".{file.name}.leadlight")

    def listed(self) -> list[Part]:
        """Return the parts in the order of sending."""
        found = [(_NAME.fullmatch(path.name), path) for path in self.folder.glob("part-*.parquet")]
        return sorted(
            (Part(int(match[1]), match[2], path) for match, path in found if match), key=lambda part: part.number
        )

    def add(self, table: pa.Table, note: Note, digest: str) -> None:
        """Write a part; when this returns, it survives a kill and a loss of power.

        Args:
            table: One row per lead; the column `NUMBER` is added.
            note: What the part says of itself.
            digest: The same for the same rows: they are kept once.
        """
        before = self.listed()
        number = before[-1].number + 1 if before else 1
        if not self.folder.is_dir():
            self.folder.mkdir()
            flush(self.folder.parent)
        written = self.folder / "part.unfinished"
        numbered = table.append_column(NUMBER, pa.repeat(pa.scalar(number, pa.int64()), len(table)))
        said = json.dumps([note.names, note.kinds]).encode()
        pq.write_table(numbered.replace_schema_metadata({_NOTE: said}), written, compression="zstd")
        flush(written)
        written.replace(self.folder / f"part-{number:08d}-{digest}.parquet")
        flush(self.folder)
        for part in before:
            if part.digest == digest:
                part.path.unlink()

    def note(self, part: Part) -> Note:
        """Return what *part* says of itself."""
        names, kinds = json.loads(pq.read_schema(part.path).metadata[_NOTE])
        return Note(tuple(names), tuple(kinds))

    def remove(self, parts: Iterable[Part]) -> None:
        """Remove parts that the file holds by now, oldest first, and the folder with whatever a kill left in it."""
        for part in sorted(parts, key=lambda part: part.number):
            part.path.unlink(missing_ok=True)
            flush(self.folder)
        shutil.rmtree(self.folder)


def paths(parts: Sequence[Part]) -> list[str]:
    """Return where *parts* lie."""
    return [str(part.path) for part in parts]
