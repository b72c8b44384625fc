"""Files of leads as Marketo imports them, and the files in which it tells what it did not take.

A cell of such a file is only text. What it cannot say beyond doubt, an empty value, the word NULL, white space at an
end, a backslash or a control character, does not go into a file: `fits` tells, and those rows are sent as JSON.
"""

from __future__ import annotations

import csv
import io
import re
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from pipeline.crm.promise import Row, Value
from pipeline.crm.trouble import RetryError

MOST_BYTES: Final = 9_500_000
"""Of the 10 MB that Marketo takes, less what wraps a file on its way."""
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufeff]")


@dataclass(frozen=True)
class LeadFile:
    """One file.

    Attributes:
        rows: What it holds, in its order.
        content: The file.
        mark: Tells it from files with other content.
    """

    rows: tuple[Row, ...]
    content: bytes
    mark: str


def fits(row: Row) -> bool:
    """Return whether a file says exactly what *row* does."""
    return _is_plain(row.key) and all(_is_plain(value) for value in row.fields.values())


def _is_plain(value: Value) -> bool:
    if not isinstance(value, str):
        return value is not None
    if not value or "\\" in value or value != value.strip() or value.upper() == "NULL":
        return False
    return value.isprintable() or _CONTROL.search(value) is None


def lead_files(rows: Sequence[Row], key: str, *, most_bytes: int = MOST_BYTES) -> Iterator[LeadFile]:
    """Yield *rows* as files, the key first; the same rows make the same files, in whatever order they come."""
    if not rows:
        return
    names = [name for name in rows[0].fields if name != key]
    lines: list[str] = []
    writer = csv.writer(_Lines(lines), lineterminator="\n")
    writer.writerow([key, *names])
    head = lines.pop().encode()
    taken: list[Row] = []
    parts = [head]
    size = len(head)
    for row in sorted(rows, key=lambda row: row.key):
        writer.writerow([row.key, *(_cell(row.fields[name]) for name in names)])
        line = lines.pop().encode()
        if taken and size + len(line) > most_bytes:
            yield _file(taken, parts)
            taken, parts, size = [], [head], len(head)
        taken.append(row)
        parts.append(line)
        size += len(line)
    yield _file(taken, parts)


def told_rows(content: bytes, key: str) -> dict[str, str]:
    """Return what a file of failures or warnings says of each row, by key, in whatever order they stand.

    Only the first and the last cell of a line are trusted: Marketo leaves out cells at the end that were empty, before
    it puts the reason behind them.

    Raises:
        RetryError: It is no such file.
    """
    lines = csv.reader(io.StringIO(content.decode("utf-8-sig", "replace"), newline=""))
    try:
        head = next(lines, [])
        if not head or head[0].strip() != key:
            raise RetryError("The file of failures does not begin with the key.")
        return {line[0].strip(): line[-1].strip() for line in lines if len(line) > 1}
    except csv.Error as error:
        raise RetryError(f"The file of failures is no CSV: {error}") from error


@dataclass(frozen=True)
class _Lines:
    lines: list[str]

    def write(self, line: str) -> None:
        self.lines.append(line)


def _file(rows: list[Row], parts: list[bytes]) -> LeadFile:
    content = b"".join(parts)
    return LeadFile(tuple(rows), content, f"{zlib.crc32(content):08x}")


def _cell(value: Value) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
