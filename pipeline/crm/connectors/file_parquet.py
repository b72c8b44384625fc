"""Parquet files: numbers stay numbers, truth values truth values."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from features.parsing import literal
from pipeline.crm.connectors.file_engine import listed, quoted
from pipeline.crm.connectors.file_formats import KEY, Staged
from pipeline.crm.connectors.file_parts import NUMBER, Note
from pipeline.crm.connectors.value_texts import as_text
from pipeline.crm.promise import CrmField, FieldType, Row, Value
from pipeline.crm.trouble import StopError, StopReason

_NOTHING, _TRUTH, _WHOLE, _NUMBER, _TEXT = "", "BOOLEAN", "BIGINT", "DOUBLE", "VARCHAR"
_ARROW: Final = {_TRUTH: pa.bool_(), _WHOLE: pa.int64(), _NUMBER: pa.float64()}
_INTEGERS: Final = frozenset({"TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER"})
_LARGEST: Final = 2**63
_MAY_HOLD: Final = {
    FieldType.TEXT: {_TEXT}, FieldType.CHOICE: {_TEXT}, FieldType.BOOLEAN: {_TRUTH, _TEXT},
    FieldType.INTEGER: {_WHOLE, _NUMBER, _TEXT}, FieldType.NUMBER: {_NUMBER, _WHOLE, _TEXT},
    FieldType.MOMENT: {_TEXT, "TIMESTAMP", "TIMESTAMP WITH TIME ZONE"},
}  # fmt: skip


class Parquet:
    """How Parquet files are written and read."""

    def columns(self, file: Path) -> list[str]:
        """Return the names of the columns."""
        return list(_schema(file).names)

    def part(self, rows: Sequence[Row], names: Sequence[str]) -> tuple[pa.Table, Note]:
        """Return *rows* as a part: each column of the narrowest type that holds its values."""
        columns: dict[str, pa.Array] = {KEY: pa.array([row.key for row in rows], pa.string())}
        kinds = []
        for place, name in enumerate(names):
            values = [row.fields[name] for row in rows]
            kind = _common(_kind(value) for value in values)
            kinds.append(kind)
            columns[f"f{place}"] = _column(values, kind)
        return pa.table(columns), Note(tuple(names), tuple(kinds))

    def file_texts(self, connection: duckdb.DuckDBPyConnection, file: Path, key: str, names: Sequence[str]) -> str:
        """Return the SQL that reads ``key, t0, t1 …`` from *file*."""
        types = _types(connection, file)
        wanted = [f"{_as_text(quoted(key), types[key])} AS {KEY}"]
        for place, name in enumerate(names):
            text = _as_text(quoted(name), types[name]) if name in types else "NULL::VARCHAR"
            wanted.append(f"{text} AS t{place}")
        return f"SELECT {', '.join(wanted)} FROM read_parquet({literal(str(file))})"  # noqa: S608

    def source(self, staged_parts: Staged) -> str:
        """Return the SQL of all rows of parts: a column may be whole numbers in one and decimals in another."""
        kinds = _kinds(staged_parts)
        alike: dict[tuple[str, ...], list[str]] = {}
        for part, note in zip(staged_parts.parts, staged_parts.notes, strict=True):
            alike.setdefault(note.kinds, []).append(str(part.path))
        cast = [f"CAST(f{place} AS {kind or _TEXT}) AS f{place}" for place, kind in enumerate(kinds)]
        wanted = ", ".join([KEY, NUMBER, *cast])
        selects = [f"SELECT {wanted} FROM read_parquet({listed(some)})" for some in alike.values()]  # noqa: S608
        return f"({' UNION ALL '.join(selects)})"

    def file_rows(self, connection: duckdb.DuckDBPyConnection, file: Path, key: str, parts: Staged) -> str:  # noqa: ARG002
        """Return the SQL that reads ``spot, key, c0, c1 …`` from *file*."""
        names = _schema(file).names
        chosen = ", ".join(f"{quoted(name)} AS c{place}" for place, name in enumerate(names))
        return (
            f"SELECT file_row_number + 1 AS spot, CAST({quoted(key)} AS VARCHAR) AS {KEY}, {chosen} "  # noqa: S608
            f"FROM read_parquet({literal(str(file))}, file_row_number=true)"
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
        """Write each stretch as a row group."""
        types = {key: _TEXT} if file is None else _types(connection, file)
        kinds = _kinds(parts)
        chosen = [
            f"{_cell(name, place, types, key, parts.names, kinds, is_old=file is not None)} AS {quoted(name)}"
            for place, name in enumerate(types)
        ]
        chosen += [f"p.f{place} AS {quoted(name)}" for place, name in enumerate(parts.names) if name not in types]
        writer: Any = None
        try:
            for stretch in stretches:
                group = connection.sql(f"SELECT {', '.join(chosen)} {stretch}").to_arrow_table()
                writer = writer or pq.ParquetWriter(to, group.schema, compression="zstd")
                writer.write_table(group)
        finally:
            if writer is not None:
                writer.close()

    def spellings(self, key: str) -> list[str]:
        """Return *key*: it stands in the file as it is."""
        return [key]

    def meant_key(self, cell: str) -> str:
        """Return *cell*: a key stands in the file as it is."""
        return cell

    def meant(self, cell: str) -> str | None:
        """Return *cell*: the question spelled it already."""
        return cell or None

    def faults(
        self,
        connection: duckdb.DuckDBPyConnection,
        file: Path,
        key: str,
        fields: Sequence[CrmField],
        *,
        may_create: bool,
    ) -> Iterator[str]:
        """Read all cells, and yield the columns that hold another type than is written."""
        types = _types(connection, file)
        columns = ", ".join(map(quoted, types))
        connection.execute(f"SELECT bit_xor(hash({columns})) FROM read_parquet({literal(str(file))})").fetchall()  # noqa: S608
        if may_create and _family(types[key]) != _TEXT:
            yield f"'{key}' holds {types[key]} in '{file.name}', and the ids of new rows are texts."
        for field in fields:
            found = types.get(field.name)
            if found is not None and _family(found) not in _MAY_HOLD[field.type]:
                yield f"'{field.name}' holds {found} in '{file.name}', and {field.type} is written."


def _cell(
    name: str,
    place: int,
    types: dict[str, str],
    key: str,
    names: Sequence[str],
    kinds: Sequence[str],
    *,
    is_old: bool,
) -> str:
    """Return the SQL of a column of the new file."""
    if not is_old:
        return f"p.{KEY}"
    if name == key:
        return f"CASE WHEN o.spot IS NULL THEN CAST(p.{KEY} AS {types[name]}) ELSE o.c{place} END"
    if name not in names:
        return f"o.c{place}"
    field = names.index(name)
    kind = _wide_enough(types[name], kinds[field])
    return f"CASE WHEN p.spot IS NULL THEN CAST(o.c{place} AS {kind}) ELSE CAST(p.f{field} AS {kind}) END"


def _schema(file: Path) -> pa.Schema:
    try:
        return pq.read_schema(file)
    except (pa.ArrowInvalid, OSError) as error:
        if getattr(error, "errno", None) is not None:  # the disk's own trouble; Arrow's words for a torn file have none
            raise
        words = f"'{file.name}' cannot be read as Parquet."
        raise StopError(words, reason=StopReason.SETUP, hint="correct the file, or move it away.") from None


def _types(connection: duckdb.DuckDBPyConnection, file: Path) -> dict[str, str]:
    _schema(file)
    asked = f"DESCRIBE SELECT * FROM read_parquet({literal(str(file))})"  # noqa: S608
    return {str(name): str(kind) for name, kind, *_ in connection.execute(asked).fetchall()}


def _kind(value: Value) -> str:
    if value is None:
        return _NOTHING
    if isinstance(value, bool):
        return _TRUTH
    if isinstance(value, int):
        return _WHOLE if -_LARGEST <= value < _LARGEST else _TEXT
    return _NUMBER if isinstance(value, float) else _TEXT


def _common(kinds: Iterable[str]) -> str:
    """Return the narrowest kind that holds all of *kinds*."""
    found = set(kinds) - {_NOTHING}
    if len(found) > 1:
        return _NUMBER if found == {_WHOLE, _NUMBER} else _TEXT
    return found.pop() if found else _NOTHING


def _kinds(staged_parts: Staged) -> list[str]:
    """Return the kind of each field over all parts; a field that is empty in all of them has none."""
    return [_common(column) for column in zip(*(note.kinds for note in staged_parts.notes), strict=True)]


def _column(values: Sequence[Value], kind: str) -> pa.Array:
    if kind in _ARROW:
        return pa.array(values, _ARROW[kind])
    return pa.array([value if isinstance(value, str) else as_text(value) for value in values], pa.string())


def _family(found: str) -> str:
    """Return the kind that a column of the file belongs to; its own type where that is none of ours."""
    if found in _INTEGERS:
        return _WHOLE
    if found in {"FLOAT", "DOUBLE"} or found.startswith("DECIMAL"):
        return _NUMBER
    return _TEXT if found.startswith("ENUM") else found


def _wide_enough(found: str, kind: str) -> str:
    """Return the type that holds what the file has and what is written."""
    family = _family(found)
    if kind == _NOTHING:
        return found
    if {family, kind} == {_WHOLE, _NUMBER}:
        return _NUMBER
    # A type of its own, such as a timestamp, stays what it is: texts are read as such.
    return kind if family == kind else _TEXT if family in {_TRUTH, _WHOLE, _NUMBER, _TEXT} else found


def _as_text(column: str, kind: str) -> str:
    """Return the SQL of a column's values as texts, as `value_texts` spells them."""
    text, number = f"CAST({column} AS VARCHAR)", f"CAST({column} AS DOUBLE)"
    if kind.startswith("TIMESTAMP"):
        return f"replace(strftime(CAST({column} AS TIMESTAMP), '%Y-%m-%dT%H:%M:%S.%f+00:00'), '.000000', '')"
    if _family(kind) != _NUMBER:
        return text
    return (
        f"CASE WHEN NOT isfinite({number}) THEN NULL "
        f"WHEN abs({number}) < 1e15 AND {number} = trunc({number}) THEN CAST(CAST({number} AS BIGINT) AS VARCHAR) "
        f"WHEN contains({text}, 'e') THEN rtrim(rtrim(printf('%.20f', {number}), '0'), '.') "
        f"ELSE regexp_replace({text}, '(\\.\\d*?)0+$', '\\1') END"
    )
