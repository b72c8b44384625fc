"""Sources as SQL relations: one table expression per source, with typed columns.

Every relation carries two columns of its own beside the source's: `FILE`, where a row was read,
and `ROW`, an id for rows that have none. In a file that is its fingerprint and the row's number,
so reading the file again adds nothing while equal rows stay apart; in a query, whose rows come in
any order, and in full exports it is the row's content and a running number among equal rows.
"""

# ruff: noqa: S608 - names are quoted and texts escaped; nothing of a user's reaches SQL otherwise

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import duckdb
import pyarrow as pa

from features.errors import LeadlightError, without_secrets, wrong_input
from features.parsing import literal, quoted
from pipeline.settings_tables import Source
from pipeline.sources.csv_files import csv_sql, read_header
from pipeline.sources.files import SourceFile

FILE, ROW = "_source_file", "_source_row"
MALFORMED = "the line is malformed"


@dataclass(frozen=True)
class Relation:
    """A source as DuckDB sees it.

    Attributes:
        sql: The table expression.
        columns: Its columns and their DuckDB types, without `FILE` and `ROW`.
        rejects: The table that collects lines of CSV files that are no rows, or empty.
        malformed: How many lines of JSON files are no rows.
        is_stored: Whether reading one column costs little: Parquet files alone.
    """

    sql: str
    columns: dict[str, str]
    rejects: str = ""
    malformed: int = 0
    is_stored: bool = False


def file_relation(
    connection: duckdb.DuckDBPyConnection, files: Sequence[SourceFile], source: Source, *, name: str, by_content: bool
) -> Relation:
    """Return the relation of a source's files.

    Args:
        connection: DuckDB.
        files: The files to read.
        source: Their settings.
        name: A name for this source, unique within *connection*.
        by_content: Whether rows without an id are told apart by content (full exports).

    Raises:
        LeadlightError: A file cannot be read as what its name says.
    """
    rejects = f"{name}_malformed"
    parts = [_file_sql(connection, file, source, rejects=rejects) for file in files]
    sql = " UNION ALL BY NAME ".join(part for part, _ in parts)
    if by_content:
        sql = _numbered_by_content(f"SELECT * EXCLUDE ({ROW}) FROM ({sql})")
    has_lines = any(file.format == "csv" for file in files)
    columns = _described(connection, sql, files[0].name)
    return Relation(
        sql=f"({sql})",
        columns=columns,
        rejects=rejects if has_lines else "",
        malformed=sum(malformed for _, malformed in parts),
        is_stored=all(file.format == "parquet" for file in files) and not by_content,
    )


def query_relation(
    connection: duckdb.DuckDBPyConnection, query: str, *, table: str, by_content: bool = True
) -> Relation:
    """Return the relation of a query.

    Args:
        connection: DuckDB.
        query: The query.
        table: What it fills, for messages.
        by_content: Whether rows are told apart by content; else by their place in the answer.

    Raises:
        LeadlightError: DuckDB refuses the query.
    """
    sql = f"SELECT *, 'query' AS {FILE} FROM ({query.rstrip().rstrip(';')})"
    if by_content:
        sql = _numbered_by_content(sql)
    else:
        sql = f"SELECT *, printf('%012d', row_number() OVER ()) AS {ROW} FROM ({sql})"
    try:
        return Relation(f"({sql})", _columns(connection, sql))
    except duckdb.Error as error:
        raise _query_fails(table, error) from error


def _numbered_by_content(sql: str) -> str:
    number = f"printf('%s:%d', _content[:16], row_number() OVER (PARTITION BY _content)) AS {ROW}"
    return f"SELECT * EXCLUDE (_content), {number} FROM (SELECT *, md5(rows::VARCHAR) AS _content FROM ({sql}) AS rows)"


def _file_sql(
    connection: duckdb.DuckDBPyConnection, file: SourceFile, source: Source, *, rejects: str
) -> tuple[str, int]:
    """Return the query of one file's rows, and how many of its lines are no rows, where known."""
    own = f"printf('%s:%09d', {literal(file.fingerprint)}, {{}}) AS {ROW}, {literal(file.name)} AS {FILE}"
    if file.format == "parquet":
        read = f"read_parquet({literal(str(file.path))}, file_row_number=true)"
        return f"SELECT * EXCLUDE (file_row_number), {own.format('file_row_number')} FROM {read}", 0
    numbered = own.format("row_number() OVER ()")
    if file.format == "csv":
        read = csv_sql(file, source, read_header(file, source), rejects=rejects)
        return f"SELECT *, {numbered} FROM {read}", 0
    return _json_sql(connection, file, numbered)


def _json_sql(connection: duckdb.DuckDBPyConnection, file: SourceFile, numbered: str) -> tuple[str, int]:
    shape = "array" if _is_array(file) else "newline_delimited"
    # A whole array is one text: where it breaks, nothing after it can be trusted.
    lenient = "false" if shape == "array" else "true"
    read = (
        f"read_json_objects({literal(str(file.path))}, format='{shape}', "
        f"compression={literal(file.packing)}, ignore_errors={lenient})"
    )
    try:
        found = connection.execute(
            f"SELECT DISTINCT unnest(json_keys(json)) AS key FROM {read} ORDER BY key"
        ).fetchall()
        malformed = connection.execute(f"SELECT count(*) FROM {read} WHERE json IS NULL").fetchall()[0][0]
    except duckdb.Error as error:
        raise _unreadable(file.name, error) from error
    columns = [f"json ->> {literal('$.' + _json_step(str(key)))} AS {quoted(str(key))}" for (key,) in found]
    return f"SELECT {', '.join([*columns, numbered])} FROM {read} WHERE json IS NOT NULL", int(malformed)


def _is_array(file: SourceFile) -> bool:
    packing = None if file.packing == "none" else file.packing
    with pa.input_stream(str(file.path), compression=packing) as stream:
        return bool(stream.read(64).lstrip().startswith(b"["))


def _json_step(key: str) -> str:
    return '"' + key.replace('"', '\\"') + '"'


def _described(connection: duckdb.DuckDBPyConnection, sql: str, name: str) -> dict[str, str]:
    try:
        return _columns(connection, sql)
    except duckdb.Error as error:
        raise _unreadable(name, error) from error


def _columns(connection: duckdb.DuckDBPyConnection, sql: str) -> dict[str, str]:
    described = connection.execute(f"DESCRIBE {sql}").fetchall()
    return {str(name): str(kind) for name, kind, *_ in described if name not in (FILE, ROW)}


def _unreadable(name: str, error: duckdb.Error) -> LeadlightError:
    reason = str(error).splitlines()[:1]
    return wrong_input(f"The file '{name}' cannot be read:", reason, hint="is it whole, and what its name says it is?")


def _query_fails(table: str, error: duckdb.Error) -> LeadlightError:
    hint = f"correct the query of {table} in the config; {{data}} stands for the data folder."
    lines = [without_secrets(line) for line in str(error).splitlines()[:4]]
    return wrong_input(f"The query of table '{table}' fails:", lines, hint=hint)
