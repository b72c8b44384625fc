"""A target that lost what it held: a file that was removed, a table restored from a backup, another account.

The ledger would call everything unchanged, and people would see nothing. So a few records are looked at first.
"""

from __future__ import annotations

from typing import Final

from features.errors import GateFailedError, compose
from pipeline.crm.ledger import standing
from pipeline.crm.session import Session
from pipeline.crm.trouble import StopError, StopReason

_LOOKED_AT: Final = 20


def require_what_stands(session: Session) -> None:
    """See that at least one of a few records that were written is still there.

    Raises:
        GateFailedError: None of them is.
    """
    target = session.target
    with session.engine.connect() as connection:
        rows = standing.sample(connection, target.name, most=_LOOKED_AT)
    written = [row.lead_id for row in rows]
    if not written:
        return
    try:
        found = target.connector.read(written, [field.name for field in target.fields])
    except StopError as error:
        if error.reason == StopReason.SETUP:  # a target that cannot be read has nothing to show
            return
        raise
    if not found:
        raise _lost(target.name, len(written))


def _lost(target: str, looked_at: int) -> GateFailedError:
    fact = f"'{target}' no longer holds what was written to it: none of {looked_at} leads that were looked at is there."
    hint = (
        f"see that it is the right account, table or file; `leadlight publish --to {target} --resend` writes all anew."
    )
    return GateFailedError(compose(fact, hint=hint))
