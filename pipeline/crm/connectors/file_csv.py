"""CSV files: texts only, safe to be opened in a spreadsheet.

A file keeps its manner: what parts its columns, how its lines end, and the mark of UTF-8 by which Excel knows it.

Nothing at all between two delimiters is an empty field. An empty text is written as ``""``; both read the same.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from features.parsing import literal
from pipeline.crm.connectors.file_cells import meant, shown, shown_all
from pipeline.crm.connectors.file_formats import KEY, Staged
from pipeline.crm.connectors.file_parts import Note
from pipeline.crm.connectors.file_unreadable import LINE_HINT, UTF_8_HINT
from pipeline.crm.connectors.value_texts import as_text
from pipeline.crm.promise import CrmField, Row, Value
from pipeline.crm.trouble import StopError, StopReason

_DELIMITERS: Final = (",", ";", "\t", "|")
_HEADER_BYTES: Final = 1 << 20
_COPIED_BYTES: Final = 1 << 20
_BUFFER_BYTES: Final = 8_000_000
"""The longest line; by itself DuckDB would take a third of its memory for each buffer."""
_FIRST_LINE: Final = re.compile(r'((?:[^"\r\n]++|"[^"]*+")*+)(\r\n|\r|\n)')
"""A line and its end; a break within quotes ends none."""
_SPELLED, _OTHER, _OTHER_MEANS = "spelled", "other", "other_means"


@dataclass(frozen=True)
class _Manner:
    """How a file is written.

    Attributes:
        delimiter: What parts its columns.
        line_end: How its lines end.
        mark: What stands before its header.
    """

    delimiter: str = ","
    line_end: bytes = b"\n"
    mark: bytes = b""


class Csv:
    """How CSV files are written and read."""

    def columns(self, file: Path) -> list[str]:
        """Return the names in the header."""
        return _header(file)[0]

    def part(self, rows: Sequence[Row], names: Sequence[str]) -> tuple[pa.Table, Note]:
        """Return *rows* as a part: texts as they will stand in the file.

        A key may stand in a file of others as it is, though we spell it otherwise (-12), unless it then means another
        key ('-12).
        """
        keys = pa.array([row.key for row in rows], pa.string())
        spelled = shown_all(keys)
        is_other = pc.not_equal(keys, spelled)
        meanings = [said if (said := meant(key)) != key else None for key in keys.filter(is_other).to_pylist()]
        other_means = pc.replace_with_mask(pa.nulls(len(keys), pa.string()), is_other, pa.array(meanings, pa.string()))
        columns = {KEY: keys, _SPELLED: spelled, _OTHER_MEANS: other_means}
        for place, name in enumerate(names):
            columns[f"f{place}"] = _cells([row.fields[name] for row in rows])
        return pa.table(columns), Note(tuple(names))

    def file_texts(self, connection: duckdb.DuckDBPyConnection, file: Path, key: str, names: Sequence[str]) -> str:  # noqa: ARG002
        """Return the SQL that reads ``key, t0, t1 …`` from *file*."""
        columns, manner = _header(file)
        wanted = [f"c{columns.index(key)} AS {KEY}"]
        for place, name in enumerate(names):
            wanted.append((f"c{columns.index(name)}" if name in columns else "NULL::VARCHAR") + f" AS t{place}")
        return f"SELECT {', '.join(wanted)} FROM {_read(file, len(columns), manner.delimiter)}"  # noqa: S608

    def source(self, staged_parts: Staged) -> str:
        """Return the SQL of all rows of parts."""
        return staged_parts.sql

    def file_rows(self, connection: duckdb.DuckDBPyConnection, file: Path, key: str, parts: Staged) -> str:  # noqa: ARG002
        """Return the SQL that reads ``spot, key, c0, c1 …`` from *file*."""
        columns, manner = _header(file)
        # Few keys are spelled otherwise than they are; for these, what stands in the file says which key is meant.
        meanings = (
            f"(SELECT {_SPELLED} AS cell, {KEY} AS means FROM {parts.sql} WHERE {_SPELLED} <> {KEY} UNION "  # noqa: S608
            f"SELECT {KEY}, {_OTHER_MEANS} FROM {parts.sql} WHERE {_OTHER_MEANS} IS NOT NULL)"
        )
        cell = f"c{columns.index(key)}"
        return (
            f"SELECT numbered.*, coalesce(means, {cell}) AS {KEY} FROM (SELECT row_number() OVER () AS spot, * "  # noqa: S608
            f"FROM {_read(file, len(columns), manner.delimiter)}) AS numbered LEFT JOIN {meanings} ON cell = {cell}"
        )

    def write(
        self,
        connection: duckdb.DuckDBPyConnection,
        stretches: Iterator[str],
        file: Path | None,
        key: str,
        parts: Staged,
        to: Path,
    ) -> None:
        """Write the header, then stretch after stretch behind it."""
        columns, manner = ([key], _Manner()) if file is None else _header(file)
        chosen = [_cell(name, place, key, parts.names, is_old=file is not None) for place, name in enumerate(columns)]
        added = [name for name in parts.names if name not in columns]
        chosen += [f"p.f{parts.names.index(name)}" for name in added]
        piece = to.with_name(to.name + ".piece")
        with to.open("wb") as whole:
            whole.write(manner.mark + _header_line([*columns, *added], manner))
            for stretch in stretches:
                connection.execute(
                    f"COPY (SELECT {', '.join(chosen)} {stretch}) TO {literal(str(piece))} (FORMAT csv, HEADER false, "
                    f"DELIMITER {literal(manner.delimiter)}, QUOTE '\"', ESCAPE '\"', NULLSTR '')"
                )
                with piece.open("rb") as some:
                    _copy(some, whole, line_end=manner.line_end)
                piece.unlink()

    def spellings(self, key: str) -> list[str]:
        """Return how *key* may stand in a file."""
        return [shown(key), key] if meant(key) == key else [shown(key)]

    def meant_key(self, cell: str) -> str:
        """Return the key that stands in a file as *cell*."""
        return meant(cell)

    def meant(self, cell: str) -> str | None:
        """Return the text that stands in a file as *cell*."""
        return meant(cell) or None

    def faults(
        self,
        connection: duckdb.DuckDBPyConnection,
        file: Path,
        key: str,  # noqa: ARG002 - a text, as all others
        fields: Sequence[CrmField],  # noqa: ARG002 - a text holds whatever is written
        *,
        may_create: bool,  # noqa: ARG002
    ) -> Iterator[str]:
        """Read all cells, and yield nothing: what cannot be read stops."""
        _require_line_ends(file)
        columns, manner = _header(file)
        counted = ", ".join(f"count(c{place})" for place in range(len(columns)))
        connection.execute(f"SELECT {counted} FROM {_read(file, len(columns), manner.delimiter)}").fetchall()  # noqa: S608
        yield from ()


def _cell(name: str, place: int, key: str, names: Sequence[str], *, is_old: bool) -> str:
    """Return the SQL of a column of the new file."""
    if name == key:
        return f"coalesce(o.c{place}, p.{_SPELLED})" if is_old else f"p.{_SPELLED}"
    if name in names:
        return f"CASE WHEN p.spot IS NULL THEN o.c{place} ELSE p.f{names.index(name)} END"
    return f"o.c{place}"


def _header_line(names: Sequence[str], manner: _Manner) -> bytes:
    written = io.StringIO()
    csv.writer(written, delimiter=manner.delimiter, lineterminator=manner.line_end.decode()).writerow(names)
    return written.getvalue().encode()


def _copy(lines: BinaryIO, to: BinaryIO, *, line_end: bytes) -> None:
    """Copy lines that end in a line feed alone so that they end in *line_end*; breaks within quotes stay."""
    if line_end == b"\n":
        shutil.copyfileobj(lines, to)
        return
    is_quoted = False
    while some := lines.read(_COPIED_BYTES):
        pieces = some.split(b'"')
        outside = slice(int(is_quoted), None, 2)  # a quote within quotes is doubled: nothing lies between the two
        pieces[outside] = [piece.replace(b"\n", line_end) for piece in pieces[outside]]
        to.write(b'"'.join(pieces))
        is_quoted ^= len(pieces) % 2 == 0


def _require_line_ends(file: Path) -> None:
    """See that they are never far apart: DuckDB leaves out a last line of two buffers' length, and says nothing.

    Raises:
        StopError: There is one.
    """
    with file.open("rb") as opened:
        while some := opened.read(_BUFFER_BYTES):
            if len(some) == _BUFFER_BYTES and b"\n" not in some and b"\r" not in some:
                words = f"'{file.name}' cannot be read: one of its lines is longer than 8 MB."
                raise StopError(words, reason=StopReason.SETUP, hint=LINE_HINT)


def _read(file: Path, n_columns: int, delimiter: str) -> str:
    columns = ", ".join(f"'c{place}': 'VARCHAR'" for place in range(n_columns))
    return (
        f"read_csv({literal(str(file))}, auto_detect=false, header=true, delim={literal(delimiter)}, quote='\"', "
        f"escape='\"', nullstr='', buffer_size={_BUFFER_BYTES}, allow_quoted_nulls=false, columns={{{columns}}})"
    )


def _header(file: Path) -> tuple[list[str], _Manner]:
    """Return the names in the first line of *file*, and its manner.

    Raises:
        StopError: It has none.
    """
    with file.open("rb") as opened:
        begin = opened.read(_HEADER_BYTES)
    text = begin.decode("utf-8-sig", errors="replace")
    found = _FIRST_LINE.match(text)
    first_line, line_end = found.groups() if found else (text.partition("\n")[0], "\n")
    delimiter = max(_DELIMITERS, key=first_line.count)
    try:
        names = next(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter), [])
    except csv.Error:
        names = []
    if not names or "\N{REPLACEMENT CHARACTER}" in "".join(names):
        words = f"'{file.name}' has no header that can be read as CSV in UTF-8."
        raise StopError(words, reason=StopReason.SETUP, hint=UTF_8_HINT)
    mark = codecs.BOM_UTF8 if begin.startswith(codecs.BOM_UTF8) else b""
    return names, _Manner(delimiter, line_end.encode(), mark)


def _cells(values: Sequence[Value]) -> pa.Array:
    """Return values as they stand in the file; a number is no formula, whatever it begins with."""
    texts = pa.array([value if isinstance(value, str) else None for value in values], pa.string())
    others = pa.array([None if isinstance(value, str) else as_text(value) for value in values], pa.string())
    return pc.coalesce(shown_all(texts), others)
