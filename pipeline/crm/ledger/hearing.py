"""What people said in a CRM, as the ledger keeps it: every change of a value once, and up to where it was read.

A page of the CRM's changes and the cursor behind it are kept in one transaction, and the cursor is moved first: of two
readings at once the second waits there, sees that the cursor is no longer where it was, and keeps nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import pyarrow as pa
from sqlalchemy import ColumnElement, Connection, Engine, Select, and_, case, insert, or_, select, update

from pipeline.crm.ledger.cursors import Reading, move
from pipeline.crm.ledger.destinations import Destination
from pipeline.crm.ledger.tables import HEARD
from pipeline.crm.ledger.unusable import answering

_PER_QUESTION: Final = 500
"""Ids in one statement: databases limit its variables."""
_AT_ONCE: Final = 50_000
"""Rows in memory while much is read."""
ROWS: Final = pa.schema(
    {
        "lead_id": pa.string(), "property": pa.string(), "value": pa.string(), "changed_at": pa.int64(),
        "heard_at": pa.int64(), "number": pa.int64(),
    }
)  # fmt: skip
"""How what was heard is handed on; moments are microseconds (UTC)."""
MOMENTS: Final = pa.schema({"lead_id": pa.string(), "heard_at": pa.int64()})


@dataclass(frozen=True)
class Said:
    """The value of one property of one lead, as the CRM told it.

    Attributes:
        lead_id: The lead.
        property: The property's name in the CRM.
        value: Its value; None = empty.
        changed_at: When it changed, microseconds (UTC); None where the CRM does not say, or where another place's
            moment says nothing here.
    """

    lead_id: str
    property: str
    value: str | None
    changed_at: int | None


@dataclass(frozen=True)
class Page:
    """What one page of changes told.

    Attributes:
        said: What it told, in order.
        former: The cursor before it; None where nothing was read yet.
        cursor: The cursor behind it.
        heard_at: When it was read, microseconds (UTC).
        is_last: Whether there was no more to be read.
    """

    said: Sequence[Said]
    former: str | None
    cursor: str
    heard_at: int
    is_last: bool


def keep(engine: Engine, reading: Reading, page: Page) -> int:
    """Keep what *page* tells anew together with the cursor behind it, and return how many changes it brought.

    Raises:
        NotFinishedError: Another reading went on meanwhile, or the ledger does not answer; nothing was kept.
    """
    with answering(engine), engine.begin() as connection:
        move(connection, reading, former=page.former, to=page.cursor, read_at=page.heard_at if page.is_last else None)
        return _add(connection, reading.where, page)


def heard_rows(engine: Engine, target: str, properties: Sequence[str], *, until: int) -> Iterator[pa.RecordBatch]:
    """Return the changes of *properties* that were heard by the moment *until* (microseconds, UTC).

    Returns:
        Rows of `ROWS` in pieces, oldest first.

    Raises:
        NotFinishedError: The ledger does not answer.
    """
    wanted = select(
        HEARD.c.lead_id, HEARD.c.property, HEARD.c.value, HEARD.c.changed_at, HEARD.c.heard_at, HEARD.c.id
    ).where(HEARD.c.target == target, HEARD.c.property.in_(properties), HEARD.c.heard_at <= until)
    yield from _batches(engine, wanted.order_by(HEARD.c.id), ROWS)


def heard_moments(engine: Engine) -> Iterator[pa.RecordBatch]:
    """Return of whom anything was heard, and when: rows of `MOMENTS` in pieces, each once.

    Raises:
        NotFinishedError: The ledger does not answer.
    """
    yield from _batches(engine, select(HEARD.c.lead_id, HEARD.c.heard_at).distinct(), MOMENTS)


def values_now(engine: Engine, target: str, name: str) -> list[str]:
    """Return which values the property *name* has now, each once, without the empty one.

    Raises:
        NotFinishedError: The ledger does not answer.
    """
    wanted = select(HEARD.c.value).where(_has_now(target, name), HEARD.c.value.is_not(None)).distinct()
    return [str(value) for rows in _in_pieces(engine, wanted) for (value,) in rows]


def leads_with(engine: Engine, target: str, name: str, values: Sequence[str]) -> pa.Array:
    """Return the ids of the leads whose property *name* has one of *values* now.

    Raises:
        NotFinishedError: The ledger does not answer.
    """
    pieces = [pa.array([], pa.string())]
    for chunk in _chunks(values):
        wanted = select(HEARD.c.lead_id).where(_has_now(target, name), HEARD.c.value.in_(chunk))
        pieces += [pa.array([lead_id for (lead_id,) in rows], pa.string()) for rows in _in_pieces(engine, wanted)]
    return pa.concat_arrays(pieces)


def _has_now(target: str, name: str) -> ColumnElement[bool]:
    return and_(HEARD.c.target == target, HEARD.c.property == name, HEARD.c.is_newest)


def _add(connection: Connection, where: Destination, page: Page) -> int:
    newest = _newest(connection, where, page.said)
    changes = _changes(page.said, {key: said for key, (_, said) in newest.items()})
    last = {(one.lead_id, one.property): place for place, one in enumerate(changes)}
    replaced = [newest[key][0] for key in last if key in newest]
    for chunk in _chunks(replaced):
        connection.execute(update(HEARD).where(HEARD.c.id.in_(chunk)).values(is_newest=False))
    rows = [
        {
            "target": where.target, "place": where.place, "lead_id": one.lead_id, "property": one.property,
            "value": one.value, "changed_at": one.changed_at, "heard_at": page.heard_at,
            "is_newest": last[one.lead_id, one.property] == place,
        }
        for place, one in enumerate(changes)
    ]  # fmt: skip
    if rows:
        connection.execute(insert(HEARD), rows)
    return len(rows)


def _newest(
    connection: Connection, where: Destination, said: Sequence[Said]
) -> dict[tuple[str, str], tuple[int, Said]]:
    """Return the newest row of each lead and property that *said* speaks of, with its number.

    Of what was heard at another place, the value counts and the moment does not: accounts have their own pasts.
    """
    names = sorted({one.property for one in said})
    is_here = or_(HEARD.c.place == where.place, HEARD.c.place.is_(None))
    changed_here = case((is_here, HEARD.c.changed_at))
    found = {}
    for leads in _chunks(list(dict.fromkeys(one.lead_id for one in said))):
        wanted = select(HEARD.c.id, HEARD.c.lead_id, HEARD.c.property, HEARD.c.value, changed_here).where(
            HEARD.c.target == where.target, HEARD.c.property.in_(names), HEARD.c.lead_id.in_(leads), HEARD.c.is_newest
        )
        for number, *told in connection.execute(wanted):
            one = Said(*told)
            found[one.lead_id, one.property] = (number, one)
    return found


def _changes(said: Iterable[Said], newest: Mapping[tuple[str, str], Said]) -> list[Said]:
    """Return what *said* tells that is new, in order.

    A first value that is empty says nothing, the value that a property has already says nothing new, and what changed
    before the change known is a repeat of the past.
    """
    now, changes = dict(newest), []
    for one in said:
        former = now.get((one.lead_id, one.property))
        if one.value == (None if former is None else former.value):
            continue
        if former is not None and _is_before(one.changed_at, former.changed_at):
            continue
        now[one.lead_id, one.property] = one
        changes.append(one)
    return changes


def _is_before(changed_at: int | None, former: int | None) -> bool:
    return changed_at is not None and former is not None and changed_at < former


def _chunks(values: Sequence[str] | Sequence[int]) -> Iterator[Sequence[str] | Sequence[int]]:
    for start in range(0, len(values), _PER_QUESTION):
        yield values[start : start + _PER_QUESTION]


def _batches(engine: Engine, wanted: Select[Any], schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    for rows in _in_pieces(engine, wanted):
        columns = zip(*rows, strict=True)
        yield pa.record_batch(
            [pa.array(column, kind.type) for column, kind in zip(columns, schema, strict=True)], schema=schema
        )


def _in_pieces(engine: Engine, wanted: Select[tuple[object, ...]]) -> Iterator[Sequence[Sequence[object]]]:
    with answering(engine), engine.connect().execution_options(stream_results=True) as connection:
        yield from connection.execute(wanted).partitions(_AT_ONCE)
