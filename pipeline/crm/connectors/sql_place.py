"""Which table it is: the connector's options, the database's address, and what tells one table from all others."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from pydantic import Field, field_validator
from sqlalchemy import URL

from features.errors import LeadlightError, wrong_input
from pipeline.crm.kinds import Surroundings
from pipeline.database_links import MYSQL, POSTGRESQL, SQLITE, address_of, family_of
from pipeline.database_links import without_password as _without_password
from pipeline.loopback import is_loopback
from pipeline.settings_tables import Section

_PORTS: Final = {POSTGRESQL: 5432, MYSQL: 3306}


class SqlOptions(Section):
    """How the connector `sql` finds its table."""

    url: str = Field(
        "",
        description="The database's URL without a password, such as sqlite:///crm.db or postgresql://user@host/shop.",
    )
    url_env: str = Field(
        "LEADLIGHT_SQL_URL", description="The environment variable with the whole URL, password included; comes first."
    )
    table: str = Field(min_length=1, description="The table; one row per record.")
    schema_name: str = Field("", alias="schema", description="The table's schema; by default the user's own.")
    changed_at: str = Field(
        "", description="The column that says when a record changed; empty = all are read each time."
    )
    late_minutes: int = Field(
        10, ge=0, description="How long after the moment in changed_at a change may be committed and still be seen."
    )
    batch_rows: int = Field(5_000, ge=1, le=50_000, description="Rows of one transaction.")
    at_once: int = Field(1, ge=1, le=8, description="Transactions at the same time; a SQLite file has one.")
    tls: bool = Field(
        True, description="False: a connection to another machine need not be encrypted, nor its server known."
    )
    tls_ca: Path | None = Field(None, description="Certificates to trust instead of the system's.")

    @field_validator("url")
    @classmethod
    def _has_no_password(cls, url: str) -> str:
        return _without_password(url) if url else url


def found_address(options: SqlOptions, surroundings: Surroundings) -> URL:
    """Return the database's address: the environment's, or else that of the options.

    Raises:
        LeadlightError: There is none, or it is none that can be opened.
    """
    given = surroundings.environment.get(options.url_env, "").strip() if options.url_env else ""
    if not (given or options.url):
        raise _no_url(options, surroundings)
    found_in = options.url_env if given else f"the target '{surroundings.target}'"
    return address_of(given or options.url, place=found_in, folder=surroundings.folder)


def places(options: SqlOptions, surroundings: Surroundings) -> frozenset[str]:
    """Return the table, whoever logs in and however its address is spelled."""
    return frozenset({table_place(found_address(options, surroundings), options.table, schema=options.schema_name)})


def files(options: SqlOptions, surroundings: Surroundings) -> frozenset[Path]:
    """Return the file of a SQLite database."""
    address = found_address(options, surroundings)
    return frozenset({_file(address)} if family_of(address) == SQLITE else ())


def table_place(address: URL, table: str, *, schema: str = "") -> str:
    """Return what tells a table of the database at *address* from all others."""
    family = family_of(address)
    if family == SQLITE:  # the case of a table's name makes no difference
        return f"{SQLITE} {_file(address)} " + f"{schema or 'main'}.{table}".lower()
    # MySQL calls a schema what others call a database.
    inside = schema or address.database if family == MYSQL else f"{address.database} {schema or 'public'}"
    return f"{family} {_server(address, family)}/{inside}.{table}"


def _file(address: URL) -> Path:
    return Path(os.path.realpath(str(address.database)))  # links that lead in a circle are SQLite's to refuse


def _server(address: URL, family: str) -> str:
    """Return the machine and the port, or the socket."""
    host = (address.host or "").lower()
    socket = address.query.get("unix_sock") or address.query.get("unix_socket")
    if socket:
        return str(socket)
    return f"{'localhost' if is_loopback(host) else host}:{address.port or _PORTS[family]}"


def _no_url(options: SqlOptions, surroundings: Surroundings) -> LeadlightError:
    hint = f"set {options.url_env or 'url_env'} where the command runs, or give `url` without a password."
    return wrong_input(f"The target '{surroundings.target}' names no database.", hint=hint)
