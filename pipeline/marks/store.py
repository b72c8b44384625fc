"""Marks in a database: written one row at a time, read as of a moment."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
from sqlalchemy import URL, Engine, Row, insert, select
from sqlalchemy.exc import SQLAlchemyError

from features.errors import NotFinishedError, not_finished, without_secrets, wrong_input
from features.moment_type import MOMENT
from features.moments import from_us, to_us
from pipeline.databases import file_of, own_engine
from pipeline.marks.rows import CONTACTED, HOLD, MARKS, METADATA, WITHDRAWAL
from pipeline.same_file import identity

DATABASE_SETTING: Final = "app.database"
LONGEST_TEXT: Final = 500
_PER_QUESTION: Final = 500
"""Leads asked about at once: databases limit the variables of a statement."""
_SCHEMA: Final = pa.schema(
    {
        "lead_id": pa.string(), "owner": pa.string(), "until": MOMENT, "reason": pa.string(), "by": pa.string(),
        "at": MOMENT,
    }
)  # fmt: skip


@dataclass(frozen=True)
class Mark:
    """One thing that somebody said about a lead.

    Attributes:
        number: Its own number.
        lead_id: The lead.
        kind: ``hold`` or ``contacted``.
        owner: Who looks after the lead; may be empty.
        until: The first moment at which it no longer holds (UTC); None = no end.
        reason: Why, in their words.
        by: Who said it.
        at: When (UTC).
        is_withdrawn: Whether somebody took it back.
    """

    number: int
    lead_id: str
    kind: str
    owner: str
    until: datetime | None
    reason: str
    by: str
    at: datetime
    is_withdrawn: bool = False

    def holds_at(self, moment: datetime) -> bool:
        """Return whether it was said before *moment*, has not ended by then, and was not withdrawn."""
        return not self.is_withdrawn and self.at <= moment and (self.until is None or moment < self.until)


def hold_of(marks: Sequence[Mark], moment: datetime) -> Mark | None:
    """Return the hold that keeps a lead from being contacted at *moment* (aware): the last one said of those in force.

    Args:
        marks: The marks of one lead, newest first.
        moment: The moment.
    """
    return next((mark for mark in marks if mark.kind == HOLD and mark.holds_at(moment)), None)


class Marks:
    """The marks of one shop.

    Args:
        address: Where its database is; its tables are made at the first use.
    """

    def __init__(self, address: URL) -> None:
        self._address = address
        self._lock = threading.Lock()
        self._opened: _Opened | None = None

    def hold(
        self, lead_id: str, *, owner: str = "", until: datetime | None = None, reason: str = "", by: str, at: datetime
    ) -> int:
        """Write that a lead is to be left alone, and return the mark's number.

        Args:
            lead_id: The lead.
            owner: Who looks after it from now on.
            until: The first moment at which it no longer holds (aware); None = no end.
            reason: Why.
            by: Who says so.
            at: When (aware).

        Raises:
            LeadlightError: An end that has passed, or texts beyond `LONGEST_TEXT` characters.
            NotFinishedError: The database does not answer.
        """
        if until is not None and until <= at:
            raise wrong_input("The hold would have ended before it begins.", hint="give a day that is to come.")
        return self._add(lead_id, HOLD, owner=owner, until=until, reason=reason, by=by, at=at)

    def contacted(self, lead_id: str, *, by: str, at: datetime, note: str = "") -> int:
        """Write that somebody contacted the lead, and return the mark's number."""
        return self._add(lead_id, CONTACTED, reason=note, by=by, at=at)

    def withdraw(self, number: int, *, by: str, at: datetime, lead_id: str) -> int:
        """Write that a mark of a lead holds no longer, and return the number of the row that says so.

        Raises:
            LeadlightError: The lead has no such mark.
        """
        if number not in {mark.number for mark in self.of_lead(lead_id)}:
            raise wrong_input("This lead has no such mark.", hint="read the lead's page again.")
        return self._add(lead_id, WITHDRAWAL, by=by, at=at, withdraws=number)

    def of_lead(self, lead_id: str) -> list[Mark]:
        """Return every mark of a lead, newest first, also those that hold no longer."""
        return self._read([lead_id])

    def of_leads(self, lead_ids: Iterable[str]) -> dict[str, list[Mark]]:
        """Return the marks of several leads by lead, newest first; leads without any are absent."""
        asked = list(dict.fromkeys(lead_ids))
        found: dict[str, list[Mark]] = {}
        for start in range(0, len(asked), _PER_QUESTION):
            for mark in self._read(asked[start : start + _PER_QUESTION]):
                found.setdefault(mark.lead_id, []).append(mark)
        return found

    def held(self, moment: datetime) -> pa.Table:
        """Return whom people hold at *moment* (aware), each lead once: by the hold that counts (`hold_of`).

        Returns:
            ``lead_id``, ``owner``, ``until`` (null = no end), ``reason``, ``by``, ``at``.
        """
        of_lead: dict[str, list[Mark]] = {}
        for mark in self._read(None):
            of_lead.setdefault(mark.lead_id, []).append(mark)
        holds = [hold for marks in of_lead.values() if (hold := hold_of(marks, moment))]
        return pa.Table.from_pylist([{name: getattr(hold, name) for name in _SCHEMA.names} for hold in holds], _SCHEMA)

    def _add(self, lead_id: str, kind: str, *, by: str, at: datetime, **rest: Any) -> int:  # noqa: ANN401 - columns
        texts = [str(rest.get(name, "")) for name in ("owner", "reason")] + [by]
        if any(len(text) > LONGEST_TEXT for text in texts):
            raise wrong_input(f"The text is longer than {LONGEST_TEXT} characters.", hint="say it in fewer words.")
        until = rest.pop("until", None)
        row = {"lead_id": lead_id, "kind": kind, "owner": "", "reason": "", "by": by, "at": to_us(at), **rest}
        row["until"] = None if until is None else to_us(until)
        try:
            with self._engine.begin() as connection:
                written = connection.execute(insert(MARKS).values(**row))
        except SQLAlchemyError as error:
            raise self._unanswered(error) from error
        key = written.inserted_primary_key
        return int(key[0]) if key else 0

    def _read(self, lead_ids: Sequence[str] | None) -> list[Mark]:
        if self._is_unused():
            return []
        wanted = select(MARKS).order_by(MARKS.c.id.desc())
        if lead_ids is not None:
            wanted = wanted.where(MARKS.c.lead_id.in_(lead_ids))
        try:
            with self._engine.connect() as connection:
                rows = connection.execute(wanted).all()
        except SQLAlchemyError as error:
            raise self._unanswered(error) from error
        gone = {row.withdraws for row in rows if row.withdraws is not None}
        return [_mark(row, is_withdrawn=row.id in gone) for row in rows if row.kind != WITHDRAWAL]

    def _is_unused(self) -> bool:
        """Return whether nobody ever made a mark: to read makes no file."""
        file = self._file
        return file is not None and not file.exists()

    @property
    def _file(self) -> Path | None:
        """The file of the database; None where a server keeps it."""
        return file_of(self._address)

    def _identity(self) -> tuple[int, ...]:
        return identity(self._file) if self._file else ()

    @property
    def _engine(self) -> Engine:
        """The database; opened anew where its file is another: nobody would see a mark in one that was removed."""
        with self._lock:
            if self._opened is None or self._opened.file != self._identity():
                if self._opened is not None:
                    self._opened.engine.dispose()
                engine = own_engine(self._address, setting=DATABASE_SETTING)
                _make_tables(engine)
                self._opened = _Opened(engine, self._identity())
            return self._opened.engine

    def _unanswered(self, error: SQLAlchemyError) -> NotFinishedError:
        kind = type(error).__name__
        hint = "see that the database runs and that its disk has room, then do it again."
        return not_finished(f"The marks at '{without_secrets(str(self._address))}' did not answer ({kind}).", hint=hint)


@dataclass(frozen=True)
class _Opened:
    """A database that is open, and which file it is."""

    engine: Engine
    file: tuple[int, ...]


def _make_tables(engine: Engine) -> None:
    """Make the tables that are not there yet."""
    try:
        METADATA.create_all(engine)
    except SQLAlchemyError:
        # Another process may have made them since we looked: this time they are seen, and left alone.
        METADATA.create_all(engine)


def _mark(row: Row[Any], *, is_withdrawn: bool) -> Mark:
    until = None if row.until is None else from_us(row.until)
    return Mark(
        row.id, row.lead_id, row.kind, row.owner, until, row.reason, row.by, from_us(row.at), is_withdrawn
    )  # fmt: skip
