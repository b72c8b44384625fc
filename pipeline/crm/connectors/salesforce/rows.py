"""What Salesforce says of one row, and the order of writing: which rows go to which object, and how."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from pipeline.crm.connectors.salesforce.judging import QUOTA_HINT, said
from pipeline.crm.connectors.salesforce.places import (
    CONTACT,
    ID,
    OTHER_SPELLING,
    SAME_RECORD,
    UNKNOWN,
    Refusal,
    Whereabouts,
)
from pipeline.crm.connectors.salesforce.taken import Taken
from pipeline.crm.promise import Answer, Outcome, Row
from pipeline.crm.said import WHOLE, fit_to_keep, values_of
from pipeline.crm.trouble import StopError, StopReason

_PASSES: Final = frozenset(
    {
        "UNABLE_TO_LOCK_ROW",
        "SERVER_UNAVAILABLE",
        "REQUEST_RUNNING_TOO_LONG",
        "ALL_OR_NONE_OPERATION_ROLLED_BACK",
        "PROCESSING_HALTED",
        "INVALID_SESSION_ID",
        "CANNOT_UPDATE_CONVERTED_LEAD",
    }
)
"""It may go better next time; a lead that was converted a moment ago is then found as a contact."""
_PENDING: Final = "what is pending is kept; then run the same command again."
_STOPS: Final = {
    "INVALID_FIELD_FOR_INSERT_UPDATE": (
        StopReason.PERMISSION,
        f"let an admin give the integration user edit access to the field on Lead and Contact; {_PENDING}",
    ),
    "STORAGE_LIMIT_EXCEEDED": (
        StopReason.QUOTA,
        f"let an admin free data storage of the org, or buy more (Setup, Storage Usage); {_PENDING}",
    ),
    "REQUEST_LIMIT_EXCEEDED": (StopReason.QUOTA, QUOTA_HINT),
}
"""What would meet any other row as well, with what a person can do."""
_REPEATED: Final = re.compile(
    r"(data value too large: |restricted picklist field: ).*?( \(max length|:\[|$)", re.DOTALL | re.IGNORECASE
)
_SHORTEST_MASKED: Final = 3


@dataclass(frozen=True)
class Part:
    """Rows that go to one object in one way.

    Attributes:
        object: ``Lead`` or ``Contact``.
        column: ``Id`` = records that are there are updated; a key's field = records are created where there are none.
        rows: The rows by what that column holds.
    """

    object: str
    column: str
    rows: dict[str, Row] = field(default_factory=dict)

    def some(self, idents: Iterable[str]) -> Part:
        """Return the same for some of its rows."""
        return Part(self.object, self.column, {ident: self.rows[ident] for ident in idents})


@dataclass(frozen=True)
class Order:
    """Everything that is to be done with rows.

    Attributes:
        parts: What is written.
        refused: What is not.
    """

    parts: Sequence[Part]
    refused: Sequence[Answer]


def order_of(
    rows: Sequence[Row],
    places: Mapping[str, Whereabouts],
    *,
    creates_at: str,
    key: str,
    tells_case: bool,
    taken: Taken,
) -> Order:
    """Return which rows go where.

    Args:
        rows: The rows.
        places: Where their keys are.
        creates_at: The object in which missing records are created; empty = they are refused.
        key: The key's field.
        tells_case: Whether the org tells keys in capital letters from those in small ones.
        taken: The contacts that were written for other leads; those of *rows* are added.
    """
    parts: dict[str, Part] = {}
    refused: list[Answer] = []
    made: set[str] = set()
    for row in rows:
        where = places[row.key]
        is_new = bool(creates_at) and where.refusal is UNKNOWN
        if where.refusal is not None and not is_new:
            refused.append(refusal_of(row, where.refusal))
            continue
        if is_new and not tells_case:
            if row.key.casefold() in made:
                refused.append(refusal_of(row, OTHER_SPELLING))
                continue
            made.add(row.key.casefold())
        table = creates_at if is_new else where.object
        is_upsert = table == creates_at
        ident = row.key if is_upsert else where.id
        part = parts.setdefault(table, Part(table, key if is_upsert else ID))
        if not _takes(where, row.key, taken) or part.rows.setdefault(ident, row) is not row:
            refused.append(refusal_of(row, SAME_RECORD))
    return Order(list(parts.values()), refused)


def _takes(where: Whereabouts, key: str, taken: Taken) -> bool:
    """Return whether the row of *key* may be written there, for all that other batches wrote."""
    if where.object != CONTACT:
        return True
    if where.lead is None:
        return not taken.is_by_other(where.id, key)
    return taken.take(where.id, key)


def refusal_of(row: Row, refusal: Refusal) -> Answer:
    """Return the answer to a row that is not sent."""
    return Answer(row.key, Outcome.REJECTED, refusal.words, refusal.code)


def answer_of(row: Row, code: str, message: str) -> Answer:
    """Return the answer to a row that Salesforce did not write."""
    passes = code in _PASSES or code in _STOPS
    outcome = Outcome.RETRY if passes else Outcome.REJECTED
    return Answer(row.key, outcome, said(code, masked(message, row)), code)


def require_no_stop(answers: Iterable[Answer]) -> None:
    """See to it that no row was turned away for what would meet every other as well.

    Raises:
        StopError: One was.
    """
    for answer in answers:
        if answer.outcome is Outcome.RETRY and answer.code in _STOPS:
            reason, hint = _STOPS[answer.code]
            raise StopError(answer.words, reason=reason, hint=hint)


def masked(message: str, row: Row) -> str:
    """Return *message* without what the row holds: Salesforce repeats values that it does not take."""
    shown = _REPEATED.sub(r"\1…\2", message)
    return fit_to_keep(shown, values=values_of([row]), shortest=_SHORTEST_MASKED, numbers=True, longest=WHOLE)
