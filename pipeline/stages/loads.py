"""Loads: what a staged source adds to the facts that the workspace already has.

Equal rows with one id are dropped, conflicting ones inside one load are refused. The same id with
other content in a later load is a new version. Without ``recorded_at`` a changed version, or a row
that occurred before the previous load's data ended, is known at the load's time: nobody could have
known it earlier.
"""

# ruff: noqa: S608 - names are quoted and texts escaped; nothing of a user's reaches SQL otherwise

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb

from features.facts import FAULT, NOTE
from features.parsing import literal
from features.reading import Reading
from features.versions import NEWEST_FIRST, content_sql, repeats_sql
from pipeline.sources.staging import Staged


@dataclass(frozen=True)
class Added:
    """What one source added.

    Attributes:
        rows: New facts.
        versions: Rows that change a fact known before.
        retracted: Facts that a full export no longer has.
        repeats: Rows equal to another of the same load.
        late: New facts that occurred before the previous load's data ended: known only from this load on.
    """

    rows: int
    versions: int = 0
    retracted: int = 0
    repeats: int = 0
    late: int = 0


@dataclass(frozen=True)
class Repeats:
    """Ids that come more than once in one load.

    Attributes:
        surplus: Rows that repeat another in full.
        versions: Ids with several ``recorded_at``.
        conflicts: Ids with different content and no way to tell which is newer.
        examples: Some of the conflicting ids; never one that could be a person's address.
    """

    surplus: int
    versions: int
    conflicts: int
    examples: tuple[str, ...]

    @property
    def are_none(self) -> bool:
        """Whether every id comes once."""
        return not (self.surplus or self.versions or self.conflicts)


def fit_rows(paths: Sequence[Path]) -> str:
    """Return the relation of the fit rows in staged files."""
    return f"(SELECT * EXCLUDE ({FAULT}, {NOTE}) FROM {facts_relation(paths)} WHERE {FAULT} IS NULL)"


def facts_relation(paths: Sequence[Path]) -> str:
    """Return the relation of files of facts; a column that one lacks is NULL there."""
    names = ", ".join(literal(str(path)) for path in paths)
    return f"read_parquet([{names}], union_by_name=true, hive_partitioning=false)"


def find_repeats(connection: duckdb.DuckDBPyConnection, rows: str, content: Sequence[str]) -> Repeats:
    """Return what comes more than once among *rows*.

    Args:
        connection: DuckDB.
        rows: A relation of facts of one table and load.
        content: Stored names of the columns beside the keys.
    """
    found = connection.execute(repeats_sql(rows, content)).fetchall()[0]
    surplus, versions, conflicts, examples = found
    return Repeats(int(surplus), int(versions), int(conflicts), tuple(examples or ()))


def add_first(connection: duckdb.DuckDBPyConnection, staged: Staged, *, repeats: Repeats, path: Path) -> Added:
    """Let in a source whose table has no facts yet, as the file *path*."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if staged.is_clean and repeats.are_none:
        staged.path.replace(path)
        return Added(rows=staged.rows_read)
    rows = fit_rows([staged.path])
    changed = "count(*) OVER (PARTITION BY row_id) > 1" if repeats.versions else "FALSE"
    query = f"SELECT * REPLACE ({changed} AS is_change) FROM ({_distinct(rows, repeats)})"
    _write(connection, query, path)
    return Added(rows=_count(connection, path), repeats=repeats.surplus)


def add_later(
    connection: duckdb.DuckDBPyConnection,
    staged: Staged,
    *,
    earlier: Sequence[Path],
    previous_until: int | None,
    repeats: Repeats,
    path: Path,
) -> Added:
    """Let in what is new of a source whose table has facts, as the file *path*.

    Args:
        connection: DuckDB.
        staged: The source's rows.
        earlier: The table's files of facts.
        previous_until: Where the source's data ended at its previous load, microseconds; None for
            a source that is loaded for the first time.
        repeats: What comes more than once among the rows.
        path: Where the new facts go; no file is left there when there are none.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    distinct = _distinct(fit_rows([staged.path]), repeats)
    # A table's sources need not fill the same columns: what one lacks is NULL in its facts.
    there = f"(FROM {facts_relation(earlier)} UNION ALL BY NAME SELECT * FROM ({distinct}) WHERE FALSE)"
    _write(connection, _new_rows(distinct, staged.reading, there, previous_until), path)
    rows = _count(connection, path)
    if not rows:
        path.unlink()
        return Added(rows=0, repeats=repeats.surplus)
    known = f"WHERE is_change AND row_id IN (SELECT row_id FROM {facts_relation(earlier)})"
    versions = _count(connection, path, known)
    late = 0
    if previous_until is not None:
        before = f"occurred_at < make_timestamp({previous_until}::BIGINT)"
        late = _count(connection, path, f"WHERE NOT is_change AND recorded_at IS NULL AND {before}")
    return Added(rows=rows - versions, versions=versions, repeats=repeats.surplus, late=late)


