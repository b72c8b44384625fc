"""MySQL and MariaDB, by PyMySQL.

Most of their tables compare texts without case, and without blanks at the end: "ann" would then be written over "Ann".
So a record is touched only where its key is the very same, byte by byte; a row whose key the table takes for another
record's is turned away.
"""

from __future__ import annotations

import re
import ssl
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from sqlalchemy import BINARY, BigInteger, Boolean, ColumnElement, Connection, Double, cast, func, text, update
from sqlalchemy import bindparam as bound
from sqlalchemy.dialects.mysql import DATETIME, LONGTEXT, VARCHAR, Insert, insert
from sqlalchemy.types import TypeEngine

from pipeline.crm.connectors.sql_family import (
    NO_SUCH_RECORD,
    SAME_BUT_FOR_CASE,
    SAME_IN_ANOTHER_COLUMN,
    Converter,
    Refused,
    Write,
    converters,
    keys_there,
)
from pipeline.crm.connectors.sql_shape import ColumnShape, Holds, Shape, key_value
from pipeline.crm.connectors.sql_trouble import Said, Verdict, unquoted
from pipeline.crm.connectors.value_texts import moment_of
from pipeline.crm.promise import CrmField, FieldType, Row, Value

_KEY: Final = "the key"
_LONGEST_VARCHAR: Final = 1_000
"""Beyond, a row's columns together might exceed what a row may hold."""
_QUOTED: Final = re.compile(r"(?<=: )'.*'(?= for )|(?<=entry )'.*'(?= for )|(?<=value )'.*'", re.DOTALL)
_BY_CODE: Final[Mapping[int, Verdict]] = {
    **dict.fromkeys((1045, 1698, 1251, 2059, 2061), Verdict.CREDENTIALS),
    **dict.fromkeys((1044, 1142, 1143, 1227, 1129, 1130, 1290, 1792, 1836), Verdict.PERMISSION),
    **dict.fromkeys((1205, 1213, 1040, 1203, 1226, 1020), Verdict.BUSY),
    **dict.fromkeys((1021, 1114), Verdict.FULL),
    **dict.fromkeys((1054, 1146), Verdict.MISSING),
    **dict.fromkeys((1153, 1301), Verdict.TOO_LARGE),
    **dict.fromkeys(
        (1048, 1062, 1216, 1217, 1264, 1265, 1292, 1364, 1366, 1406, 1411, 1441, 1451, 1452, 1644, 1690, 3140, 3819,
         3988, 4025), Verdict.ROW,
    ),
    **dict.fromkeys((0, 1053, 1080, 1152, 1158, 1159, 1160, 1161, 1184, 1927, 2002, 2003, 2006, 2013, 2055, 4031),
                    Verdict.AWAY),
}  # fmt: skip


