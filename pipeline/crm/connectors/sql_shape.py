"""What a table looks like: its columns, what they hold, and whether its key tells rows apart."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    Boolean,
    Column,
    Connection,
    Date,
    DateTime,
    Enum,
    Float,
    Integer,
    MetaData,
    Numeric,
    String,
    Table,
    Uuid,
    inspect,
)
from sqlalchemy.dialects.mysql import SET, TINYINT, TINYTEXT
from sqlalchemy.dialects.postgresql import DOMAIN
from sqlalchemy.types import CHAR, JSON, NullType, TypeEngine


class Holds(StrEnum):
    """What a column holds."""

    TEXT = "text"
    CHOICE = "one of a list"
    PADDED = "text padded with blanks"
    INTEGER = "integer"
    NUMBER = "number"
    BOOLEAN = "boolean"
    MOMENT = "moment"
    DAY = "day"
    UUID = "UUID"
    OTHER = "something else"


_TINYTEXT: Final = 63
"""Characters that fit in its 255 bytes, whatever they are."""


@dataclass(frozen=True)
class ColumnShape:
    """One column.

    Attributes:
        name: Its name.
        type: As the database spells it.
        holds: What it holds.
        length: Characters of the longest text; 0 = no limit.
        choices: All that an enumeration holds; empty = it is none.
        whole: Whether it keeps no decimals.
        is_needed: Whether a new row must give it a value.
        is_computed: Whether the database alone gives it a value.
        collation: How its texts are compared; empty = as the database says nothing.
        is_counted: Whether the database numbers new rows in it.
    """

    name: str
    type: TypeEngine[Any]
    holds: Holds
    length: int = 0
    choices: tuple[str, ...] = ()
    whole: bool = False
    is_needed: bool = False
    is_computed: bool = False
    collation: str = ""
    is_counted: bool = False


@dataclass(frozen=True)
class Shape:
    """A table.

    Attributes:
        name: Its name.
        schema: Its schema; None = the usual one.
        columns: Its columns by name.
        unique: The columns each of which alone tells rows apart.
        indexes: The columns of every unique index: in which no two rows are the same.
    """

    name: str
    schema: str | None
    columns: Mapping[str, ColumnShape]
    unique: frozenset[str]
    indexes: frozenset[frozenset[str]] = frozenset()

    def lacks(self, names: Iterable[str]) -> list[str]:
        """Return those of *names* that are no columns."""
        return [name for name in names if name not in self.columns]

    def has_index_beside(self, key: str) -> bool:
        """Return whether a new row may meet another in a unique index that is not *key*'s alone."""
        beside = self.indexes - {frozenset({key})}
        return any(not any(self.columns[name].is_counted for name in names) for names in beside)

    def table(self, names: Sequence[str]) -> Table:
        """Return the table with the columns *names* alone, each with its type."""
        metadata = MetaData()
        return Table(
            self.name, metadata, *(Column(name, self.columns[name].type) for name in names), schema=self.schema
        )


def shape_of(connection: Connection, name: str, schema: str | None) -> Shape | None:
    """Return what the table *name* looks like; None where there is none."""
    seen = inspect(connection)
    if not (seen.has_table(name, schema=schema) or name in seen.get_view_names(schema=schema)):
        return None
    columns = {one["name"]: _column(one) for one in seen.get_columns(name, schema=schema)}
    keys: list[Sequence[str | None]] = [seen.get_pk_constraint(name, schema=schema).get("constrained_columns") or []]
    keys.extend(one["column_names"] for one in seen.get_unique_constraints(name, schema=schema))
    keys.extend(
        one["column_names"] for one in seen.get_indexes(name, schema=schema) if one["unique"] and _is_whole(one)
    )
    alone = frozenset(key[0] for key in keys if len(key) == 1 and key[0])
    indexes = frozenset(frozenset(name for name in key if name) for key in keys if key)
    return Shape(name, schema, columns, alone, indexes)


def _is_whole(index: Mapping[str, Any]) -> bool:
    """Return whether an index covers all rows: one with a condition tells only some apart."""
    options = index.get("dialect_options") or {}
    # The condition may be one of SQLAlchemy's, which is neither true nor false.
    return not any(name.endswith("_where") and said is not None for name, said in options.items())


def _column(seen: Mapping[str, Any]) -> ColumnShape:
    kind: TypeEngine[Any] = seen["type"]
    inner = kind.data_type if isinstance(kind, DOMAIN) else kind
    identity, computed = seen.get("identity"), seen.get("computed")
    has_own = seen.get("default") is not None or bool(seen.get("autoincrement") is True) or bool(identity or computed)
    return ColumnShape(
        name=seen["name"],
        type=kind,
        holds=_holds(inner),
        length=_length(inner),
        choices=tuple(inner.enums) if isinstance(inner, Enum) else (),
        whole=isinstance(inner, Numeric) and not isinstance(inner, Float) and inner.scale == 0,
        is_needed=not seen.get("nullable", True) and not has_own,
        is_computed=bool(computed) or bool(identity and identity.get("always")),
        collation=getattr(inner, "collation", None) or "",
        is_counted=seen.get("autoincrement") is True,
    )


def _holds(kind: TypeEngine[Any]) -> Holds:  # noqa: PLR0911 - one line per kind
    if isinstance(kind, Boolean) or (isinstance(kind, TINYINT) and kind.display_width == 1):
        return Holds.BOOLEAN
    if isinstance(kind, Enum):
        return Holds.CHOICE
    if isinstance(kind, SET | JSON):
        return Holds.OTHER
    if isinstance(kind, CHAR):
        return Holds.PADDED
    if isinstance(kind, String):
        return Holds.TEXT
    for types, holds in _KINDS:
        if isinstance(kind, types):
            return holds
    return Holds.TEXT if isinstance(kind, NullType) else Holds.OTHER


_KINDS: Final[tuple[tuple[tuple[type, ...], Holds], ...]] = (
    ((Integer,), Holds.INTEGER),
    ((Numeric, Float), Holds.NUMBER),
    ((DateTime,), Holds.MOMENT),
    ((Date,), Holds.DAY),
    ((Uuid,), Holds.UUID),
)


def _length(kind: TypeEngine[Any]) -> int:
    if isinstance(kind, TINYTEXT):
        return _TINYTEXT
    return int(kind.length or 0) if isinstance(kind, String) else 0


def key_value(column: ColumnShape, key: str) -> str | int | UUID | None:
    """Return *key* as the column holds it; None where no row of the table can have that key.

    A key must come back as it went: "007" is no integer 7.
    """
    if "\0" in key or (not key.isprintable() and not _can_be_sent(key)):
        return None
    if column.holds == Holds.INTEGER:
        return int(key) if _is_integer(key) else None
    if column.holds == Holds.UUID:
        return _uuid(key)
    return key


def _can_be_sent(key: str) -> bool:
    try:
        key.encode()
    except UnicodeEncodeError:
        return False
    return True


def _is_integer(key: str) -> bool:
    return key.removeprefix("-").isdecimal() and key.isascii() and len(key) < 19 and str(int(key)) == key


def _uuid(key: str) -> UUID | None:
    try:
        found = UUID(key)
    except ValueError:
        return None
    return found if str(found) == key else None
