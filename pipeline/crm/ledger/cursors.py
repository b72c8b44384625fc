"""Up to where the changes of a CRM were read, per target, place and properties."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from sqlalchemy import ColumnElement, Connection, Engine, and_, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from features.errors import NotFinishedError, not_finished
from pipeline.crm.ledger.destinations import Destination
from pipeline.crm.ledger.tables import CURSORS
from pipeline.crm.ledger.unusable import answering

_BEGINNING: Final = ""
_NOT_YET: Final = 0
"""Stands for the moment of the last reading before one came to its end."""


@dataclass(frozen=True)
class Reading:
    """One reading of a CRM's changes.

    Attributes:
        where: The target, and the account it is read at: the cursor of one says nothing of another.
        properties: Hash of the properties read.
    """

    where: Destination
    properties: str


def cursor_of(engine: Engine, reading: Reading) -> str | None:
    """Return where *reading* goes on; None where it never began.

    Raises:
        NotFinishedError: The ledger does not answer.
    """
    with answering(engine), engine.connect() as connection:
        found = connection.execute(select(CURSORS.c.cursor).where(_is_of(reading))).first()
    return None if found is None else str(found.cursor)


def read_at(engine: Engine, target: str, properties: str) -> int | None:
    """Return when *properties* of a target were last read to the end, microseconds (UTC); None before they were.

    It may have been at another place, where the target moved since.

    Raises:
        NotFinishedError: The ledger does not answer.
    """
    with answering(engine), engine.connect() as connection:
        last = connection.execute(
            select(func.max(CURSORS.c.read_at)).where(
                CURSORS.c.target == target, CURSORS.c.properties == properties, CURSORS.c.read_at != _NOT_YET
            )
        ).scalar()
    return None if last is None else int(last)


def move(connection: Connection, reading: Reading, *, former: str | None, to: str, read_at: int | None) -> None:
    """Move the cursor of *reading* from where it was found; whoever else reads waits behind this.

    Other places of the target are read from the beginning again: what is heard here stands in place of what was heard
    there.

    Args:
        connection: The ledger, in a transaction.
        reading: What is read.
        former: Where it was found; None = nothing was read yet.
        to: Where it is from now on.
        read_at: When all was read, microseconds (UTC); None = there is more.

    Raises:
        NotFinishedError: Another reading moved it meanwhile.
    """
    where = reading.where
    values: dict[str, str | int] = {"cursor": to} if read_at is None else {"cursor": to, "read_at": read_at}
    if former is None:
        named = {"target": where.target, "place": where.place, "properties": reading.properties}
        begun = {"read_at": _NOT_YET, **named, **values}
        try:
            connection.execute(insert(CURSORS).values(**begun))
        except IntegrityError as error:
            raise _read_elsewhere(where.target) from error
    else:
        _move_on(connection, reading, former, values)
    is_elsewhere = and_(CURSORS.c.target == where.target, CURSORS.c.place != where.place)
    connection.execute(update(CURSORS).where(is_elsewhere, CURSORS.c.cursor != _BEGINNING).values(cursor=_BEGINNING))


def _move_on(connection: Connection, reading: Reading, former: str, values: Mapping[str, str | int]) -> None:
    moved = connection.execute(update(CURSORS).where(_is_of(reading), CURSORS.c.cursor == former).values(**values))
    if moved.rowcount != 1:
        raise _read_elsewhere(reading.where.target)


def _is_of(reading: Reading) -> ColumnElement[bool]:
    return and_(reading.where.is_of(CURSORS), CURSORS.c.properties == reading.properties)


def _read_elsewhere(target: str) -> NotFinishedError:
    hint = "wait until it has ended; what it kept is not read again."
    return not_finished(f"Another run reads what changed in the target '{target}'.", hint=hint)
