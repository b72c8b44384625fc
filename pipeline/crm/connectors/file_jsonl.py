"""JSON lines: one object a line; what others put into it stays, to the sign, where Leadlight writes nothing."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from itertools import accumulate
from pathlib import Path
from typing import Any, Final

import duckdb
import pyarrow as pa

from features.parsing import literal
from pipeline.crm.connectors.file_formats import KEY, Staged
from pipeline.crm.connectors.file_parts import Note
from pipeline.crm.connectors.value_texts import as_text
from pipeline.crm.promise import CrmField, Row
from pipeline.crm.trouble import StopError, StopReason

_FIELDS: Final = "fields"
_AT_ONCE: Final = 10_000
_LONG: Final = 4_000
"""A number of more digits is none that Python reads."""
_DEEPEST: Final = 200
_TEXT: Final = re.compile(r'"(?:[^"\\]++|\\.)*+"')


class JsonLines:
    """How files of JSON lines are written and read."""

    def columns(self, file: Path) -> None:
        """Return None: each line has its own."""

    def part(self, rows: Sequence[Row], names: Sequence[str]) -> tuple[pa.Table, Note]:
        """Return *rows* as a part: the fields of each as a JSON object."""
        fields = [_dumped({name: row.fields[name] for name in names}) for row in rows]
        keys = pa.array([row.key for row in rows], pa.string())
        return pa.table({KEY: keys, _FIELDS: pa.array(fields, pa.string())}), Note(tuple(names))

    def file_texts(self, connection: duckdb.DuckDBPyConnection, file: Path, key: str, names: Sequence[str]) -> str:  # noqa: ARG002
        """Return the SQL that reads ``key, t0, t1 …`` from *file*."""
        wanted = [f"json ->> {_member(key)} AS {KEY}", *_texts("json", names)]
        return f"SELECT {', '.join(wanted)} FROM {_read(file)}"  # noqa: S608

    def source(self, staged_parts: Staged) -> str:
        """Return the SQL of all rows of parts."""
        return staged_parts.sql

    def file_rows(self, connection: duckdb.DuckDBPyConnection, file: Path, key: str, parts: Staged) -> str:  # noqa: ARG002
        """Return the SQL that reads ``spot, key, line`` from *file*."""
        named = f"json ->> {_member(key)} AS {KEY}"
        return f"SELECT row_number() OVER () AS spot, {named}, json::VARCHAR AS line FROM {_read(file)}"  # noqa: S608

    def write(
        self,
        connection: duckdb.DuckDBPyConnection,
        stretches: Iterator[str],
        file: Path | None,
        key: str,
        parts: Staged,  # noqa: ARG002
        to: Path,
    ) -> None:
        """Write stretch after stretch, line by line."""
        line = "NULL" if file is None else "o.line"
        with to.open("w", encoding="utf-8", newline="\n") as whole:
            for stretch in stretches:
                reading = connection.execute(f"SELECT {line}, p.{KEY}, p.{_FIELDS} {stretch}")
                while rows := reading.fetchmany(_AT_ONCE):
                    whole.writelines(_line(*row, name=key) + "\n" for row in rows)

    def spellings(self, key: str) -> list[str]:
        """Return *key*: it stands in the file as it is."""
        return [key]

    def meant_key(self, cell: str) -> str:
        """Return *cell*: a key stands in the file as it is."""
        return cell

    def meant(self, cell: str) -> str | None:
        """Return the value of a piece of JSON; what is too much for us is not ours, and stays as it is."""
        try:
            return as_text(json.loads(cell))
        except (RecursionError, ValueError):
            return cell

    def faults(
        self,
        connection: duckdb.DuckDBPyConnection,
        file: Path,
        key: str,  # noqa: ARG002 - a member like others
        fields: Sequence[CrmField],  # noqa: ARG002 - a member holds whatever is written
        *,
        may_create: bool,  # noqa: ARG002
    ) -> Iterator[str]:
        """Yield nothing, but stop at a row that would not come out as it went in."""
        reading = connection.execute(
            "SELECT spot, is_doubled, line FROM (SELECT row_number() OVER () AS spot, json::VARCHAR AS line, "  # noqa: S608
            f"len(json_keys(json)) > len(list_distinct(json_keys(json))) AS is_doubled FROM {_read(file)}) "
            f"WHERE is_doubled OR length(line) > {_LONG} "
            f"OR length(line) - length(replace(replace(line, '[', ''), '{{', '')) > {_DEEPEST}"
        )
        while found := reading.fetchone():
            spot, is_doubled, line = found
            if is_doubled:
                raise _unfit(file, spot, "names a member twice: which one counts is not told")
            if _is_too_much(line):
                raise _unfit(file, spot, f"is nested more than {_DEEPEST} deep, or has too long a number")
        yield from ()


def _line(line: str | None, key: str | None, fields: str | None, *, name: str) -> str:
    """Return a line of the new file: the old one as it was, the old one with new members, or a new one."""
    if fields is None:
        return line or ""
    new: dict[str, Any] = json.loads(fields)
    old: dict[str, Any] = {name: key} if line is None else json.loads(line)
    return _dumped({**old, **new})


def _unfit(file: Path, spot: int, cause: str) -> StopError:
    hint = "correct that row, or move the file away."
    return StopError(f"Row {spot:,} of '{file.name}' {cause}.", reason=StopReason.SETUP, hint=hint)


def _is_too_much(line: str) -> bool:
    """Return whether a line of JSON is more than Python reads and writes, however deep in calls it is itself."""
    steps = ((sign in "[{") - (sign in "]}") for sign in _TEXT.sub("", line))
    if max(accumulate(steps), default=0) > _DEEPEST:
        return True
    try:
        json.loads(line)
    except ValueError:
        return True
    return False


def _texts(source: str, names: Sequence[str]) -> list[str]:
    return [f"CAST({source} -> {_member(name)} AS VARCHAR) AS t{place}" for place, name in enumerate(names)]


def _member(name: str) -> str:
    """Return the JSON pointer to the member *name*, as SQL spells it."""
    return literal("/" + name.replace("~", "~0").replace("/", "~1"))


def _read(file: Path) -> str:
    return f"read_ndjson_objects({literal(str(file))})"


def _dumped(value: dict[str, Any]) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
