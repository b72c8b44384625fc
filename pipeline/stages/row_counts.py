"""How many rows of a table occurred in spans of time, as the loads brought them.

Rows are counted before anything is resolved: those whose visitor is not known yet count, and those that a later export
no longer has count as well. Else the newest day would always look poor beside older ones, or an export that lost nine
rows of ten would look as ever, for it takes as many from the past.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import duckdb

from features.parsing import literal
from pipeline.lead_table.kept import LEADS
from pipeline.settings import Settings
from pipeline.sources.connection import connected
from pipeline.stages.freshness import Count, Window
from pipeline.stages.ingest_record import from_dict
from pipeline.stages.loads import facts_relation
from pipeline.workspace import Workspace

_EACH_ROW: Final = "count(*)"
_EACH_ID: Final = "count(DISTINCT row_id)"


@contextmanager
def row_counts(settings: Settings) -> Iterator[Callable[[str], Count | None]]:
    """Give a function that gives what counts the rows of a table; None for a table without days.

    Args:
        settings: The shop's config; its tables must be ingested.
    """
    with (
        tempfile.TemporaryDirectory(prefix="leadlight-volume-") as spill,
        connected(settings.ingest, Path(spill)) as connection,
    ):
        yield _Counting(settings, connection).of


class _Counting:
    """The tables of a workspace, counted."""

    def __init__(self, settings: Settings, connection: duckdb.DuckDBPyConnection) -> None:
        self._settings, self._connection = settings, connection
        self._workspace = Workspace(settings.shop.workspace)

    def of(self, table: str) -> Count | None:
        """Return what counts the rows of *table*."""
        lead_table = self._settings.lead_table
        if lead_table is not None:
            return None if lead_table.date is None else self._of_lead_table
        tables = self._workspace.tables()
        record = from_dict(tables.manifest["record"]).tables.get(table)
        if record is None or not record.facts:
            return None
        relation = facts_relation([tables.folder / "facts" / path for path in record.facts])
        # An id that comes again, changed, is one row; without such ids nothing need be remembered while counting.
        what = _EACH_ID if record.has_changes else _EACH_ROW
        return lambda windows: self._counted(relation, "occurred_at", what, windows)

    def _of_lead_table(self, windows: Sequence[Window]) -> Sequence[int]:
        folder, _ = self._workspace.lead_table()
        return self._counted(f"read_parquet({literal(str(folder / LEADS))})", "date", _EACH_ROW, windows)

    def _counted(self, relation: str, column: str, what: str, windows: Sequence[Window]) -> list[int]:
        counts = ", ".join(f"{what} FILTER (WHERE {_within(column, window)})" for window in windows)
        widest = min(begin for begin, _ in windows), max(end for _, end in windows)
        query = f"SELECT {counts} FROM {relation} WHERE {_within(column, widest)}"  # noqa: S608 - names are ours
        return [int(found) for found in self._connection.execute(query).fetchall()[0]]


def _within(column: str, window: Window) -> str:
    begin, end = window
    return f"{column} >= make_timestamp({begin}::BIGINT) AND {column} < make_timestamp({end}::BIGINT)"
