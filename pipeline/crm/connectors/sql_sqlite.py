"""SQLite, by Python's own driver."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import BigInteger, Boolean, ColumnElement, Connection, Double, String, Text, collate, func, update
from sqlalchemy import bindparam as bound
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.types import TIMESTAMP, TypeEngine

from pipeline.crm.connectors.sql_family import NO_SUCH_RECORD, SAME_BUT_FOR_CASE, Refused, Write, converters, keys_there
from pipeline.crm.connectors.sql_shape import ColumnShape, Holds, Shape, key_value
from pipeline.crm.connectors.sql_trouble import Said, Verdict
from pipeline.crm.promise import CrmField, FieldType, Row

_KEY: Final = "the key"
_SPELLED: Final = "%Y-%m-%dT%H:%M:%f"
_BY_NAME: Final = {
    "SQLITE_BUSY": Verdict.BUSY, "SQLITE_LOCKED": Verdict.BUSY, "SQLITE_SCHEMA": Verdict.BUSY,
    "SQLITE_CONSTRAINT": Verdict.ROW, "SQLITE_MISMATCH": Verdict.ROW, "SQLITE_TOOBIG": Verdict.ROW,
    "SQLITE_FULL": Verdict.FULL, "SQLITE_IOERR": Verdict.AWAY, "SQLITE_NOMEM": Verdict.AWAY,
    "SQLITE_READONLY": Verdict.PERMISSION, "SQLITE_PERM": Verdict.PERMISSION, "SQLITE_AUTH": Verdict.PERMISSION,
    "SQLITE_CANTOPEN": Verdict.PERMISSION, "SQLITE_ERROR": Verdict.MISSING,
}  # fmt: skip
"""SQLite's own names by their beginning; all others mean that the file is not as it should be."""


class SQLite:
    """How SQLite is spoken to."""

    moments = frozenset({Holds.MOMENT, Holds.DAY, Holds.TEXT})

    def look(self, connection: Connection, shape: Shape) -> Shape:  # noqa: ARG002 - the protocol's
        """Return *shape*: reflection tells all."""
        return shape

    def upsert(self, connection: Connection, write: Write, rows: Sequence[Row]) -> Refused:
        """Write *rows*, creating records that are not there."""
        new, key = insert(write.plain), write.plain.c[write.key]
        new_values = {name: new.excluded[name] for name in write.names}
        statement = (
            new.on_conflict_do_update(
                index_elements=[key], set_=new_values, where=_exactly(key) == new.excluded[write.key]
            )
            if new_values
            else new.on_conflict_do_nothing(index_elements=[key])
        )
        connection.execute(statement, _values(write, rows, write.key))
        there = _there(connection, write, rows)  # the key's column may be one that compares without case
        return {row.key: SAME_BUT_FOR_CASE for row in rows if row.key not in there}

    def update(self, connection: Connection, write: Write, rows: Sequence[Row]) -> Refused:
        """Write those of *rows* whose records are there."""
        table = write.plain
        if write.names:
            key = table.c[write.key]
            changed = update(table).where(key == bound(_KEY), _exactly(key) == bound(_KEY))
            connection.execute(changed.values({name: bound(name) for name in write.names}), _values(write, rows, _KEY))
        # From its first UPDATE on this transaction is the only one that writes: what is there now was there then.
        there = _there(connection, write, rows)
        return {row.key: NO_SUCH_RECORD for row in rows if row.key not in there}

    def listen(self, error: BaseException) -> Said:
        """Return what the driver's *error* says."""
        name = str(getattr(error, "sqlite_errorname", ""))
        known = next((start for start in _BY_NAME if name.startswith(start)), "")
        return Said(name, str(error), _BY_NAME.get(known, Verdict.SETUP if name else Verdict.ROW))

    def type_of(self, field: CrmField) -> TypeEngine[Any]:
        """Return the type of a new column for *field*."""
        types: dict[FieldType, TypeEngine[Any]] = {
            FieldType.INTEGER: BigInteger(), FieldType.NUMBER: Double(), FieldType.BOOLEAN: Boolean(),
            FieldType.MOMENT: TIMESTAMP(),
        }  # fmt: skip
        longest = max([field.length, *map(len, field.choices)])
        return types.get(field.type) or (String(longest) if longest else Text())

    def key_type(self, connection: Connection) -> TypeEngine[Any]:  # noqa: ARG002 - the protocol's
        """Return text, which is compared as it is."""
        return Text()

    def in_order(self, key: ColumnElement[Any], column: ColumnShape) -> ColumnElement[Any]:  # noqa: ARG002
        """Return the key."""
        return key

    def moment(self, column: ColumnElement[Any]) -> ColumnElement[Any]:
        """Return one spelling for all that SQLite takes for a moment, which sorts; null for all else."""
        return func.strftime(_SPELLED, column, type_=String())

    def now(self) -> ColumnElement[Any]:
        """Return the database's own clock."""
        return func.strftime(_SPELLED, "now")

    def as_moment(self, moment: datetime, column: ColumnShape) -> str:  # noqa: ARG002 - the protocol's
        """Return *moment* in that spelling."""
        return moment.replace(tzinfo=None).isoformat(timespec="milliseconds")


def _exactly(key: ColumnElement[Any]) -> ColumnElement[Any]:
    return collate(key, "BINARY")


def _there(connection: Connection, write: Write, rows: Sequence[Row]) -> set[str]:
    return keys_there(connection, write, [key_value(write.key_column, row.key) for row in rows])


def _values(write: Write, rows: Sequence[Row], key_name: str) -> list[dict[str, Any]]:
    through, column = converters(write, {}), write.key_column
    return [
        {
            key_name: key_value(column, row.key),
            **{name: row.fields[name] if go is None else go(row.fields[name]) for name, go in through},
        }
        for row in rows
    ]
