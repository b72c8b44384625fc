"""JSON lines: one object a line; what others put into it stays, to the sign, where Leadlight writes nothing."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import duckdb
import pyarrow as pa

from features.parsing import literal
from pipeline.crm.connectors.file_formats import KEY, Staged
from pipeline.crm.connectors.file_parts import Note
from pipeline.crm.connectors.value_texts import as_text
from pipeline.crm.promise import CrmField, Row

_FIELDS: Final = "fields"
_AT_ONCE: Final = 10_000


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
        """Return the value of a piece of JSON."""
        return as_text(json.loads(cell))

    def faults(self, connection: duckdb.DuckDBPyConnection, file: Path, fields: Sequence[CrmField]) -> Iterator[str]:  # noqa: ARG002
        """Yield nothing: a member holds whatever is written."""
        yield from ()


def _line(line: str | None, key: str | None, fields: str | None, *, name: str) -> str:
    """Return a line of the new file: the old one as it was, the old one with new members, or a new one."""
    if fields is None:
        return line or ""
    new: dict[str, Any] = json.loads(fields)
    old: dict[str, Any] = {name: key} if line is None else json.loads(line)
    return _dumped({**old, **new})


def _texts(source: str, names: Sequence[str]) -> list[str]:
    return [f"CAST({source} -> {_member(name)} AS VARCHAR) AS t{place}" for place, name in enumerate(names)]


def _member(name: str) -> str:
    """Return the JSON pointer to the member *name*, as SQL spells it."""
    return literal("/" + name.replace("~", "~0").replace("/", "~1"))


def _read(file: Path) -> str:
    return f"read_ndjson_objects({literal(str(file))})"


def _dumped(value: dict[str, Any]) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