class MySQL:
    """How MySQL and MariaDB are spoken to."""

    moments = frozenset({Holds.MOMENT})

    def look(self, connection: Connection, shape: Shape) -> Shape:
        """Return *shape* with the collations that columns take from their table."""
        asked = text(
            "SELECT column_name, collation_name FROM information_schema.columns"
            " WHERE table_schema = COALESCE(:of, DATABASE()) AND table_name = :name"
        )
        found = {name: said or "" for name, said in connection.execute(asked, {"of": shape.schema, "name": shape.name})}
        columns = {name: replace(one, collation=found.get(name, "")) for name, one in shape.columns.items()}
        return replace(shape, columns=columns)

    def upsert(self, connection: Connection, write: Write, rows: Sequence[Row]) -> Refused:
        """Write *rows*, creating records that are not there.

        An insert that meets another record in any unique index leaves that record as it is. Which index it meets first
        is the table's own affair: where there are several, records that are there are updated by their keys.
        """
        new, words = rows, SAME_BUT_FOR_CASE
        if write.shape.has_index_beside(write.key):
            there = keys_there(connection, write, _keys(write, rows))
            self.update(connection, write, [row for row in rows if row.key in there])
            new, words = [row for row in rows if row.key not in there], SAME_IN_ANOTHER_COLUMN
        if not new:
            return {}
        connection.execute(_insert(write), _values(write, new))
        there = keys_there(connection, write, _keys(write, new))
        return {row.key: words for row in new if row.key not in there}

    def update(self, connection: Connection, write: Write, rows: Sequence[Row]) -> Refused:
        """Write those of *rows* whose records are there."""
        there = keys_there(connection, write, _keys(write, rows), lock=True)
        known = [row for row in rows if row.key in there]
        if known and write.names:
            table = write.plain
            same = table.c[write.key] == bound(_KEY)
            if not _tells_apart(write.key_column):
                same &= _bytes(table.c[write.key]) == _bytes(bound(_KEY))
            statement = update(table).where(same).values({name: bound(name) for name in write.names})
            values = [{_KEY: one.pop(write.key), **one} for one in _values(write, known)]
            connection.execute(statement, values)
        return {row.key: NO_SUCH_RECORD for row in rows if row.key not in there}

    def listen(self, error: BaseException) -> Said:
        """Return what the driver's *error* says."""
        number = error.args[0] if error.args else 0
        words = str(error.args[1]) if len(error.args) > 1 else str(error)
        if isinstance(getattr(error, "original_exception", None), ssl.SSLError):
            return Said(str(number), "Its certificate is not trusted, or it speaks no TLS.", Verdict.SETUP)
        if not isinstance(number, int):  # the driver's own: a value that MySQL has no word for
            return Said("", type(error).__name__, Verdict.ROW)
        return Said(str(number), unquoted(words, _QUOTED), _BY_CODE.get(number, Verdict.SETUP))

    def type_of(self, field: CrmField) -> TypeEngine[Any]:
        """Return the type of a new column for *field*."""
        types: dict[FieldType, TypeEngine[Any]] = {
            FieldType.INTEGER: BigInteger(), FieldType.NUMBER: Double(), FieldType.BOOLEAN: Boolean(),
            FieldType.MOMENT: DATETIME(fsp=6),
        }  # fmt: skip
        longest = max([field.length, *map(len, field.choices)])
        is_short = 0 < longest <= _LONGEST_VARCHAR
        of_text = VARCHAR(longest, charset="utf8mb4") if is_short else LONGTEXT(charset="utf8mb4")
        return types.get(field.type) or of_text

    def key_type(self, connection: Connection) -> TypeEngine[Any]:
        """Return text that is compared byte by byte; ``utf8mb4_bin`` alone would forget blanks at the end."""
        is_mariadb = bool(getattr(connection.dialect, "is_mariadb", False))
        return VARCHAR(255, charset="utf8mb4", collation="utf8mb4_nopad_bin" if is_mariadb else "utf8mb4_0900_bin")

    def in_order(self, key: ColumnElement[Any], column: ColumnShape) -> ColumnElement[Any]:
        """Return the key, texts by their bytes."""
        return _bytes(key) if column.holds in {Holds.TEXT, Holds.PADDED} else key

    def moment(self, column: ColumnElement[Any]) -> ColumnElement[Any]:
        """Return *column* as it is."""
        return column

    def now(self) -> ColumnElement[Any]:
        """Return the database's own clock."""
        return func.utc_timestamp(6)

    def as_moment(self, moment: datetime, column: ColumnShape) -> datetime:  # noqa: ARG002 - the protocol's
        """Return *moment* without a zone: the session is in UTC."""
        return moment.replace(tzinfo=None)


def _insert(write: Write) -> Insert:
    table = write.plain
    new = insert(table)
    if not write.names:
        return new.on_duplicate_key_update({write.key: table.c[write.key]})
    same = table.c[write.key] == new.inserted[write.key]
    if not _tells_apart(write.key_column):
        same = _bytes(table.c[write.key]) == _bytes(new.inserted[write.key])
    return new.on_duplicate_key_update(
        {name: getattr(func, "if")(same, new.inserted[name], table.c[name]) for name in write.names}
    )


def _keys(write: Write, rows: Sequence[Row]) -> list[Any]:
    return [key_value(write.key_column, row.key) for row in rows]


def _tells_apart(column: ColumnShape) -> bool:
    """Return whether the table compares keys byte by byte by itself."""
    is_text = column.holds in {Holds.TEXT, Holds.PADDED}
    return not is_text or column.collation.endswith(("_nopad_bin", "_0900_bin"))


def _bytes(value: ColumnElement[Any]) -> ColumnElement[Any]:
    return cast(value, BINARY)


def _values(write: Write, rows: Sequence[Row]) -> list[dict[str, Any]]:
    special: dict[Holds, Converter] = {Holds.MOMENT: _moment}
    through = converters(write, special)
    column = write.key_column
    return [
        {
            write.key: key_value(column, row.key),
            **{name: row.fields[name] if go is None else go(row.fields[name]) for name, go in through},
        }
        for row in rows
    ]


def _moment(value: Value) -> datetime | Value:
    """Return a moment as MySQL has it: UTC, without a zone; what is none is left for MySQL to refuse."""
    moment = moment_of(value)
    return value if moment is None else moment.replace(tzinfo=None)
