"""Opening the ledger: where it lies, its tables as this version wants them, and one writer per target."""

from __future__ import annotations

import fcntl
import hashlib
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from alembic import command
from alembic.config import Config
from alembic.util.exc import CommandError
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import SQLAlchemyError

from features.errors import LeadlightError, NotFinishedError, not_finished, without_secrets, wrong_input
from pipeline.databases import engine_at, file_of
from pipeline.settings import Settings

LEDGER: Final = "LEADLIGHT_LEDGER"


def ledger_url(settings: Settings, environment: Mapping[str, str] | None = None) -> str:
    """Return where a shop's ledger lies: as the environment says, else the config, else in the workspace."""
    named = (os.environ if environment is None else environment).get(LEDGER, "") or settings.publish.ledger
    return named or f"sqlite:///{settings.shop.workspace.resolve() / 'ledger.db'}"


def opened(url: str) -> Engine:
    """Return the database at *url* with the ledger's tables as this version wants them.

    Raises:
        LeadlightError: It is no database, or a newer version of Leadlight keeps its ledger there.
        NotFinishedError: It does not answer.
    """
    engine = engine_at(url, setting="publish.ledger")
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
        raise unanswered(url, error) from error
    return engine


@contextmanager
def writing_to(engine: Engine, target: str) -> Iterator[None]:
    """Keep every other writer of *target* out.

    Raises:
        NotFinishedError: Another run writes to it.
    """
    if engine.dialect.name == "postgresql":
        with _server_lock(engine, target):
            yield
        return
    file = Path(str(engine.url.database))
    with _file_lock(file.with_name(f".{file.name}.{target}.lock"), target):
        yield


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
def _server_lock(engine: Engine, target: str) -> Iterator[None]:
    """Hold a lock that the server gives back by itself when this process is gone."""
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        named = {"number": _number(target)}
        if not connection.execute(text("SELECT pg_try_advisory_lock(:number)"), named).scalar():
            raise _busy(target)
        try:
            yield
        finally:
            connection.execute(text("SELECT pg_advisory_unlock(:number)"), named)


def _number(name: str) -> int:
    digest = hashlib.sha256(f"leadlight {name}".encode()).digest()
    return int.from_bytes(digest[:8], "big", signed=True)


def _busy(target: str) -> NotFinishedError:
    hint = "wait until it has ended, then run this again."
    return not_finished(f"Another run writes to the target '{target}'.", hint=hint)


def _newer(url: str) -> LeadlightError:
    hint = "install that version; an older one would not understand what it wrote."
    return wrong_input(f"A newer version of Leadlight keeps its ledger at '{without_secrets(url)}'.", hint=hint)
