"""File and parts become a new file, in little memory however many rows there are.

Rows are given their places first, by keys alone; then the new file is written in stretches of so many places, each of
which is joined by itself. What lies between, lies on the disk.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import duckdb

from features.parsing import literal
from pipeline.crm.connectors.file_engine import opened
from pipeline.crm.connectors.file_formats import KEY, Format, Staged
from pipeline.crm.connectors.file_parts import NUMBER

STRETCH: Final = 25_000
"""Rows that are written at a time."""


def merge(file: Path | None, form: Format, key: str, parts: Staged, *, to: Path, room: Path) -> None:
    """Write to *to* what *file* and *parts* amount to.

    Args:
        file: The file as it is; None = there is none.
        form: Its format.
        key: The column that tells rows apart.
        parts: What was sent since; of two that name a lead the later counts.
        to: The new file.
        room: An empty folder for what lies between.
    """
    with opened(room / "spill") as connection:
        connection.execute(f"ATTACH {literal(str(room / 'merge.db'))} AS room")
        connection.execute("USE room")
        old = "SELECT NULL::BIGINT AS spot, NULL::VARCHAR AS key LIMIT 0"
        if file is not None:
            old = form.file_rows(connection, file, key, parts)
        connection.execute(f"CREATE TABLE old AS {old}")
        _place(connection, form, parts)
        form.write(connection, _stretches(connection), file, key, parts, to)


def _place(connection: duckdb.DuckDBPyConnection, form: Format, parts: Staged) -> None:
    """Make the table ``changed``: the rows of the parts that count, each with its place in the new file."""
    connection.execute(
        f"CREATE TABLE latest AS SELECT {KEY}, max({NUMBER}) AS {NUMBER} FROM {parts.sql} GROUP BY {KEY}"  # noqa: S608
    )
    connection.execute(
        f"CREATE TABLE found AS SELECT l.{KEY}, l.{NUMBER}, o.spot FROM latest AS l "  # noqa: S608
        f"LEFT JOIN (SELECT {KEY}, spot FROM old) AS o ON o.{KEY} = l.{KEY}"
    )
    connection.execute(
        f"CREATE TABLE placed AS SELECT * FROM found WHERE spot IS NOT NULL UNION ALL "  # noqa: S608
        f"SELECT {KEY}, {NUMBER}, (SELECT coalesce(max(spot), 0) FROM old) + row_number() OVER (ORDER BY {KEY}) "
        "FROM found WHERE spot IS NULL"
    )
    connection.execute(
        f"CREATE TABLE changed AS SELECT placed.spot, p.* FROM {form.source(parts)} AS p "  # noqa: S608
        f"JOIN placed ON p.{KEY} = placed.{KEY} AND p.{NUMBER} = placed.{NUMBER}"
    )


def _stretches(connection: duckdb.DuckDBPyConnection) -> Iterator[str]:
    """Yield, for one stretch of places after the other, what a SELECT says of its rows: ``o`` and ``p``."""
    last = connection.execute(
        "SELECT max(spot) FROM (SELECT max(spot) AS spot FROM old UNION ALL SELECT max(spot) FROM changed)"
    ).fetchall()[0][0]
    for first in range(1, int(last or 0) + 1, STRETCH):
        within = f"spot >= {first} AND spot < {first + STRETCH}"
        yield (
            f"FROM (SELECT * FROM old WHERE {within}) AS o "  # noqa: S608
            f"FULL OUTER JOIN (SELECT * FROM changed WHERE {within}) AS p ON o.spot = p.spot "
            "ORDER BY coalesce(o.spot, p.spot)"
        )
