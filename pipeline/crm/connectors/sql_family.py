"""What the kinds of databases differ in, and what they share."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Protocol

from sqlalchemy import ColumnElement, Connection, Select, select
from sqlalchemy import column as untyped
from sqlalchemy import table as plain_table
from sqlalchemy.sql import TableClause
from sqlalchemy.types import TypeEngine

from pipeline.crm.connectors.sql_shape import ColumnShape, Holds, Shape
from pipeline.crm.connectors.sql_trouble import Said
from pipeline.crm.connectors.value_texts import as_text
from pipeline.crm.promise import CrmField, Row, Value

NO_SUCH_RECORD: Final = "There is no record with this key."
SAME_BUT_FOR_CASE: Final = "The table takes this key for another record's, which differs in case or blanks alone."
SAME_IN_ANOTHER_COLUMN: Final = (
    "Another record holds this key in other case or blanks, or holds what must be unique in a column beside the key."
)
_PER_QUESTION: Final = 500
"""Keys asked about at once: databases limit the variables of a statement."""


@dataclass(frozen=True)
class Write:
    """What a batch writes.

    Attributes:
        shape: The table.
        key: The column that tells records apart.
        names: The columns that are written.
    """

    shape: Shape
    key: str
    names: tuple[str, ...]

    @property
    def key_column(self) -> ColumnShape:
        """The key's column."""
        return self.shape.columns[self.key]

    @property
    def all_names(self) -> tuple[str, ...]:
        """The key's column and those that are written."""
        return (self.key, *self.names)

    @property
    def plain(self) -> TableClause:
        """The table without types: values go to the driver as they are."""
        return plain_table(self.shape.name, *map(untyped, self.all_names), **_in_schema(self.shape))


Refused = Mapping[str, str]
"""Keys of rows that were not written, each with the reason."""


class Family(Protocol):
    """One kind of database.

    Attributes:
        moments: What a column may hold that says when a record changed.
    """

    moments: frozenset[Holds]

    def look(self, connection: Connection, shape: Shape) -> Shape:
        """Return *shape* with what reflection does not tell."""

    def upsert(self, connection: Connection, write: Write, rows: Sequence[Row]) -> Refused:
        """Write *rows*, creating records that are not there."""

    def update(self, connection: Connection, write: Write, rows: Sequence[Row]) -> Refused:
        """Write those of *rows* whose records are there."""

    def listen(self, error: BaseException) -> Said:
        """Return what the driver's *error* says."""

    def type_of(self, field: CrmField) -> TypeEngine[Any]:
        """Return the type of a new column for *field*."""

    def key_type(self, connection: Connection) -> TypeEngine[Any]:
        """Return the type of a new key column, which tells case and blanks at the end apart."""

    def in_order(self, key: ColumnElement[Any], column: ColumnShape) -> ColumnElement[Any]:
        """Return what keys are ordered and compared by, so that no two of them are equal."""

    def moment(self, column: ColumnElement[Any]) -> ColumnElement[Any]:
        """Return the moment in *column* as it is ordered and compared."""

    def now(self) -> ColumnElement[Any]:
        """Return the database's own clock."""

    def as_moment(self, moment: datetime, column: ColumnShape) -> Any:  # noqa: ANN401 - the driver's own
        """Return *moment* (UTC) as it is compared with `moment`."""


def chunks(rows: Sequence[Any], size: int = _PER_QUESTION) -> Iterator[Sequence[Any]]:
    """Yield *rows* in parts of at most *size*."""
    for start in range(0, len(rows), size):
        yield rows[start : start + size]


def keys_there(connection: Connection, write: Write, keys: Sequence[Any], *, lock: bool = False) -> set[str]:
    """Return those of *keys* that records have, exactly so.

    Args:
        connection: Where to ask.
        write: The table.
        keys: As `key_value` gives them.
        lock: Whether the records are to stay as they are until the transaction ends.
    """
    column = write.plain.c[write.key]
    found: set[str] = set()
    for some in chunks(keys):
        asked: Select[Any] = select(column).where(column.in_(some))
        found |= {str(key) for (key,) in connection.execute(asked.with_for_update() if lock else asked)}
    return found & set(map(str, keys))


Converter = Callable[[Value], Any]


def converters(write: Write, special: Mapping[Holds, Converter]) -> list[tuple[str, Converter | None]]:
    """Return the names that are written, each with what its values must go through; None = nothing."""
    usual: dict[Holds, Converter] = {
        Holds.TEXT: _text, Holds.CHOICE: _text, Holds.PADDED: _text, Holds.NUMBER: _finite, **special,
    }  # fmt: skip
    return [(name, usual.get(write.shape.columns[name].holds)) for name in write.names]


def _text(value: Value) -> Value:
    return value if isinstance(value, str) or value is None else as_text(value)


def _finite(value: Value) -> Value:
    # SQLite would store "not a number" as nothing, without a word.
    if isinstance(value, float) and not math.isfinite(value):
        raise OverflowError("no finite number")
    return value


def _in_schema(shape: Shape) -> dict[str, Any]:
    return {"schema": shape.schema} if shape.schema else {}
