"""What every connector promises: a few plain types and one small protocol.

A connector speaks one CRM's language and remembers nothing: what was sent, what is due and what a person must be told
lies in the ledger. So a connector may be killed between any two bytes; sending the same rows again does no harm.

======================  ==============================================================================
what happens            how the connector says so
======================  ==============================================================================
a row is written        `Answer` with `Outcome.WRITTEN`
a row lies ready        `Answer` with `Outcome.STAGED`: it is written once `Connector.finish` has returned
a row is turned away    `Answer` with `Outcome.REJECTED` and the CRM's words: never sent again by itself
a row may go later      `Answer` with `Outcome.RETRY`: a locked record, a row of a job that was cut short
all rows may go later   raises `trouble.RetryError`, with the pause that the CRM asks for
one row spoils all      raises `trouble.BatchRefusedError`: the sender halves the batch until it is found
nothing may go now      raises `trouble.StopError`: quota, credentials, permission, network
======================  ==============================================================================
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol

Value = str | int | float | bool | None
"""What a field of a CRM may hold, as JSON spells it; a moment is ISO 8601 in UTC, None empties the field."""


class FieldType(StrEnum):
    """What a CRM's property must be able to hold."""

    TEXT = "text"
    INTEGER = "integer"
    NUMBER = "number"
    BOOLEAN = "boolean"
    MOMENT = "moment"
    CHOICE = "choice"


@dataclass(frozen=True)
class CrmField:
    """One property of the CRM that Leadlight writes.

    Attributes:
        name: Its name in the CRM's interface.
        type: What it is given.
        length: Characters of the longest text that it is given; 0 = not a text.
        choices: All values that it may be given, where these are few (grades, temperatures); empty = anything.
        label: What people read above it.
    """

    name: str
    type: FieldType
    length: int = 0
    choices: tuple[str, ...] = ()
    label: str = ""


class Missing(str):
    """A line of `Connector.check` about something that `Connector.setup` creates: it is not there yet."""

    __slots__ = ()


class Misplaced(str):
    """A line of `Connector.check` about where it is to be written: no field is at fault."""

    __slots__ = ()


@dataclass(frozen=True)
class Row:
    """What one lead's record is to hold.

    Attributes:
        key: Value of the property that tells records apart; within one batch each is different.
        fields: Every field of Leadlight's that is written, by the property's name.
        trace: Tells this write from all others, also in the CRM's own logs.
    """

    key: str
    fields: Mapping[str, Value]
    trace: str = ""


class Outcome(StrEnum):
    """What became of a row that was sent."""

    WRITTEN = "written"
    STAGED = "staged"
    REJECTED = "rejected"
    RETRY = "retry"


@dataclass(frozen=True)
class Answer:
    """What the CRM said of one row.

    Attributes:
        key: The row's key.
        outcome: What became of it.
        words: Why it was not written, in the CRM's own words; never the row's values.
        code: The CRM's own code for that, such as ``PROPERTY_DOESNT_EXIST``.
    """

    key: str
    outcome: Outcome
    words: str = ""
    code: str = ""


class Ticket(Protocol):
    """How a job that outlives this process is found again: the name that the CRM gave it, kept in the ledger."""

    @property
    def text(self) -> str:
        """The name of a job that holds exactly these rows; empty = there is none yet."""

    def keep(self, text: str) -> None:
        """Write the job's name down; when this returns, it survives a kill."""


@dataclass
class PassingTicket:
    """A ticket that nobody keeps: for connectors without jobs, and for tests."""

    text: str = ""

    def keep(self, text: str) -> None:
        """Remember it as long as this object lives."""
        self.text = text


@dataclass(frozen=True)
class Record:
    """What the CRM holds of one lead, as it says.

    Attributes:
        key: The lead's key.
        fields: The properties asked for, as texts; None = empty, or not there.
        changed_at: When any of them last changed (aware); None where the CRM does not say.
    """

    key: str
    fields: Mapping[str, str | None]
    changed_at: datetime | None = None


@dataclass(frozen=True)
class Changes:
    """Records that changed since a cursor.

    Attributes:
        records: The records, older changes first; one may come again that came before.
        cursor: Where to go on; a text of the connector's own.
        is_more: Whether there is more to be read right now.
    """

    records: Sequence[Record] = field(default_factory=tuple)
    cursor: str = ""
    is_more: bool = False


class Connector(Protocol):
    """One CRM, database, file or address that scores are written to.

    Every method may raise `trouble.RetryError` and `trouble.StopError`. `send` is called from several threads at once,
    never with the same key in two of them.
    """

    @property
    def at_once(self) -> int:
        """How many batches may be on their way at the same time."""

    def batch_size(self, n_rows: int) -> int:
        """Return how many rows a batch has where *n_rows* are to be sent in all."""

    def check(self, fields: Sequence[CrmField]) -> list[str]:
        """Return what in the CRM does not fit *fields*, a line each: missing, read-only, too short, without a choice.

        A line is `Missing` where `setup` creates what it tells of. It also finds out whether the credentials are good
        and the key's property tells records apart. Nothing is written.
        """

    def setup(self, fields: Sequence[CrmField]) -> list[str]:
        """Create what is missing in the CRM for *fields*, and return what was created, a line each; twice is once."""

    def send(self, rows: Sequence[Row], ticket: Ticket) -> list[Answer]:
        """Write *rows* and return one answer for each, in any order.

        Args:
            rows: At most a batch, all with the same fields.
            ticket: Where a connector with jobs keeps the job's name before the job begins; with a name in it, the
                rows went to that job already: wait for its end and answer from it, and send them anew only where it
                is gone. A batch of which a row is staged comes again, with its ticket, whenever a run is taken up
                before `finish` has returned: only what still lies there whole is staged.

        Raises:
            BatchRefusedError: The CRM refused all of them for one.
        """

    def abandon(self, ticket: str) -> None:
        """See to it that the job *ticket* writes nothing from now on: abort it, or wait until it has ended.

        Rows that it only staged are thrown away.
        """

    def finish(self) -> None:
        """Make what was staged count (a file takes its place), or raise and change nothing; twice is once."""

    def read(self, keys: Sequence[str], names: Sequence[str]) -> dict[str, Record]:
        """Return what the records of *keys* hold in the properties *names*, by key; no entry = no such record."""

    def changes(self, cursor: str, names: Sequence[str]) -> Changes:
        """Return records in which one of *names* may have changed since *cursor*, or of all times where it is empty.

        No change is missed because it was committed late or carries the same time as the cursor; a record that comes
        twice does no harm.
        """

    def close(self) -> None:
        """Let go of connections and files."""
