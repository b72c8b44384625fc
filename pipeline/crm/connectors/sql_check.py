"""Whether a table fits what is written to it, and how what is missing is created."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

from alembic.migration import MigrationContext
from alembic.operations import Operations
from sqlalchemy import Column, Connection, MetaData, Select, Table, false, insert, select, update

from pipeline.crm.connectors.sql_family import Family, Write
from pipeline.crm.connectors.sql_shape import ColumnShape, Holds, Shape
from pipeline.crm.promise import CrmField, FieldType, Missing
from pipeline.crm.trouble import StopError, StopReason

_MAY_HOLD: Final = {
    FieldType.TEXT: {Holds.TEXT},
    FieldType.CHOICE: {Holds.TEXT, Holds.CHOICE, Holds.PADDED},
    FieldType.INTEGER: {Holds.INTEGER, Holds.NUMBER, Holds.TEXT},
    FieldType.NUMBER: {Holds.NUMBER, Holds.TEXT},
    FieldType.BOOLEAN: {Holds.BOOLEAN, Holds.TEXT},
    FieldType.MOMENT: {Holds.MOMENT, Holds.TEXT},
}
_KEYS: Final = {Holds.TEXT, Holds.INTEGER, Holds.UUID}
_LONGEST_AS_TEXT: Final = {FieldType.INTEGER: 20, FieldType.NUMBER: 25, FieldType.BOOLEAN: 5, FieldType.MOMENT: 32}
"""Characters of what is no text but goes to a column of text."""


def faults(
    shape: Shape,
    key: str,
    fields: Sequence[CrmField],
    *,
    changed_at: str,
    moments: frozenset[Holds],
    may_create: bool,
) -> Iterator[str]:
    """Yield what in *shape* does not fit, a line each.

    Args:
        shape: The table.
        key: The column that tells records apart.
        fields: What is written.
        changed_at: The column that says when a record changed; empty = none is named.
        moments: What that column may hold.
        may_create: Whether records are created.
    """
    yield from _faults_of_key(shape, key)
    for field in fields:
        found = shape.columns.get(field.name)
        if found is None:
            yield Missing(f"'{shape.name}' has no column '{field.name}'.")
        else:
            yield from _faults_of_field(found, field)
    if changed_at:
        yield from _faults_of_changed_at(shape, changed_at, moments)
    if may_create:
        given = {key, *(field.name for field in fields)}
        for name in sorted(set(shape.columns) - given):
            if shape.columns[name].is_needed:
                yield f"'{name}' may not be empty and has no default, so no record can be created without it."


def _faults_of_key(shape: Shape, key: str) -> Iterator[str]:
    found = shape.columns.get(key)
    if found is None:
        yield f"'{shape.name}' has no column '{key}', which is to tell records apart."
        return
    if found.holds not in _KEYS:
        yield f"'{key}' holds {found.holds}; a key is a text, an integer or a UUID."
    if key not in shape.unique:
        yield f"'{key}' does not tell records apart: it is neither the primary key nor has a unique index of its own."


def _faults_of_field(column: ColumnShape, field: CrmField) -> Iterator[str]:
    if column.is_computed:
        yield f"'{column.name}' is filled by the database itself."
    if column.holds not in _MAY_HOLD[field.type]:
        yield f"'{column.name}' holds {column.holds}, and {field.type} is written."
        return
    if field.type == FieldType.NUMBER and column.whole:
        yield f"'{column.name}' keeps no decimals, and numbers with decimals are written."
    if column.choices:
        for choice in field.choices:
            if choice not in column.choices:
                yield f"'{column.name}' does not know '{choice}'."
    elif column.length and (longest := _longest(field)) > column.length:
        yield f"'{column.name}' holds {column.length} characters, and up to {longest} are written."


def _longest(field: CrmField) -> int:
    return max([field.length, _LONGEST_AS_TEXT.get(field.type, 0), *map(len, field.choices)])


def _faults_of_changed_at(shape: Shape, name: str, moments: frozenset[Holds]) -> Iterator[str]:
    found = shape.columns.get(name)
    if found is None:
        yield Missing(f"'{shape.name}' has no column '{name}', which is to say when a record changed.")
    elif found.holds not in moments:
        yield f"'{name}' holds {found.holds}, and is to say when a record changed."


def try_rights(connection: Connection, write: Write, *, may_create: bool) -> None:
    """Let the database say whether the user may do what is to be done; no row is touched.

    Raises:
        DBAPIError: It may not.
    """
    table = write.plain
    nothing: Select[Any] = select(*(table.c[name] for name in write.all_names)).where(false())
    connection.execute(nothing)
    if write.names:
        connection.execute(update(table).where(false()).values({name: table.c[name] for name in write.names}))
    if may_create:
        connection.execute(insert(table).from_select(list(write.all_names), nothing))


def created(
    connection: Connection,
    family: Family,
    shape: Shape | None,
    *,
    name: str,
    schema: str | None,
    key: str,
    fields: Sequence[CrmField],
    changed_at: str,
) -> list[str]:
    """Create the table, or the columns that it lacks, and return what was created, a line each.

    Raises:
        StopError: There is such a table, without the key.
    """
    wanted = [Column(field.name, family.type_of(field), nullable=True) for field in fields]
    if changed_at and changed_at not in {field.name for field in fields}:
        moment = family.type_of(CrmField(changed_at, FieldType.MOMENT))
        wanted.append(Column(changed_at, moment, nullable=True))
    if shape is None:
        first = Column(key, family.key_type(connection), primary_key=True, autoincrement=False)
        table = Table(
            name, MetaData(), first, *wanted, schema=schema, mysql_charset="utf8mb4", mariadb_charset="utf8mb4"
        )
        table.create(connection, checkfirst=True)
        return [f"table '{name}'", *(f"column '{column.name}'" for column in wanted)]
    if key not in shape.columns:
        words = f"The table '{name}' has no column '{key}', so it is another table than is meant."
        raise StopError(words, reason=StopReason.SETUP, hint="correct `table` or the target's key.")
    alter = Operations(MigrationContext.configure(connection))
    missing = [column for column in wanted if column.name not in shape.columns]
    for column in missing:
        alter.add_column(name, column, schema=schema)
    return [f"column '{column.name}'" for column in missing]
