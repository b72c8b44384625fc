"""Where a database is, and how it is opened: its URL from the environment or the config, never a password in a file.

To another machine the connection is encrypted and the server's certificate verified, as with every CRM.
"""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from sqlalchemy import URL, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError

from features.errors import LeadlightError, wrong_input
from pipeline.database_urls import ENCODED, has_loose_at, holds_password
from pipeline.loopback import is_loopback

POSTGRESQL: Final = "postgresql"
MYSQL: Final = "mysql"
SQLITE: Final = "sqlite"
_DRIVERS: Final = {
    POSTGRESQL: "postgresql+pg8000", MYSQL: "mysql+pymysql", "mariadb": "mariadb+pymysql", SQLITE: "sqlite+pysqlite"
}  # fmt: skip
FAMILIES: Final = {"postgresql": POSTGRESQL, "mysql": MYSQL, "mariadb": MYSQL, "sqlite": SQLITE}
_MAY_BE_ASKED: Final = {
    POSTGRESQL: frozenset({"unix_sock", "application_name"}),
    MYSQL: frozenset({"unix_socket", "charset"}),
    SQLITE: frozenset[str](),
}
_SUCH_AS: Final = "give a URL such as postgresql://user:password@host/name, with a password only in the environment"
_WAIT_S: Final = 120
"""Seconds without a byte after which a server counts as gone."""
_SQLITE_WAIT_S: Final = 10


def without_password(url: str) -> str:
    """Return *url* as it may stand in a config.

    Raises:
        ValueError: It holds a password, before the host or behind a question mark, or is no URL.
    """
    if holds_password(url):
        raise ValueError("it holds a password; give the whole URL in the environment instead (`url_env`)")
    try:
        make_url(url)
    except (ArgumentError, ValueError) as error:
        raise ValueError("it is no URL such as postgresql://user@host/name") from error
    return url


def family_of(address: URL) -> str:
    """Return the kind of database at *address*: one of `POSTGRESQL`, `MYSQL`, `SQLITE`."""
    return FAMILIES[address.get_backend_name()]


def address_of(url: str, *, place: str, folder: Path) -> URL:
    """Return *url* as it is opened.

    Args:
        url: As given.
        place: Where it was given, for messages.
        folder: Where the path of a SQLite file starts.

    Raises:
        LeadlightError: No such database can be opened.
    """
    if has_loose_at(url):
        raise _refused(place, "it has more than one @ behind its user", hint=ENCODED)
    try:
        parsed = make_url(url)
        backend = parsed.get_backend_name()
    except (ArgumentError, ValueError) as error:
        raise _refused(place, "it is no URL") from error
    if backend not in FAMILIES:
        raise _refused(place, "only PostgreSQL, MySQL, MariaDB and SQLite can be opened")
    if parsed.drivername not in {backend, _DRIVERS[backend]}:
        raise _refused(place, f"the driver must be {_DRIVERS[backend]}")
    family = FAMILIES[backend]
    if unknown := sorted(set(parsed.query) - _MAY_BE_ASKED[family]):
        raise _refused(place, f"it asks for what is not known: {', '.join(unknown)}")
    if family == SQLITE:
        return _with_file(parsed, place, folder)
    if not parsed.database or not (parsed.host or parsed.query):
        raise _refused(place, "it must name a host and a database")
    with_driver = parsed.set(drivername=_DRIVERS[backend])
    return with_driver.update_query_dict({"charset": "utf8mb4"}) if family == MYSQL else with_driver


def _with_file(parsed: URL, place: str, folder: Path) -> URL:
    path = parsed.database or ""
    if parsed.host or not path.strip("./") or path.startswith((":memory:", "file:")) or "\0" in path:
        raise _refused(place, "it names no file")
    return parsed.set(drivername=_DRIVERS[SQLITE], database=str(folder / path))


def engine_at(address: URL, *, at_once: int, tls: bool, tls_ca: Path | None) -> Engine:
    """Return the database at *address*; no connection is opened.

    Args:
        address: As `address_of` returns it.
        at_once: Connections that are kept.
        tls: Whether a connection to another machine is encrypted and verified.
        tls_ca: Certificates to trust instead of the system's.

    Raises:
        LeadlightError: The driver is not installed, or *tls_ca* cannot be read.
    """
    family = family_of(address)
    arguments = driver_arguments(address, tls=tls, tls_ca=tls_ca)
    try:
        engine = create_engine(
            address,
            connect_args=dict(arguments),
            pool_pre_ping=family != SQLITE,
            pool_size=at_once,
            hide_parameters=True,
        )
    except (ImportError, NoSuchModuleError) as error:
        raise _no_driver(family) from error
    if family == SQLITE:
        event.listen(engine, "connect", _survive_loss_of_power)
    return engine


def _leaves_this_machine(address: URL) -> bool:
    return address.host is not None and not is_loopback(address.host)


def _context(tls_ca: Path | None) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=tls_ca)
    except (OSError, ValueError) as error:  # a ValueError: a path with the character NUL
        raise wrong_input(f"The certificates in '{tls_ca}' cannot be read.", hint="see `tls_ca`.") from error


def driver_arguments(address: URL, *, tls: bool, tls_ca: Path | None) -> Mapping[str, Any]:
    """Return what the driver is told beside the address, as `engine_at` opens it."""
    family = family_of(address)
    context = _context(tls_ca) if tls and _leaves_this_machine(address) else None
    if family == SQLITE:
        return {"timeout": _SQLITE_WAIT_S}
    if family == POSTGRESQL:
        # None: TLS where the server offers it, unverified; that is for this machine, and for whoever said `tls: false`.
        return {"ssl_context": context, "timeout": _WAIT_S}
    return {
        # Strict: what does not fit is an error, never cut silently. UTC: moments mean what they say.
        "init_command": "SET SESSION sql_mode = CONCAT(@@sql_mode, ',STRICT_ALL_TABLES'), time_zone = '+00:00'",
        "read_timeout": _WAIT_S,
        "write_timeout": _WAIT_S,
        **({"ssl": context} if context else {}),
        **({"password": address.password.encode()} if address.password else {}),
    }


def _survive_loss_of_power(connection: Any, _record: object) -> None:  # noqa: ANN401 - the driver's own
    """Let what was committed survive a loss of power, whatever the file's journal is."""
    cursor = connection.cursor()
    cursor.execute("PRAGMA synchronous = FULL")
    cursor.close()


def _refused(place: str, why: str, *, hint: str = _SUCH_AS) -> LeadlightError:
    return wrong_input(f"The database's URL in {place} cannot be used: {why}.", hint=f"{hint}.")


def _no_driver(family: str) -> LeadlightError:
    return wrong_input(f"The driver for {family} is not installed.", hint=f"pip install 'leadlight[{family}]'")
