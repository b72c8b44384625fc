"""Scores in a table of a database: PostgreSQL, MySQL or MariaDB, SQLite.

A batch is one transaction: all of it is there, or nothing. A row that the database refuses makes it refuse the batch,
so the sender halves it until the row is found.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Final, TypeVar

from sqlalchemy import Connection

from pipeline.crm.connectors.sql_changes import Reading, cursor_of
from pipeline.crm.connectors.sql_check import created, faults, try_rights
from pipeline.crm.connectors.sql_family import Family, Write
from pipeline.crm.connectors.sql_mysql import MySQL
from pipeline.crm.connectors.sql_place import SqlOptions, files, found_address, places
from pipeline.crm.connectors.sql_postgresql import PostgreSQL
from pipeline.crm.connectors.sql_shape import Shape, key_value, shape_of
from pipeline.crm.connectors.sql_sqlite import SQLite
from pipeline.crm.connectors.sql_trouble import translated
from pipeline.crm.kinds import ConnectorKind, Surroundings
from pipeline.crm.patience import Breaker, patiently
from pipeline.crm.promise import Answer, Changes, Connector, CrmField, Missing, Outcome, Record, Row, Ticket
from pipeline.crm.trouble import StopError, StopReason
from pipeline.database_links import MYSQL, POSTGRESQL, SQLITE, engine_at, family_of

T = TypeVar("T")
_FAMILIES: Final[dict[str, Callable[[], Family]]] = {POSTGRESQL: PostgreSQL, MYSQL: MySQL, SQLITE: SQLite}
_NO_KEY: Final = "The key's column cannot hold this key."
_SETUP_HINT: Final = "run `leadlight publish --setup`, or correct the target's fields."
_READ_HINT: Final = "what is read is never created: add it to the table, or correct `read` of the target."


class SqlConnector:
    """One table.

    Args:
        options: Where it is.
        surroundings: The target's.

    Raises:
        LeadlightError: There is no URL, or it is none that can be opened.
    """

    def __init__(self, options: SqlOptions, surroundings: Surroundings) -> None:
        self._options, self._key = options, surroundings.key
        self._may_create, self._patience = surroundings.may_create, surroundings.patience
        self._address = found_address(options, surroundings)
        ca = None if options.tls_ca is None else surroundings.folder / options.tls_ca
        self._engine = engine_at(self._address, at_once=self.at_once, tls=options.tls, tls_ca=ca)
        self._family = _FAMILIES[family_of(self._address)]()
        self._breaker = Breaker(self._patience)
        self._seen: Shape | None = None
        self._seeing = threading.Lock()

    @property
    def at_once(self) -> int:
        """How many transactions there may be at the same time."""
        return 1 if family_of(self._address) == SQLITE else self._options.at_once

    def batch_size(self, n_rows: int) -> int:  # noqa: ARG002 - the protocol's
        """Return how many rows a transaction has."""
        return self._options.batch_rows

    def check(self, fields: Sequence[CrmField]) -> list[str]:
        """Return what in the table does not fit *fields*, a line each."""
        if self._is_missing_file():
            return [Missing(f"There is no database file '{self._address.database}'.")]
        self._forget()

        def looked(connection: Connection) -> list[str]:
            shape = self._shape(connection)
            if shape is None:
                return [Missing(f"There is no table '{self._options.table}'.")]
            found = list(
                faults(
                    shape,
                    self._key,
                    fields,
                    changed_at=self._options.changed_at,
                    moments=self._family.moments,
                    may_create=self._may_create,
                )
            )
            if not found:
                write = Write(shape, self._key, tuple(field.name for field in fields))
                try_rights(connection, write, may_create=self._may_create)
                connection.rollback()
            return found

        return self._patiently(looked)

    def setup(self, fields: Sequence[CrmField]) -> list[str]:
        """Create the table, or the columns that it lacks, and return what was created, a line each."""
        self._forget()
        made = self._patiently(
            lambda connection: created(
                connection,
                self._family,
                self._shape(connection),
                name=self._options.table,
                schema=self._options.schema_name or None,
                key=self._key,
                fields=fields,
                changed_at=self._options.changed_at,
            ),
            may_make_file=True,
        )
        self._forget()
        return made

    def send(self, rows: Sequence[Row], ticket: Ticket) -> list[Answer]:  # noqa: ARG002 - a table has no jobs
        """Write *rows* in one transaction and return one answer for each."""
        if not rows:
            return []

        def written(connection: Connection) -> list[Answer]:
            write = self._write(connection, tuple(name for name in rows[0].fields if name != self._key))
            column = write.key_column
            fitting = [row for row in rows if key_value(column, row.key) is not None]
            # In one order everywhere, two transactions that want the same records wait for each other and never cross.
            fitting.sort(key=lambda row: row.key)
            go = self._family.upsert if self._may_create else self._family.update
            refused = dict(go(connection, write, fitting)) if fitting else {}
            refused |= {row.key: _NO_KEY for row in rows if key_value(column, row.key) is None}
            return [_answer(row.key, refused) for row in rows]

        return self._patiently(written, repeats=rows)

    def abandon(self, ticket: str) -> None:
        """Do nothing: a transaction ends with whoever began it."""

    def finish(self) -> None:
        """Do nothing: what was committed counts."""

    def read(self, keys: Sequence[str], names: Sequence[str]) -> dict[str, Record]:
        """Return what the records of *keys* hold in the columns *names*, by key."""
        if not keys:
            return {}

        def looked(connection: Connection) -> dict[str, Record]:
            reading = self._reading(connection, names)
            values = [key_value(reading.write.key_column, key) for key in keys]
            return reading.of_keys(connection, [value for value in values if value is not None])

        return self._patiently(looked)

    def changes(self, cursor: str, names: Sequence[str]) -> Changes:
        """Return a page of the records that changed since *cursor*; all of them where no column says when."""
        begun = cursor_of(cursor, late=timedelta(minutes=self._options.late_minutes))
        return self._patiently(
            lambda connection: self._reading(connection, names, hint=_READ_HINT).page(connection, begun)
        )

    def close(self) -> None:
        """Close the connections."""
        self._engine.dispose()

    def __repr__(self) -> str:
        """Name the table, and no secret."""
        return f"SqlConnector({self._options.table!r} at {self._address.render_as_string()})"

    def _patiently(
        self, go: Callable[[Connection], T], *, repeats: Sequence[Row] = (), may_make_file: bool = False
    ) -> T:
        def once() -> T:
            if self._is_missing_file() and not may_make_file:
                raise StopError(
                    f"There is no database file '{self._address.database}'.",
                    reason=StopReason.SETUP,
                    hint=_SETUP_HINT,
                )
            with self._translated(repeats), self._engine.begin() as connection:
                return go(connection)

        return patiently(once, self._patience, self._breaker)

    @contextmanager
    def _translated(self, rows: Sequence[Row]) -> Iterator[None]:
        secrets = [self._address.password or ""]
        with translated(self._family.listen, secrets, rows, self._names()):
            yield

    def _names(self) -> frozenset[str]:
        seen = self._seen
        return frozenset({self._options.table, *(seen.columns if seen else ())})

    def _write(self, connection: Connection, names: tuple[str, ...], *, hint: str = _SETUP_HINT) -> Write:
        """Return the table with the columns *names*.

        Raises:
            StopError: There is no such table, or it lacks one of them.
        """
        shape = self._shape(connection)
        if shape is None:
            words = f"There is no table '{self._options.table}'."
            raise StopError(words, reason=StopReason.SETUP, hint=_SETUP_HINT)
        if lacking := shape.lacks((self._key, *names)):
            words = f"The table '{self._options.table}' lacks {', '.join(map(repr, lacking))}."
            raise StopError(words, reason=StopReason.SETUP, hint=hint)
        return Write(shape, self._key, names)

    def _reading(self, connection: Connection, names: Sequence[str], *, hint: str = _SETUP_HINT) -> Reading:
        write = self._write(connection, tuple(dict.fromkeys(names)), hint=hint)
        wanted = self._options.changed_at
        if not wanted:
            return Reading(self._family, write, None)
        changed_at = write.shape.columns.get(wanted)
        if changed_at is None or changed_at.holds not in self._family.moments:
            words = f"The column '{wanted}' does not say when a record changed."
            raise StopError(words, reason=StopReason.SETUP, hint="correct `changed_at` of the target.")
        return Reading(self._family, write, changed_at)

    def _shape(self, connection: Connection) -> Shape | None:
        with self._seeing:
            if self._seen is None:
                found = shape_of(connection, self._options.table, self._options.schema_name or None)
                self._seen = None if found is None else self._family.look(connection, found)
            return self._seen

    def _forget(self) -> None:
        with self._seeing:
            self._seen = None

    def _is_missing_file(self) -> bool:
        """Return whether a SQLite file is not there: to look at it must not make it."""
        if family_of(self._address) != SQLITE:
            return False
        file = Path(str(self._address.database))
        try:
            return not file.exists()
        except OSError as error:  # a name that is too long, a folder that may not be looked into
            words = f"The database file cannot be opened: {error.strerror}."
            raise StopError(words, reason=StopReason.SETUP, hint="correct the path in the database's URL.") from error


def _answer(key: str, refused: dict[str, str]) -> Answer:
    words = refused.get(key)
    return Answer(key, Outcome.WRITTEN) if words is None else Answer(key, Outcome.REJECTED, words)


def _connect(options: SqlOptions, surroundings: Surroundings) -> Connector:
    return SqlConnector(options, surroundings)


KIND: Final = ConnectorKind(SqlOptions, _connect, places, files)
