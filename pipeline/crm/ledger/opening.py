"""Opening the ledger: where it lies, its tables as this version wants them, and one writer per target."""

from __future__ import annotations

import fcntl
import hashlib
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from alembic import command
from alembic.config import Config
from alembic.util.exc import CommandError
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DatabaseError, DBAPIError, InterfaceError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as NoConnectionError

from features.errors import (
    LeadlightError,
    NotFinishedError,
    not_finished,
    tells_of_full_disk,
    without_secrets,
    wrong_input,
)
from pipeline.databases import engine_at, file_of
from pipeline.settings import Settings

LEDGER: Final = "LEADLIGHT_LEDGER"


def ledger_url(settings: Settings, environment: Mapping[str, str] | None = None) -> str:
    """Return where a shop's ledger lies: as the environment says, else the config, else in the workspace."""
    named = (os.environ if environment is None else environment).get(LEDGER, "") or settings.publish.ledger
    if named.startswith("sqlite") and not str(file_of(named) or ".").strip("./"):
        raise _no_home(named)  # in memory it would be gone with the process
    return named or f"sqlite:///{settings.shop.workspace.resolve() / 'ledger.db'}"


def opened(url: str) -> Engine:
    """Return the database at *url* with the ledger's tables as this version wants them.

    Raises:
        LeadlightError: It is no database, or a newer version of Leadlight keeps its ledger there.
        NotFinishedError: It does not answer.
    """
    engine = engine_at(url, setting="publish.ledger")
    if engine.dialect.name not in {"sqlite", "postgresql"}:
        raise _no_home(url)
    file = file_of(url)
    if file is not None:
        file.parent.mkdir(parents=True, exist_ok=True)
    try:
        with _alone_with_tables(file), engine.begin() as connection:
            _upgrade(connection)
    except CommandError as error:
        engine.dispose()
        raise _newer(url) from error
    except SQLAlchemyError as error:
        engine.dispose()
        if is_away(error):
            raise unanswered(url, error) from error
        raise
    return engine


@contextmanager
def ledger(settings: Settings, environment: Mapping[str, str] | None = None) -> Iterator[Engine]:
    """Give a shop's ledger, closed afterwards.

    Raises:
        LeadlightError: See `opened`.
        NotFinishedError: It does not answer. A statement that is wrong is our fault, and raised as it is.
    """
    url = ledger_url(settings, environment)
    engine = opened(url)
    try:
        yield engine
    except SQLAlchemyError as error:
        if is_away(error):
            raise unanswered(url, error) from error
        raise
    finally:
        engine.dispose()


def is_away(error: SQLAlchemyError) -> bool:
    """Return whether a database is away, busy or full, so that the same may be tried again later."""
    is_lost = isinstance(error, DBAPIError) and error.connection_invalidated
    is_unreadable = type(error) is DatabaseError  # such as a file that is no database: a backup may be put there
    is_busy = isinstance(error, OperationalError | InterfaceError | NoConnectionError)
    return is_lost or is_unreadable or is_busy or tells_of_full_disk(error)


@contextmanager
def writing_to(engine: Engine, target: str) -> Iterator[Callable[[], None]]:
    """Keep every other writer of *target* out, and give what raises where that no longer holds.

    Raises:
        NotFinishedError: Another run writes to it.
    """
    if engine.dialect.name == "postgresql":
        with _server_lock(engine, target) as require_alone:
            yield require_alone
        return
    file = Path(str(engine.url.database))
    with _file_lock(file.with_name(f".{file.name}.{target}.lock"), target):
        yield lambda: None


def unanswered(url: str, error: SQLAlchemyError) -> NotFinishedError:
    """Return the error for a ledger that cannot be read or written now."""
    hint = "see that the database runs and that its disk has room, then run the same command again; nothing is lost."
    return not_finished(f"The ledger at '{without_secrets(url)}' did not answer ({type(error).__name__}).", hint=hint)


def _upgrade(connection: Connection) -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    config.attributes["connection"] = connection
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:number)"), {"number": _number("ledger_version")})
    command.upgrade(config, "head")


@contextmanager
def _alone_with_tables(file: Path | None) -> Iterator[None]:
    """Let one process at a time look after the tables of a file: SQLite's own lock comes after its first look."""
    if file is None:
        yield
        return
    with file.with_name(f".{file.name}.version.lock").open("w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@contextmanager
def _file_lock(path: Path, target: str) -> Iterator[None]:
    with path.open("w", encoding="ascii") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise _busy(target) from error
        yield


@contextmanager
def _server_lock(engine: Engine, target: str) -> Iterator[Callable[[], None]]:
    """Hold a lock that the server gives back by itself when this process, or the connection, is gone."""
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        named = {"number": _number(target)}
        if not connection.execute(text("SELECT pg_try_advisory_lock(:number)"), named).scalar():
            raise _busy(target)
        try:
            # Where this fails the lock is gone with the connection, and another run may have begun.
            yield lambda: connection.execute(text("SELECT 1")).close()
        finally:
            with suppress(DBAPIError):  # a lost connection has given it back
                connection.execute(text("SELECT pg_advisory_unlock(:number)"), named)


def _number(name: str) -> int:
    digest = hashlib.sha256(f"leadlight {name}".encode()).digest()
    return int.from_bytes(digest[:8], "big", signed=True)


def _busy(target: str) -> NotFinishedError:
    hint = "wait until it has ended, then run this again."
    return not_finished(f"Another run writes to the target '{target}'.", hint=hint)


def _no_home(url: str) -> LeadlightError:
    hint = "give a URL such as postgresql+pg8000://host/name or sqlite:///ledger.db, or none: it lies in the workspace."
    return wrong_input(f"The ledger cannot be kept at '{without_secrets(url)}'.", hint=hint)


def _newer(url: str) -> LeadlightError:
    hint = "install that version; an older one would not understand what it wrote."
    return wrong_input(f"A newer version of Leadlight keeps its ledger at '{without_secrets(url)}'.", hint=hint)
