"""Whose ledger it is: two shops that have targets of one name would take each other's leads for their own."""

from __future__ import annotations

from sqlalchemy import URL, Engine, insert, select
from sqlalchemy.exc import IntegrityError

from features.errors import LeadlightError, wrong_input
from pipeline.crm.ledger.tables import OWNER
from pipeline.crm.ledger.unusable import place_of

_ONLY_ROW = 1


def require_own(engine: Engine, shop: str) -> None:
    """See that a ledger is the one of *shop*; the first shop that opens it has it.

    Raises:
        LeadlightError: It is another shop's.
    """
    if _owner(engine) is None:
        try:
            with engine.begin() as connection:
                connection.execute(insert(OWNER).values(id=_ONLY_ROW, shop=shop))
        except IntegrityError:  # another process was first
            pass
    owner = _owner(engine)
    if owner != shop:
        raise _of_another(engine.url, owner, shop)


def _owner(engine: Engine) -> str | None:
    with engine.connect() as connection:
        return connection.execute(select(OWNER.c.shop)).scalar()


def _of_another(address: URL, owner: str | None, shop: str) -> LeadlightError:
    hint = (
        "give each shop a ledger of its own (publish.ledger, LEADLIGHT_LEDGER), such as another database of the same "
        f"server. If '{owner}' was only renamed, set the name in its table {OWNER.name}."
    )
    fact = f"The ledger at '{place_of(address)}' is that of the shop '{owner}', not of '{shop}'."
    return wrong_input(fact, hint=hint)
