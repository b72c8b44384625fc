"""A target that lost what it held: a file that was removed, a table restored from a backup.

The ledger would call everything unchanged, and people would see nothing. So a few records are looked at first.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from features.errors import GateFailedError, compose
from pipeline.crm.differences import is_same
from pipeline.crm.ledger import standing
from pipeline.crm.ledger.kept_values import kept_object
from pipeline.crm.promise import Record, Value
from pipeline.crm.session import Session
from pipeline.crm.targets import Target
from pipeline.crm.trouble import StopError, StopReason

_LOOKED_AT: Final = 20


def require_what_stands(session: Session) -> None:
    """See that at least one of a few records still holds something of what was written.

    What a run that was cut short may have written over since says nothing of what is lost.

    Raises:
        GateFailedError: None of them does.
    """
    target = session.target
    with session.engine.connect() as connection:
        rows = standing.first_of(connection, target.destination, most=_LOOKED_AT)
    # What was emptied says nothing of what is lost.
    written = {row.lead_id: payload for row in rows if _has_values(payload := kept_object(row.payload), target)}
    if not written:
        return
    try:
        found = target.connector.read(list(written), [field.name for field in target.fields])
    except StopError as error:
        if error.reason == StopReason.SETUP:  # a target that cannot be read has nothing to show
            return
        raise
    if not any(_holds_something(written[lead], record, target) for lead, record in found.items() if lead in written):
        raise _lost(target.name, len(written))


def _has_values(payload: Mapping[str, Value], target: Target) -> bool:
    return any(payload.get(field.name) is not None for field in target.fields)


def _holds_something(payload: Mapping[str, Value], record: Record, target: Target) -> bool:
    """Return whether a record holds at least one of the values that were written; people may change the others."""
    return any(
        is_same(payload[field.name], record.fields.get(field.name), field.type)
        for field in target.fields
        if payload.get(field.name) is not None
    )


def _lost(target: str, looked_at: int) -> GateFailedError:
    fact = (
        f"'{target}' no longer holds what was written: nothing of it is left at {looked_at} leads that were looked at."
    )
    hint = (
        f"see that it is the right account, table or file; `leadlight publish --to {target} --resend` writes all anew."
    )
    return GateFailedError(compose(fact, hint=hint))
