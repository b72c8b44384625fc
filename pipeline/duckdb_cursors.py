"""One DuckDB for all threads of a process, each with a connection of its own: they may not share one."""

from __future__ import annotations

import threading
from collections.abc import Mapping

import duckdb


class Cursors:
    """A DuckDB in memory that reads Parquet files, tells times in UTC and brings nothing from the network.

    Args:
        settings: DuckDB's own, beside those.
    """

    def __init__(self, settings: Mapping[str, str | int]) -> None:
        offline = {"autoinstall_known_extensions": False, "autoload_known_extensions": False}
        self._connection = duckdb.connect(config={**offline, **settings})
        self._connection.execute("SET TimeZone = 'UTC'")
        self._connection.execute("SET parquet_metadata_cache = true")
        self._of_thread = threading.local()
        self._lock = threading.Lock()

    def mine(self) -> duckdb.DuckDBPyConnection:
        """Return this thread's connection; what it registers, no other sees."""
        if not hasattr(self._of_thread, "cursor"):
            with self._lock:
                self._of_thread.cursor = self._connection.cursor()
        cursor: duckdb.DuckDBPyConnection = self._of_thread.cursor
        return cursor
