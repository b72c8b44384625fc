"""PostgreSQL, by pg8000.

A batch travels as one JSON parameter, which the server takes apart itself (``json_to_recordset``). Measured in
batches of 5,000 rows of eleven columns: 75,000 rows/s, against 34,000 by arrays (``unnest``) and 6,000 by an INSERT of
many rows.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    ColumnElement,
    Connection,
    Double,
    Integer,
    String,
    Text,
    bindparam,
    cast,
    collate,
    func,
    select,
    true,
    update,
)
from sqlalchemy import column as untyped
from sqlalchemy.dialects.postgresql import CITEXT, TIMESTAMP, insert
from sqlalchemy.sql.selectable import TableValuedAlias
from sqlalchemy.types import TypeEngine

from pipeline.crm.connectors.sql_family import NO_SUCH_RECORD, SAME_BUT_FOR_CASE, Refused, Write
from pipeline.crm.connectors.sql_shape import ColumnShape, Holds, Shape
from pipeline.crm.connectors.sql_trouble import Said, Verdict, unquoted
from pipeline.crm.promise import CrmField, FieldType, Row

_PLACE: Final = "place in the batch"
_QUOTED: Final = re.compile(r'(?<=: )".*|(?<=value )".*"', re.DOTALL)
_BY_CODE: Final = {
    "28": Verdict.CREDENTIALS, "42501": Verdict.PERMISSION, "25006": Verdict.PERMISSION, "3D": Verdict.SETUP,
    "42P01": Verdict.MISSING, "42703": Verdict.MISSING,
    "21": Verdict.ROW, "22": Verdict.ROW, "23": Verdict.ROW, "44": Verdict.ROW, "P0": Verdict.ROW, "54000": Verdict.ROW,
    "40": Verdict.BUSY, "55P03": Verdict.BUSY, "57014": Verdict.BUSY, "53300": Verdict.BUSY,
    "08": Verdict.AWAY, "57P": Verdict.AWAY, "53100": Verdict.FULL, "53": Verdict.AWAY, "58": Verdict.AWAY,
    "XX": Verdict.AWAY,
}  # fmt: skip
"""SQLSTATE by its beginning; the longest that fits counts; any other: the table is not as it should be."""


class PostgreSQL:
    """How PostgreSQL is spoken to."""

    moments = frozenset({Holds.MOMENT})

    def look(self, connection: Connection, shape: Shape) -> Shape:  # noqa: ARG002 - the protocol's
        """Return *shape*: reflection tells all."""
        return shape

    def upsert(self, connection: Connection, write: Write, rows: Sequence[Row]) -> Refused:
        """Write *rows*, creating records that are not there."""
        given = _given(write)
        new = insert(write.shape.table(write.all_names)).from_select(
            list(write.all_names), select(*(given.c[name] for name in write.all_names))
        )
        new_values = {name: new.excluded[name] for name in write.names}
        values = {"rows": _as_json(write, rows)}
        if not new_values:
            connection.execute(new.on_conflict_do_nothing(index_elements=[write.key]), values)
            return {}
        if not isinstance(write.key_column.type, CITEXT):
            connection.execute(new.on_conflict_do_update(index_elements=[write.key], set_=new_values), values)
            return {}
        key = new.table.c[write.key]
        guarded = new.on_conflict_do_update(
            index_elements=[write.key], set_=new_values, where=_exactly(key) == _exactly(new.excluded[write.key])
        )
        written = {str(one) for (one,) in connection.execute(guarded.returning(key), values)}
        return {row.key: SAME_BUT_FOR_CASE for row in rows if row.key not in written}

    def update(self, connection: Connection, write: Write, rows: Sequence[Row]) -> Refused:
        """Write those of *rows* whose records are there."""
        given, table = _given(write), write.shape.table(write.all_names)
        statement = (
            update(table)
            .values({name: given.c[name] for name in (write.names or (write.key,))})
            .where(table.c[write.key] == given.c[write.key])
            .where(_same_case(write, table.c[write.key], given.c[write.key]))
            .returning(given.c[_PLACE])
        )
        written = {place for (place,) in connection.execute(statement, {"rows": _as_json(write, rows)})}
        return {row.key: NO_SUCH_RECORD for place, row in enumerate(rows) if place not in written}

    def listen(self, error: BaseException) -> Said:
        """Return what the driver's *error* says."""
        told = error.args[0] if error.args else ""
        if not isinstance(told, dict):
            return Said("", str(told), Verdict.AWAY)
        code, words = str(told.get("C", "")), str(told.get("M", ""))
        known = max((start for start in _BY_CODE if code.startswith(start)), key=len, default="")
        # Its detail and its context hold whole rows; they are left out.
        return Said(code, unquoted(words, _QUOTED) if code[:2] == "22" else words, _BY_CODE.get(known, Verdict.SETUP))

    def type_of(self, field: CrmField) -> TypeEngine[Any]:
        """Return the type of a new column for *field*."""
        types: dict[FieldType, TypeEngine[Any]] = {
            FieldType.INTEGER: BigInteger(), FieldType.NUMBER: Double(), FieldType.BOOLEAN: Boolean(),
            FieldType.MOMENT: TIMESTAMP(timezone=True),
        }  # fmt: skip
        longest = max([field.length, *map(len, field.choices)])
        return types.get(field.type) or (String(longest) if longest else Text())

    def key_type(self, connection: Connection) -> TypeEngine[Any]:  # noqa: ARG002 - the protocol's
        """Return text, which is compared as it is."""
        return Text()

    def in_order(self, key: ColumnElement[Any], column: ColumnShape) -> ColumnElement[Any]:
        """Return the key, texts by their bytes."""
        return collate(key, "C") if column.holds in {Holds.TEXT, Holds.PADDED} else key

    def moment(self, column: ColumnElement[Any]) -> ColumnElement[Any]:
        """Return *column* as it is."""
        return column

    def now(self) -> ColumnElement[Any]:
        """Return the database's own clock."""
        return func.now()

    def as_moment(self, moment: datetime, column: ColumnShape) -> datetime:
        """Return *moment*, without a zone where the column has none."""
        return moment if getattr(column.type, "timezone", False) else moment.replace(tzinfo=None)


def _exactly(key: ColumnElement[Any]) -> ColumnElement[Any]:
    return collate(cast(key, Text), "C")


def _same_case(write: Write, key: ColumnElement[Any], other: ColumnElement[Any]) -> ColumnElement[Any]:
    return _exactly(key) == _exactly(other) if isinstance(write.key_column.type, CITEXT) else true()


def _given(write: Write) -> TableValuedAlias:
    """Return the rows of the one parameter as a table, its columns typed as those that they go to."""
    columns = [untyped(name, write.shape.columns[name].type) for name in write.all_names]
    read = func.json_to_recordset(cast(bindparam("rows", type_=Text()), JSON))
    return read.table_valued(untyped(_PLACE, Integer), *columns).render_derived(name="given", with_types=True)


def _as_json(write: Write, rows: Sequence[Row]) -> str:
    return json.dumps(
        [{**row.fields, write.key: row.key, _PLACE: place} for place, row in enumerate(rows)], separators=(",", ":")
    )
