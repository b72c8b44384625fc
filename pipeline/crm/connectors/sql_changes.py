"""Records of a table, by key or by when they changed, page by page.

A page goes on after the last record of the one before, by moment and key together, so that records of the same moment
are neither left out nor read for ever. The next reading begins somewhat earlier than this one ended: a transaction may
be committed minutes after the moment that it wrote. Records without a moment come once, in the first reading.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Row, Select, and_, literal, not_, or_, select
from sqlalchemy import column as untyped

from pipeline.crm.connectors.sql_family import Family, Write, chunks
from pipeline.crm.connectors.sql_shape import ColumnShape, Holds, key_value
from pipeline.crm.connectors.value_texts import as_text, in_utc, moment_of
from pipeline.crm.promise import Changes, Record

PAGE: Final = 5_000
_EARLIEST: Final = datetime(1000, 1, 1, tzinfo=UTC)
_LATEST: Final = datetime(9999, 1, 1, tzinfo=UTC)
"""What lies outside is no moment that anything changed at: "0000-00-00", "infinity"."""


@dataclass(frozen=True)
class Cursor:
    """Where a reading stands.

    Attributes:
        seen: The latest moment of all readings so far.
        since: Where this reading began; empty = at the beginning of time.
        at: The moment of the last record; empty = it had none, or there was none.
        key: The key of the last record; None = there was none.
        is_undated: Whether records without a moment are being read.
        is_under_way: Whether this reading goes on.
    """

    seen: str = ""
    since: str = ""
    at: str = ""
    key: str | None = None
    is_undated: bool = True
    is_under_way: bool = True

    @property
    def text(self) -> str:
        """The cursor as the ledger keeps it."""
        return json.dumps(asdict(self))

    def after(self, at: datetime | None, key: str) -> Cursor:
        """Return the cursor behind a record."""
        return replace(self, at="" if at is None else at.isoformat(), key=key, seen=_later(self.seen, at))


def cursor_of(text: str, *, late: timedelta) -> Cursor:
    """Return where the reading after *text* begins; a text that is no cursor of ours begins anew."""
    try:
        said = Cursor(**json.loads(text)) if text else Cursor()
        seen = datetime.fromisoformat(said.seen) if said.seen else None
    except (ValueError, TypeError):
        return Cursor()
    if said.is_under_way:
        return said
    since = "" if seen is None else (seen - late).isoformat()
    return Cursor(seen=said.seen, since=since, is_undated=not since)


@dataclass(frozen=True)
class Reading:
    """How records of one table are read.

    Attributes:
        family: The kind of database.
        write: The table, with the columns that are read.
        changed_at: The column with the moment; None = there is none: each reading returns all records.
    """

    family: Family
    write: Write
    changed_at: ColumnShape | None

    def page(self, connection: Connection, cursor: Cursor) -> Changes:
        """Return the records after *cursor*."""
        rows = connection.execute(self._asked(cursor).limit(PAGE)).all()
        records = [self._record(row) for row in rows]
        if records and len(records) == PAGE:
            last = records[-1]
            return Changes(records, cursor.after(last.changed_at, last.key).text, is_more=True)
        if self.changed_at is None:
            return Changes(records, "")
        if cursor.is_undated:
            return Changes(records, Cursor(seen=cursor.seen, since=cursor.since, is_undated=False).text, is_more=True)
        seen = cursor.seen if not records else _later(cursor.seen, records[-1].changed_at)
        # A moment to come would hide all that changes until then.
        now = _moment(connection.execute(select(self.family.now())).scalar())
        seen = seen if now is None or not seen else min(datetime.fromisoformat(seen), now).isoformat()
        return Changes(records, Cursor(seen=seen, is_undated=False, is_under_way=False).text)

    def of_keys(self, connection: Connection, keys: Sequence[Any]) -> dict[str, Record]:
        """Return the records of *keys* (as `key_value` gives them), by key."""
        found: dict[str, Record] = {}
        asked = set(map(str, keys))
        for some in chunks(keys):
            for row in connection.execute(self._selected().where(self._key.in_(some))):
                record = self._record(row)
                if record.key in asked:  # tables that compare without case find more than was asked for
                    found[record.key] = record
        return found

    @property
    def _key(self) -> ColumnElement[Any]:
        return _column(self.write.key_column)

    def _selected(self) -> Select[Any]:
        table = self.write.shape.table([self.write.key])
        at = [] if self.changed_at is None else [self.family.moment(_column(self.changed_at))]
        read: list[ColumnElement[Any]] = [untyped(self.write.key), *map(untyped, self.write.names), *at]
        return select(*read).select_from(table)

    def _record(self, row: Row[Any]) -> Record:
        columns = self.write.shape.columns
        values = row[1 : len(self.write.names) + 1]
        fields = {name: _text(value, columns[name].holds) for name, value in zip(self.write.names, values, strict=True)}
        return Record(str(row[0]), fields, None if self.changed_at is None else _moment(row[-1]))

    def _asked(self, cursor: Cursor) -> Select[Any]:
        asked = self._selected().where(untyped(self.write.key).is_not(None))
        key = self.family.in_order(_column(self.write.key_column), self.write.key_column)
        after_key = self._after_key(key, cursor)
        if self.changed_at is None:
            return asked.where(*after_key).order_by(key)
        at = self.family.moment(_column(self.changed_at))
        is_dated = at.between(self._moment_of(_EARLIEST), self._moment_of(_LATEST))
        if cursor.is_undated:
            return asked.where(or_(at.is_(None), not_(is_dated)), *after_key).order_by(key)
        asked = asked.where(is_dated)
        if cursor.since:
            asked = asked.where(at >= self._moment_of(datetime.fromisoformat(cursor.since)))
        if cursor.at:
            last = self._moment_of(datetime.fromisoformat(cursor.at))
            asked = asked.where(or_(at > last, and_(at == last, *after_key)))
        return asked.order_by(at, key)

    def _after_key(self, key: ColumnElement[Any], cursor: Cursor) -> list[ColumnElement[bool]]:
        column = self.write.key_column
        last = None if cursor.key is None else key_value(column, cursor.key)
        return [] if last is None else [key > self.family.in_order(literal(last, column.type), column)]

    def _moment_of(self, moment: datetime) -> Any:  # noqa: ANN401 - the driver's own
        return None if self.changed_at is None else self.family.as_moment(moment, self.changed_at)


def _column(column: ColumnShape) -> ColumnElement[Any]:
    return untyped(column.name, column.type)


def _text(value: object, holds: Holds) -> str | None:
    """Return what a column holds as text; not all databases have truth values and moments of their own."""
    if holds == Holds.BOOLEAN and isinstance(value, int):
        return as_text(bool(value))
    if holds == Holds.MOMENT and isinstance(value, str) and (moment := _moment(value)) is not None:
        return as_text(moment)
    return as_text(value)


def _moment(value: object) -> datetime | None:
    return in_utc(value) if isinstance(value, datetime) else moment_of(value)


def _later(seen: str, at: datetime | None) -> str:
    if at is None:
        return seen
    return at.isoformat() if not seen else max(datetime.fromisoformat(seen), at).isoformat()
