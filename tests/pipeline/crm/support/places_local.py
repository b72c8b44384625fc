"""Tables and files as places: databases of this session's own, and a file beside the shop."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, ClassVar, Final

import pyarrow.parquet as pq
from sqlalchemy import Engine, create_engine, make_url, text
from sqlalchemy.pool import NullPool

from pipeline.crm.connectors.file_cells import meant
from pipeline.crm.ledger.opening import LEDGER
from support.databases import DatabaseServer
from support.little_shop import FIELDS
from support.places import Place, once_each

SERVERS: dict[str, DatabaseServer] = {}
"""The servers that run, by the name of the fixture that starts each."""
_WRITES: Final = ("INSERT", "UPDATE")


class TablePlace(Place):
    """A table of a database; what is written to it, a trigger keeps."""

    kind = "sql"
    slowed_by = "support.slowness:of_tables"
    key_type: ClassVar[str] = "VARCHAR(400)"

    def begin(self) -> None:
        """Make the table, with a row for each lead that it knows."""
        self.url = self.made()
        self.engine: Engine = create_engine(self.url, poolclass=NullPool)
        self.open.callback(self.engine.dispose)
        self.run(f"CREATE TABLE leads ({self.key} {self.key_type} PRIMARY KEY)")
        if self.known:
            with self.engine.begin() as connection:
                connection.execute(text("INSERT INTO leads VALUES (:lead)"), [{"lead": lead} for lead in self.known])

    def made(self) -> str:
        """Return the URL of an empty database."""
        raise NotImplementedError

    def connect(self) -> dict[str, Any]:
        """Return which table it is."""
        return {"table": "leads", "batch_rows": 100}

    @property
    def environment(self) -> dict[str, str]:
        """The URL, password included."""
        return {"LEADLIGHT_SQL_URL": self.url}

    def secrets(self) -> list[str]:
        """Return the password."""
        password = make_url(self.url).password
        return [password] if password else []

    def with_other_secrets(self) -> dict[str, str]:
        """Return the URL with a password that is refused."""
        url = make_url(self.url)
        other = url.set(password=f"{url.password}-of-somebody-else") if url.password else url
        return {"LEADLIGHT_SQL_URL": other.render_as_string(hide_password=False)}

    def unreachable(self) -> dict[str, Any]:
        """Return another environment variable, which leads nowhere."""
        return {**self.connect(), "url_env": "LEADLIGHT_NOWHERE_URL"}

    @property
    def nowhere(self) -> dict[str, str]:
        """The URL of a server that is not there."""
        url = make_url(self.url)
        gone = url.set(port=9) if url.port else url.set(database=f"{url.database}-gone")
        return {"LEADLIGHT_NOWHERE_URL": gone.render_as_string(hide_password=False)}

    def held(self) -> Mapping[str, Mapping[str, Any]]:
        """Return the rows."""
        with self.engine.connect() as connection:
            rows = [dict(row._mapping) for row in connection.execute(text("SELECT * FROM leads"))]
        return once_each((row.pop(self.key), row) for row in rows)

    def forget(self, leads: Iterable[str]) -> None:
        """Delete rows."""
        with self.engine.begin() as connection:
            gone = [{"lead": lead} for lead in leads]
            connection.execute(text(f"DELETE FROM leads WHERE {self.key} = :lead"), gone)

    def slow_down(self) -> None:
        """Keep every write from now on; the process that writes is what takes its time."""
        self.run("CREATE TABLE writes (lead VARCHAR(400), said TEXT)", *self.keeping())

    def speed_up(self) -> None:
        """Read what was kept."""
        with self.engine.connect() as connection:
            self.written = [(row.lead, row.said) for row in connection.execute(text("SELECT * FROM writes"))]

    def keeping(self) -> list[str]:
        """Return the statements that let writes be kept."""
        raise NotImplementedError

    def run(self, *statements: str) -> None:
        """Run statements."""
        with self.engine.begin() as connection:
            for statement in statements:
                connection.exec_driver_sql(statement)

    def _object(self, function: str) -> str:
        return f"{function}({', '.join(f'{name!r}, NEW.{name}' for name in FIELDS)})"


class SQLitePlace(TablePlace):
    """A table of SQLite."""

    name = "sqlite"
    has_secrets = False
    key_type = "TEXT"

    def made(self) -> str:
        """Return the URL of a file."""
        return f"sqlite:///{self.folder.resolve() / 'crm.db'}"

    def keeping(self) -> list[str]:
        """Return a trigger for each kind of write."""
        values = f"(NEW.{self.key}, {self._object('json_object')})"
        keeps = f"ON leads BEGIN INSERT INTO writes VALUES {values}; END"
        return [f"CREATE TRIGGER kept_{write} AFTER {write} {keeps}" for write in _WRITES]


class PostgreSQLPlace(TablePlace):
    """A table of PostgreSQL."""

    name = "postgresql"
    server = "postgresql"
    key_type = "TEXT"

    def made(self) -> str:
        """Return the URL of a database of its own."""
        return SERVERS[self.server].database()

    def keeping(self) -> list[str]:
        """Return a trigger and its function."""
        values = f"(NEW.{self.key}, {self._object('json_build_object')}::text)"
        body = f"BEGIN INSERT INTO writes VALUES {values}; RETURN NULL; END"
        return [
            f"CREATE FUNCTION keep() RETURNS trigger LANGUAGE plpgsql AS $$ {body} $$",
            "CREATE TRIGGER kept AFTER INSERT OR UPDATE ON leads FOR EACH ROW EXECUTE FUNCTION keep()",
        ]


class MySQLPlace(PostgreSQLPlace):
    """A table of MariaDB."""

    name = "mysql"
    server = "mariadb"
    key_type = "VARCHAR(400) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin"

    def keeping(self) -> list[str]:
        """Return a trigger for each kind of write."""
        values = f"(NEW.{self.key}, {self._object('JSON_OBJECT')})"
        keeps = f"ON leads FOR EACH ROW INSERT INTO writes VALUES {values}"
        return [f"CREATE TRIGGER kept_{write} AFTER {write} {keeps}" for write in _WRITES]


class CreatingTablePlace(TablePlace):
    """A table without rows."""

    creates = is_twin = True

    def forget(self, leads: Iterable[str]) -> None:
        """Give the table a rule that these leads break."""
        refused = ", ".join(f"'{lead}'" for lead in leads)
        self.run(f"ALTER TABLE leads ADD CHECK ({self.key} NOT IN ({refused}))")


class PostgreSQLCreatingPlace(CreatingTablePlace, PostgreSQLPlace):
    """A table of PostgreSQL without rows; the ledger lies on the server too, in a database of its own."""

    name = "postgresql-creating"

    def begin(self) -> None:
        """Make the table, and room for the ledger."""
        super().begin()
        self.ledger = SERVERS[self.server].database()

    @property
    def environment(self) -> dict[str, str]:
        """The URLs of both, passwords included."""
        return {**super().environment, LEDGER: self.ledger}


class MySQLCreatingPlace(CreatingTablePlace, MySQLPlace):
    """A table of MariaDB without rows."""

    name = "mysql-creating"


class FilePlace(Place):
    """A file beside the shop."""

    kind = "file"
    creates = True
    makes_properties = False
    turns_leads_away = False
    has_secrets = False
    keeps_writes = False
    slowed_by = "support.slowness:of_files"
    ending: ClassVar[str]

    def begin(self) -> None:
        """Know where it will be."""
        self.file = self.folder.resolve() / f"scores.{self.ending}"

    def connect(self) -> dict[str, Any]:
        """Return where it is."""
        return {"path": str(self.file)}

    def unreachable(self) -> dict[str, Any]:
        """Return a file in a folder that is not there."""
        return {"path": str(self.folder / "nowhere" / self.file.name)}

    def held(self) -> Mapping[str, Mapping[str, Any]]:
        """Return the rows, none twice."""
        rows = self.rows(self.file) if self.file.exists() else []
        return once_each((str(row.pop(self.key)), row) for row in rows)

    def rows(self, file: Path) -> list[dict[str, Any]]:
        """Return the rows of the file as it spells them."""
        raise NotImplementedError

    def slow_down(self) -> None:
        """The process that writes is what takes its time."""

    def speed_up(self) -> None:
        """The process that reads was never slow."""


class CsvPlace(FilePlace):
    """A file of comma-separated values."""

    name = "file-csv"
    ending = "csv"

    def rows(self, file: Path) -> list[dict[str, Any]]:
        """Return the rows, with texts as they were before they were kept from running as formulas."""
        with file.open(encoding="utf-8-sig", newline="") as lines:
            return [{name: meant(cell) for name, cell in row.items()} for row in csv.DictReader(lines)]


class JsonLinesPlace(FilePlace):
    """A file with an object in each line."""

    name = "file-jsonl"
    ending = "jsonl"

    def rows(self, file: Path) -> list[dict[str, Any]]:
        """Return the rows."""
        with file.open(encoding="utf-8", newline="\n") as lines:
            return [json.loads(line) for line in lines]


class ParquetPlace(FilePlace):
    """A file of Parquet."""

    name = "file-parquet"
    ending = "parquet"

    def rows(self, file: Path) -> list[dict[str, Any]]:
        """Return the rows."""
        return list(pq.read_table(file).to_pylist())


TABLES: tuple[type[Place], ...] = (
    SQLitePlace, PostgreSQLPlace, PostgreSQLCreatingPlace, MySQLPlace, MySQLCreatingPlace,
)  # fmt: skip
FILES: tuple[type[Place], ...] = (CsvPlace, JsonLinesPlace, ParquetPlace)
