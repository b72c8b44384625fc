"""Databases of our own: SQLite in the workspace, or a server by URL."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from sqlalchemy import URL, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from features.errors import LeadlightError, without_secrets, wrong_input
from pipeline.database_links import SQLITE, address_of
from pipeline.database_urls import ENCODED, has_loose_at

_WRITER_WAITS_S: Final = 60
"""Seconds that a writer waits for another."""


def file_at(path: Path) -> URL:
    """Return the address of a database in a file, whatever characters its path has."""
    return URL.create("sqlite+pysqlite", database=str(path))


def file_of(address: URL) -> Path | None:
    """Return the file of a database; None where a server keeps it."""
    is_file = address.get_backend_name() == SQLITE and address.database
    return Path(str(address.database)) if is_file else None


def own_address(url: str, *, setting: str, folder: Path) -> URL:
    """Return where a database of ours lies.

    Args:
        url: As given.
        setting: Where it is given, for the message.
        folder: Where the path of a SQLite file starts.

    Raises:
        LeadlightError: It is no URL of a database, or one of SQLite that is no file, or asks the driver for more.
    """
    if has_loose_at(url):
        raise wrong_input(f"The URL in {setting} has more than one @ behind its user.", hint=f"{ENCODED}.")
    try:
        address = make_url(url)
    except (ArgumentError, ValueError) as error:  # a ValueError: a port that is no number
        raise _no_database(url, setting) from error
    return address_of(url, place=setting, folder=folder) if address.get_backend_name() == SQLITE else address


def own_engine(address: URL, *, setting: str, arguments: Mapping[str, Any] | None = None) -> Engine:
    """Return a database of ours; nothing is opened yet.

    Args:
        address: Where it lies.
        setting: Where that is given, for the message.
        arguments: What the driver of a server is told beside the address.

    Raises:
        LeadlightError: Its driver is not installed.
    """
    is_file = address.get_backend_name() == SQLITE
    told = {"timeout": _WRITER_WAITS_S} if is_file else dict(arguments or {})
    try:
        # What a statement was given may be a lead's: an error must not repeat it.
        engine = create_engine(address, connect_args=told, pool_pre_ping=not is_file, hide_parameters=True)
    except (SQLAlchemyError, ImportError) as error:
        raise _no_database(str(address), setting) from error
    if is_file:
        event.listen(engine, "connect", _let_several_use_it)
    return engine


def _let_several_use_it(connection: Any, _record: object) -> None:  # noqa: ANN401 - the driver's own
    """Let readers read while one writes, and the second writer wait."""
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode = WAL")
    cursor.execute(f"PRAGMA busy_timeout = {_WRITER_WAITS_S * 1000}")
    cursor.execute("PRAGMA synchronous = FULL")
    cursor.close()


def _no_database(url: str, setting: str) -> LeadlightError:
    hint = f"{setting} is a URL such as postgresql+pg8000://host/name, and its driver must be installed."
    return wrong_input(f"'{without_secrets(url)}' is no database that can be opened.", hint=hint)
