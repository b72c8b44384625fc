"""Values that the ledger keeps as JSON texts: one that nobody could have written there tells of a damaged ledger."""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy.exc import SQLAlchemyError


class DamagedValueError(SQLAlchemyError):
    """A value of the ledger means nothing; `pipeline.crm.ledger.unusable` has the words for people."""


def kept_object(text: str) -> dict[str, Any]:
    """Return the object that *text* holds, such as the values of a payload.

    Raises:
        DamagedValueError: It holds none.
    """
    found = _read(text)
    if not isinstance(found, dict):
        raise DamagedValueError("no object")
    return found


def kept_list(text: str) -> list[Any]:
    """Return the list that *text* holds.

    Raises:
        DamagedValueError: It holds none.
    """
    found = _read(text)
    if not isinstance(found, list):
        raise DamagedValueError("no list")
    return found


def _read(text: str) -> object:
    try:
        return json.loads(text)
    except ValueError as error:
        raise DamagedValueError("no JSON") from error
