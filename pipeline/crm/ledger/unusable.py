"""A ledger that cannot be used, in words: away for now, damaged, out of reach, of another make or of somebody else."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final
from urllib.parse import quote

from sqlalchemy import URL, Connection, Engine, inspect
from sqlalchemy.exc import DatabaseError, DBAPIError, InterfaceError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as NoConnectionError

from features.errors import LeadlightError, is_disk_full, not_finished, tells_of_full_disk, without_secrets, wrong_input
from pipeline.crm.ledger.kept_values import DamagedValueError
from pipeline.crm.ledger.tables import METADATA
from pipeline.databases import file_of

VERSION_TABLE: Final = "ledger_version"
"""Made first of all; holds which version of the tables there is."""
_DAMAGED: Final = ("SQLITE_NOTADB", "SQLITE_CORRUPT")
_OUT_OF_REACH: Final = ("SQLITE_CANTOPEN", "SQLITE_READONLY", "SQLITE_PERM")
_NO_TLS: Final = "Server refuses SSL"
_REFUSED: Final = ("28", "3D", "42501", "25006")
"""How PostgreSQL's codes (SQLSTATE) begin for a wrong user, no such database, no rights, and a server for reading."""
_WAIT_S: Final = 60


def require_ledger(file: Path) -> None:
    """See that *file* is a ledger, or nothing yet; nothing of its own is changed.

    Raises:
        LeadlightError: It is damaged, out of reach, or a database that somebody else keeps.
        NotFinishedError: It cannot be read now.
    """
    try:
        if file.is_dir():
            raise _out_of_reach(str(file), "it is a folder")
        if not file.exists() or not file.stat().st_size:
            return
    except OSError as error:
        raise no_file(file, error) from error
    try:
        # It may be written, since whoever was killed while writing leaves a journal that the next must roll back.
        connection = sqlite3.connect(f"file:{quote(str(file))}?mode=rw", uri=True, timeout=_WAIT_S)
        try:
            names = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        finally:
            connection.close()
    except sqlite3.Error as error:
        raise _in_words(str(file), error) from error
    if names and VERSION_TABLE not in names:
        raise _not_ours(file)


def require_tables(connection: Connection) -> None:
    """See that the tables, after all migrations, have the columns that this version reads and writes.

    Raises:
        LeadlightError: Another make of Leadlight made them.
    """
    names = list(METADATA.tables)
    found = inspect(connection).get_multi_columns(filter_names=names)
    theirs = {name: {column["name"] for column in columns} for (_, name), columns in found.items()}
    faults = [fault for name in names for fault in _differences(name, theirs.get(name, set()))]
    if faults:
        raise _other_tables(connection.engine.url, faults)


def is_unusable(error: SQLAlchemyError) -> bool:
    """Return whether a database is away, busy, full, damaged or not this user's; anything else is our fault."""
    if isinstance(error, DamagedValueError) or (isinstance(error, DBAPIError) and _refusal(error.orig)):
        return True
    is_lost = isinstance(error, DBAPIError) and error.connection_invalidated
    # Such as the code of a server that no class of the driver's stands for.
    is_unclear = type(error) is DatabaseError
    is_busy = isinstance(error, OperationalError | InterfaceError | NoConnectionError)
    return is_lost or is_unclear or is_busy or tells_of_full_disk(error)


def place_of(address: URL) -> str:
    """Return where a ledger is, for people: its file, or its server without who may enter."""
    return str(file_of(address) or without_secrets(str(address)))


def in_words(address: URL, error: SQLAlchemyError) -> LeadlightError:
    """Return the error for a ledger that cannot be read or written."""
    said = error.orig if isinstance(error, DBAPIError) else None
    return _in_words(place_of(address), said if isinstance(said, Exception) else error)


def no_file(file: Path, error: OSError) -> Exception:
    """Return the error for a ledger whose file, or one beside it, the system does not give; a full disk as it is."""
    return error if is_disk_full(error) else _out_of_reach(str(file), error.strerror or type(error).__name__)


def untrusted(place: str, words: str) -> LeadlightError:
    """Return the error for a server that cannot be told from another."""
    hint = "give its certificates in publish.tls_ca; `publish.tls: false` lets a ledger be reached without."
    return wrong_input(f"The link to the ledger at '{place}' cannot be trusted: {words}.", hint=hint)


def _in_words(place: str, error: Exception) -> LeadlightError:
    if _NO_TLS in str(error):
        return untrusted(place, "its server offers no TLS")
    name = getattr(error, "sqlite_errorname", "")
    if name.startswith(_OUT_OF_REACH):
        return _out_of_reach(place, str(error))
    if name.startswith(_DAMAGED) or isinstance(error, DamagedValueError):
        hint = "restore it from a copy or move it away; without one, the next run sends all."
        return wrong_input(f"The ledger at '{place}' is damaged, or no database.", hint=hint)
    if words := _refusal(error):
        return _refused(place, words)
    hint = "see that the database runs and that its disk has room, then run the same command again; nothing is lost."
    return not_finished(f"The ledger at '{place}' did not answer ({type(error).__name__}).", hint=hint)


def _refusal(error: BaseException | None) -> str:
    """Return the words with which PostgreSQL lets this user not keep a ledger; empty = it says something else."""
    told = error.args[0] if error is not None and error.args else None
    if not isinstance(told, dict) or not str(told.get("C", "")).startswith(_REFUSED):
        return ""
    return str(told.get("M", ""))


def _refused(place: str, words: str) -> LeadlightError:
    hint = "correct the URL (publish.ledger, LEADLIGHT_LEDGER), or let its user create and write tables there."
    return wrong_input(f"The ledger at '{place}' is not this user's to keep: {words}.", hint=hint)


def _out_of_reach(place: str, words: str) -> LeadlightError:
    hint = "let this user write to the file and its folder, or give another place (publish.ledger, LEADLIGHT_LEDGER)."
    return wrong_input(f"The ledger at '{place}' cannot be written: {words}.", hint=hint)


def _other_tables(address: URL, faults: list[str]) -> LeadlightError:
    hint = "restore it from a copy or move it away; without one, the next run sends all."
    fact = f"The ledger at '{place_of(address)}' was made by another version of Leadlight; its tables differ:"
    return wrong_input(fact, faults, hint=hint)


def _differences(table: str, theirs: set[str]) -> list[str]:
    ours = set(METADATA.tables[table].columns.keys())
    if not theirs:
        return [f"{table} is not there"]
    return [f"{table}.{name} is {'unknown' if name in theirs else 'not there'}" for name in sorted(ours ^ theirs)]


def _not_ours(file: Path) -> LeadlightError:
    hint = "give the ledger a file of its own (publish.ledger, LEADLIGHT_LEDGER), or none: it lies in the workspace."
    return wrong_input(f"'{file}' is a database with other tables; nothing was written to it.", hint=hint)


@contextmanager
def answering(engine: Engine) -> Iterator[None]:
    """Say what it means that the ledger does not answer."""
    try:
        yield
    except SQLAlchemyError as error:
        raise in_words(engine.url, error) from error
