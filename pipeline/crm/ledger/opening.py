"""Opening the ledger: where it lies, its tables as this version wants them, and one writer per target."""

from __future__ import annotations

import fcntl
import hashlib
import os
import ssl
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Final

from alembic import command
from alembic.config import Config
from alembic.util.exc import CommandError
from sqlalchemy import URL, Connection, Engine, text
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from features.errors import LeadlightError, NotFinishedError, not_finished, wrong_input
from pipeline.crm.ledger.ownership import require_own
from pipeline.crm.ledger.unusable import (
    VERSION_TABLE,
    in_words,
    is_unusable,
    no_file,
    place_of,
    require_ledger,
    require_tables,
    untrusted,
)
from pipeline.database_links import MYSQL, address_of, driver_arguments, family_of
from pipeline.databases import file_at, file_of, own_engine
from pipeline.settings import Settings

LEDGER: Final = "LEADLIGHT_LEDGER"
_PLACE: Final = f"publish.ledger or {LEDGER}"


def ledger_address(settings: Settings, environment: Mapping[str, str] | None = None) -> URL:
    """Return where a shop's ledger lies: as the environment says, else the config, else in the workspace.

    Raises:
        LeadlightError: No ledger can be kept there.
    """
    named = (os.environ if environment is None else environment).get(LEDGER, "") or settings.publish.ledger
    if not named:
        return _own_file(settings)
    address = address_of(named, place=_PLACE, folder=settings.folder)
    if family_of(address) == MYSQL:
        raise _no_home(address)
    return address


def opened(address: URL, *, tls: bool = True, tls_ca: Path | None = None) -> Engine:
    """Return the database at *address* with the ledger's tables as this version wants them.

    Args:
        address: Where it is.
        tls: Whether a link to another machine is encrypted and verified.
        tls_ca: Certificates to trust instead of the system's.

    Raises:
        LeadlightError: It is damaged, out of reach, not this user's, somebody else's, or a newer version or another
            make of Leadlight keeps its ledger there.
        NotFinishedError: It does not answer.
    """
    engine = own_engine(address, setting=_PLACE, arguments=driver_arguments(address, tls=tls, tls_ca=tls_ca))
    file = file_of(address)
    if file is not None:
        _make_folder_of(file)
        require_ledger(file)
    try:
        with _alone_with_tables(file), engine.begin() as connection:
            _upgrade(connection)
            require_tables(connection)
    except CommandError as error:
        engine.dispose()
        raise _newer(address) from error
    except ssl.SSLError as error:
        engine.dispose()
        raise untrusted(
            place_of(address), getattr(error, "verify_message", "") or "no encrypted link came about"
        ) from error
    except LeadlightError:
        engine.dispose()
        raise
    except SQLAlchemyError as error:
        engine.dispose()
        if is_unusable(error):
            raise in_words(address, error) from error
        raise
    return engine


@contextmanager
def ledger(settings: Settings, environment: Mapping[str, str] | None = None) -> Iterator[Engine]:
    """Give a shop's ledger, closed afterwards.

    Raises:
        LeadlightError: See `opened`; or it is another shop's.
        NotFinishedError: It does not answer. A statement that is wrong is our fault, and raised as it is.
    """
    address, publish = ledger_address(settings, environment), settings.publish
    ca = None if publish.tls_ca is None else settings.folder / publish.tls_ca
    engine = opened(address, tls=publish.tls, tls_ca=ca)
    try:
        if address != _own_file(settings):
            require_own(engine, settings.shop.name)
        yield engine
    except SQLAlchemyError as error:
        if is_unusable(error):
            raise in_words(address, error) from error
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
    with _file_lock(Path(str(engine.url.database)), target):
        yield lambda: None


def _own_file(settings: Settings) -> URL:
    return file_at(settings.shop.workspace.resolve() / "ledger.db")


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
    with _opened_beside(file, "version") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@contextmanager
def _file_lock(file: Path, target: str) -> Iterator[None]:
    with _opened_beside(file, f"target-{target}") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise _busy(target) from error
        yield


def _opened_beside(file: Path, name: str) -> IO[str]:
    """Return a file beside the ledger that locks are held on."""
    try:
        return file.with_name(f".{file.name}.{name}.lock").open("w", encoding="ascii")
    except OSError as error:
        raise no_file(file, error) from error


def _make_folder_of(file: Path) -> None:
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise no_file(file, error) from error


@contextmanager
def _server_lock(engine: Engine, target: str) -> Iterator[Callable[[], None]]:
    """Hold a lock that the server gives back by itself when this process, or the connection, is gone."""
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        # The pool began a transaction when it looked whether the server is there: it must not last as long as the lock.
        connection.execute(text("ROLLBACK"))
        named = {"number": _number(f"target {target}")}
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


def _no_home(address: URL) -> LeadlightError:
    hint = "give a URL such as postgresql+pg8000://host/name or sqlite:///ledger.db, or none: it lies in the workspace."
    return wrong_input(f"The ledger cannot be kept at '{place_of(address)}'.", hint=hint)


def _newer(address: URL) -> LeadlightError:
    hint = "install that version; an older one would not understand what it wrote."
    return wrong_input(f"A newer version of Leadlight keeps its ledger at '{place_of(address)}'.", hint=hint)
