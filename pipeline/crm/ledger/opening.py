"""Opening the ledger: where it lies, its tables as this version wants them, and one writer per target."""

from __future__ import annotations

import fcntl
import hashlib
import os
import ssl
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from alembic import command
from alembic.config import Config
from alembic.util.exc import CommandError
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from features.errors import LeadlightError, NotFinishedError, not_finished, without_secrets, wrong_input
from pipeline.crm.ledger.ownership import require_own
from pipeline.crm.ledger.unusable import VERSION_TABLE, in_words, is_unusable, require_ledger, untrusted
from pipeline.database_links import POSTGRESQL, address_of, driver_arguments, family_of
from pipeline.databases import engine_at, file_of
from pipeline.settings import Settings

LEDGER: Final = "LEADLIGHT_LEDGER"
_PLACE: Final = f"publish.ledger or {LEDGER}"


def ledger_url(settings: Settings, environment: Mapping[str, str] | None = None) -> str:
    """Return where a shop's ledger lies: as the environment says, else the config, else in the workspace."""
    named = (os.environ if environment is None else environment).get(LEDGER, "") or settings.publish.ledger
    if named.startswith("sqlite") and not str(file_of(named) or ".").strip("./"):
        raise _no_home(named)  # in memory it would be gone with the process
    return named or _own_file(settings)


def opened(url: str, *, tls: bool = True, tls_ca: Path | None = None) -> Engine:
    """Return the database at *url* with the ledger's tables as this version wants them.

    Args:
        url: Where it is.
        tls: Whether a link to another machine is encrypted and verified.
        tls_ca: Certificates to trust instead of the system's.

    Raises:
        LeadlightError: It is no database, damaged, somebody else's, or a newer version of Leadlight keeps its ledger
            there.
        NotFinishedError: It does not answer.
    """
    engine = _engine(url, tls=tls, tls_ca=tls_ca)
    file = file_of(url)
    if file is not None:
        file.parent.mkdir(parents=True, exist_ok=True)
        require_ledger(file)
    try:
        with _alone_with_tables(file), engine.begin() as connection:
            _upgrade(connection)
    except CommandError as error:
        engine.dispose()
        raise _newer(url) from error
    except ssl.SSLError as error:
        engine.dispose()
        raise untrusted(url, getattr(error, "verify_message", "") or "no encrypted link came about") from error
    except SQLAlchemyError as error:
        engine.dispose()
        if is_unusable(error):
            raise in_words(url, error) from error
        raise
    return engine


@contextmanager
def ledger(settings: Settings, environment: Mapping[str, str] | None = None) -> Iterator[Engine]:
    """Give a shop's ledger, closed afterwards.

    Raises:
        LeadlightError: See `opened`; or it is another shop's.
        NotFinishedError: It does not answer. A statement that is wrong is our fault, and raised as it is.
    """
    url, publish = ledger_url(settings, environment), settings.publish
    ca = None if publish.tls_ca is None else settings.folder / publish.tls_ca
    engine = opened(url, tls=publish.tls, tls_ca=ca)
    try:
        if url != _own_file(settings):
            require_own(engine, settings.shop.name)
        yield engine
    except SQLAlchemyError as error:
        if is_unusable(error):
            raise in_words(url, error) from error
        raise
    finally:
        engine.dispose()


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


def _own_file(settings: Settings) -> str:
    return f"sqlite:///{settings.shop.workspace.resolve() / 'ledger.db'}"


def _engine(url: str, *, tls: bool, tls_ca: Path | None) -> Engine:
    """Return the database at *url*: a file, or PostgreSQL reached as a target is."""
    if url.startswith("sqlite:"):
        return engine_at(url, setting=_PLACE)
    address = address_of(url, place=_PLACE, folder=Path())
    if family_of(address) != POSTGRESQL:
        raise _no_home(url)
    arguments = driver_arguments(address, tls=tls, tls_ca=tls_ca)
    return engine_at(address.render_as_string(hide_password=False), setting=_PLACE, arguments=arguments)


def _upgrade(connection: Connection) -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    config.attributes["connection"] = connection
    if connection.dialect.name == "sqlite":
        # Its driver begins no transaction for tables: whoever is killed here would leave some of them.
        connection.exec_driver_sql("BEGIN IMMEDIATE")
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:number)"), {"number": _number(VERSION_TABLE)})
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
