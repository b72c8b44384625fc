"""Staging: a source is read once, every row parsed and judged, before anything of it is let in."""

# ruff: noqa: S608 - names are quoted and texts escaped; nothing of a user's reaches SQL otherwise

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import duckdb

from features.facts import FAULT, FUTURE, NOTE, WAITING, facts_sql, fault_sql, parsed_sql
from features.parsing import literal, quoted
from features.reading import Reading
from pipeline.sources.relations import FILE, MALFORMED, Relation

REJECTS_KEPT = 100_000
"""How many rejected rows of a source are written out; all are counted."""
_LARGEST_SUM = 2**62


@dataclass(frozen=True)
class Staged:
    """A source's rows, parsed, each with its fault.

    Attributes:
        path: The Parquet file of facts, fit and unfit.
        reading: How they were read.
        rows_read: Rows and malformed lines.
        faults: Rows per fault, without those that only wait.
        waiting: Rows that are fit, but known only after the load.
        moved_times: Local times that do not exist and were moved forward.
        ambiguous_times: Local times that happen twice and were taken as the later instant.
        overflowing: Columns whose sum over all rows exact arithmetic cannot hold.
    """

    path: Path
    reading: Reading
    rows_read: int
    faults: Mapping[str, int]
    waiting: int
    moved_times: int
    ambiguous_times: int
    overflowing: tuple[str, ...] = ()

    @property
    def is_clean(self) -> bool:
        """Whether every row is let in as it is."""
        return not self.faults and not self.waiting

    @property
    def rejected(self) -> int:
        """How many rows are turned away."""
        return sum(self.faults.values())


def stage(
    connection: duckdb.DuckDBPyConnection, relation: Relation, reading: Reading, *, path: Path, rejects: Path
) -> Staged:
    """Read *relation* into the Parquet file *path*; write rejected rows to the CSV file *rejects*, if any.

    Args:
        connection: DuckDB.
        relation: The source.
        reading: How its rows become facts.
        path: Where the facts go.
        rejects: Where rows with a fault go, with the reason, the file, and what was read.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    query = facts_sql(reading, relation.sql)
    connection.execute(f"COPY ({query}) TO {literal(str(path))} (FORMAT parquet, COMPRESSION snappy)")
    found = connection.execute(
        f"SELECT {FAULT}, {NOTE}, count(*) FROM read_parquet({literal(str(path))}) GROUP BY ALL"
    ).fetchall()
    faults: dict[str, int] = {}
    for fault, _, count in found:
        if fault is not None:
            faults[fault] = faults.get(fault, 0) + count
    waiting = faults.pop(WAITING, 0)
    malformed = malformed_lines(connection, relation)
    if malformed:
        faults[MALFORMED] = malformed
    if faults:
        _write_rejects(connection, relation, reading, path=rejects)
    return Staged(
        path=path,
        reading=reading,
        rows_read=sum(count for *_, count in found) + malformed,
        faults=dict(sorted(faults.items())),
        waiting=waiting,
        moved_times=sum(count for fault, note, count in found if note == 1 and fault is None),
        ambiguous_times=sum(count for fault, note, count in found if note == 2 and fault is None),
        overflowing=_overflowing(connection, reading, path),
    )


def has_future(staged: Staged) -> bool:
    """Whether reading the same rows later may let in more of them."""
    return bool(staged.waiting or staged.faults.get(FUTURE))


def _overflowing(connection: duckdb.DuckDBPyConnection, reading: Reading, path: Path) -> tuple[str, ...]:
    """While the whole column's sum fits, no sum over any window of any lead can overflow."""
    names = [column.stored_name for column in reading.content if column.kind in ("amount", "duration", "count")]
    if not names:
        return ()
    sums = ", ".join(f"coalesce(sum({quoted(name)}), 0) > {_LARGEST_SUM}" for name in names)
    found = connection.execute(
        f"SELECT {sums} FROM read_parquet({literal(str(path))}) WHERE {FAULT} IS NULL"
    ).fetchall()
    return tuple(name for name, is_large in zip(names, found[0], strict=True) if is_large)


def malformed_lines(connection: duckdb.DuckDBPyConnection, relation: Relation) -> int:
    """Return how many lines of the files are no rows; they are known once the relation was read."""
    if not relation.rejects:
        return relation.malformed
    lines = connection.execute(f"SELECT count(DISTINCT (file_id, line)) FROM {quoted(relation.rejects)}").fetchall()
    return int(lines[0][0]) + relation.malformed


def _write_rejects(connection: duckdb.DuckDBPyConnection, relation: Relation, reading: Reading, *, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    fault = fault_sql(reading)
    columns = ", ".join(f"{quoted(name)}::VARCHAR AS {quoted(name)}" for name in relation.columns)
    rows = parsed_sql(reading, relation.sql, keep_source=True)
    query = f"""
        SELECT reason, {FILE} AS file, {columns}
        FROM (SELECT *, {fault} AS reason FROM ({rows}))
        WHERE reason IS NOT NULL AND reason <> {literal(WAITING)} LIMIT {REJECTS_KEPT}
    """
    if relation.rejects:
        lines = f"SELECT {literal(MALFORMED)} AS reason, NULL AS file, csv_line AS line FROM {quoted(relation.rejects)}"
        query = f"FROM ({query}) UNION ALL BY NAME SELECT DISTINCT * FROM ({lines})"
    connection.execute(f"COPY ({query}) TO {literal(str(path))} (FORMAT csv, HEADER)")
