"""Whether a CRM can hold what is to be written: asked before the first row goes out."""

from __future__ import annotations

from collections.abc import Sequence

from features.errors import LeadlightError, wrong_input
from pipeline.crm.promise import CrmField, Misplaced, Missing
from pipeline.crm.session import Session


def require_room(session: Session) -> None:
    """See that the CRM can hold what the config maps.

    Raises:
        LeadlightError: It cannot; every fault is told.
    """
    target = session.target
    faults = target.connector.check(target.fields)
    if faults:
        change = f"under crm.{target.name} in the config: `length` shortens a text, `values` names choices as they are"
        raise _no_room(
            target.name,
            faults,
            missing=f"`leadlight publish --to {target.name} --setup` creates what is missing.",
            rest=f"there, or {change} called there.",
        )


def require_room_for(session: Session, fields: Sequence[CrmField]) -> None:
    """See that the CRM can hold *fields*, which an earlier run wrote; the config may map others by now.

    Raises:
        LeadlightError: It cannot; every fault is told.
    """
    name = session.target.name
    faults = session.target.connector.check(fields)
    if faults:
        raise _no_room(
            name,
            faults,
            missing=f"put back what is missing there, or map it under crm.{name}.fields as that run did and let "
            f"`leadlight publish --to {name} --setup` create it.",
            rest="there, as it was when that run wrote.",
        )


def _no_room(name: str, faults: list[str], *, missing: str, rest: str) -> LeadlightError:
    hints = []
    if any(isinstance(fault, Missing) for fault in faults):
        hints.append(missing)
    if any(isinstance(fault, Misplaced) for fault in faults):
        hints.append(f"let crm.{name}.connect name another place, or make room for it there.")
    if not all(isinstance(fault, (Missing, Misplaced)) for fault in faults):
        hints.append(f"{'The rest is changed' if hints else 'change it'} {rest}")
    return wrong_input(f"The target '{name}' cannot hold what is to be written:", faults, hint=" ".join(hints))
