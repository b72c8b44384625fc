"""Databases of our own: SQLite in the workspace, or a server by URL."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Engine, create_engine, event, make_url
from sqlalchemy.exc import SQLAlchemyError

from features.errors import LeadlightError, without_secrets, wrong_input
from pipeline.database_urls import ENCODED, has_loose_at

_FILE: Final = "sqlite:///"
_WAIT_S: Final = 60
"""Seconds that a writer waits for another."""


def file_of(url: str) -> Path | None:
    """Return the file of a database; None where a server keeps it."""
    path = url.removeprefix(_FILE)
    return None if path == url else Path(path)


def engine_at(url: str, *, setting: str, arguments: Mapping[str, Any] | None = None) -> Engine:
    """Return the database at *url*; nothing is opened yet.

    Args:
        url: A database's URL.
        setting: Where it is given, for the message.
        arguments: What the driver of a server is told beside the URL.

    Raises:
        LeadlightError: It is no URL of a database, or its driver is not installed.
    """
    if has_loose_at(url):
        raise wrong_input(f"The URL in {setting} has more than one @ behind its user.", hint=f"{ENCODED}.")
    try:
        address = make_url(url)
        is_file = address.get_backend_name() == "sqlite"
        told = {"timeout": _WAIT_S} if is_file else dict(arguments or {})
        # What a statement was given may be a lead's: an error must not repeat it.
        engine = create_engine(address, connect_args=told, pool_pre_ping=not is_file, hide_parameters=True)
    except (SQLAlchemyError, ImportError, ValueError) as error:  # a ValueError: a port that is no number
        raise _no_database(url, setting) from error
    if is_file:
        event.listen(engine, "connect", _begin_sqlite)
    return engine


def _begin_sqlite(connection: Any, _record: object) -> None:  # noqa: ANN401 - the driver's own
    """Let readers read while one writes, and the second writer wait."""
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode = WAL")
    cursor.execute(f"PRAGMA busy_timeout = {_WAIT_S * 1000}")
    cursor.execute("PRAGMA synchronous = FULL")
    cursor.close()


def _no_database(url: str, setting: str) -> LeadlightError:
    hint = f"{setting} is a URL such as postgresql+pg8000://host/name, and its driver must be installed."
    return wrong_input(f"'{without_secrets(url)}' is no database that can be opened.", hint=hint)