def retract(
    connection: duckdb.DuckDBPyConnection, staged: Staged, *, earlier: Sequence[Path], own: Sequence[Path], path: Path
) -> int:
    """Write, as the file *path*, that facts which a full export no longer has are gone since this load.

    Args:
        connection: DuckDB.
        staged: The export's rows.
        earlier: The table's files of facts.
        own: Those of them that this source wrote.
        path: Where the retractions go; no file is left there when there are none.
    """
    moment = f"make_timestamp({staged.reading.loaded_at}::BIGINT)"
    gone = f"""
        SELECT * REPLACE ({moment} AS known_at, {moment} AS loaded_at, NULL AS recorded_at,
            TRUE AS is_change, TRUE AS is_retracted)
        FROM ({_newest(facts_relation(earlier))})
        WHERE NOT is_retracted AND row_id IN (SELECT row_id FROM {facts_relation(own)})
            AND row_id NOT IN (SELECT row_id FROM {facts_relation([staged.path])} WHERE row_id IS NOT NULL)
    """
    _write(connection, gone, path)
    rows = _count(connection, path)
    if not rows:
        path.unlink()
    return rows


def vanished(connection: duckdb.DuckDBPyConnection, staged: Staged, *, own: Sequence[Path]) -> int:
    """Return how many facts of the files *own* the staged rows no longer have."""
    query = f"""
        SELECT count(DISTINCT row_id) FROM {facts_relation(own)}
        WHERE row_id NOT IN (SELECT row_id FROM {facts_relation([staged.path])} WHERE row_id IS NOT NULL)
    """
    return int(connection.execute(query).fetchall()[0][0])


def _new_rows(rows: str, reading: Reading, there: str, previous_until: int | None) -> str:
    content = [column.stored_name for column in reading.content]
    same = f"{content_sql(content, of='fresh')} IS NOT DISTINCT FROM {content_sql(content, of='latest')}"
    # A source that rewrites a row without a new recorded_at was not seen to do so before this load.
    rewritten = "latest.row_id IS NOT NULL AND (fresh.recorded_at = latest.recorded_at OR latest.is_retracted)"
    is_late = "latest.row_id IS NOT NULL"
    if previous_until is not None:
        is_late += f" OR fresh.occurred_at < make_timestamp({previous_until}::BIGINT)"
    known = f"""CASE WHEN {rewritten} OR (fresh.recorded_at IS NULL AND ({is_late}))
        THEN greatest(fresh.known_at, fresh.loaded_at) ELSE fresh.known_at END"""
    replaced = [
        f"{known} AS known_at",
        f"CASE WHEN {rewritten} THEN fresh.loaded_at ELSE fresh.recorded_at END AS recorded_at",
        "(latest.row_id IS NOT NULL OR count(*) OVER (PARTITION BY fresh.row_id) > 1) AS is_change",
    ]
    if reading.table.name == "orders":
        since = f"greatest(fresh.cancelled_from, {known})"
        replaced.append(f"CASE WHEN fresh.cancelled_from IS NOT NULL THEN {since} END AS cancelled_from")
    return f"""
        WITH fresh AS ({rows}),
        latest AS ({_newest(f"(SELECT * FROM {there} WHERE row_id IN (SELECT row_id FROM fresh))")})
        SELECT fresh.* REPLACE ({", ".join(replaced)})
        FROM fresh LEFT JOIN latest ON fresh.row_id = latest.row_id
        WHERE latest.row_id IS NULL OR latest.is_retracted OR (
            NOT ({same}) AND NOT EXISTS (
                SELECT 1 FROM {there} AS stored
                WHERE stored.row_id = fresh.row_id AND stored.recorded_at IS NOT DISTINCT FROM fresh.recorded_at
                    AND {content_sql(content, of="stored")} IS NOT DISTINCT FROM {content_sql(content, of="fresh")}
                    AND fresh.recorded_at IS NOT NULL
            )
        )
    """


def _newest(facts: str) -> str:
    return f"SELECT * FROM {facts} QUALIFY row_number() OVER (PARTITION BY row_id ORDER BY {NEWEST_FIRST}) = 1"


def _distinct(rows: str, repeats: Repeats) -> str:
    if not repeats.surplus:
        return f"SELECT * FROM {rows}"
    # Of equal rows keep the one known first.
    return f"SELECT * FROM {rows} QUALIFY row_number() OVER (PARTITION BY row_id, recorded_at ORDER BY known_at) = 1"


def _write(connection: duckdb.DuckDBPyConnection, query: str, path: Path) -> None:
    connection.execute(f"COPY ({query}) TO {literal(str(path))} (FORMAT parquet, COMPRESSION snappy)")


def _count(connection: duckdb.DuckDBPyConnection, path: Path, where: str = "") -> int:
    return int(connection.execute(f"SELECT count(*) FROM {facts_relation([path])} {where}").fetchall()[0][0])
