"""DuckDB as ingest uses it."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from pipeline.settings_tables import Ingest


@contextmanager
def connected(settings: Ingest, spill: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """Give a connection that fetches nothing from anywhere, in UTC.

    Args:
        settings: How much memory it may take.
        spill: Where what does not fit in memory goes.
    """
    config: dict[str, str | bool | int | float | list[str]] = {
        "memory_limit": f"{settings.memory_limit_gb}GB",
        "temp_directory": str(spill),
        # Nothing is fetched from anywhere, whatever a query asks for.
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
    }
    with duckdb.connect(config=config) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        _without_progress_bar(connection)
        yield connection


def _without_progress_bar(connection: duckdb.DuckDBPyConnection) -> None:
    """Draw no second progress bar; in a notebook the setting may not be touched where it is off."""
    is_on = connection.execute("SELECT current_setting('enable_progress_bar')").fetchall()[0][0]
    if is_on:
        connection.execute("SET enable_progress_bar = false")
