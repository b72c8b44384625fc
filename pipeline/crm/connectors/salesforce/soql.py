"""SOQL that no value breaks out of, in pieces that fit an address."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Final
from urllib.parse import quote

from pipeline.crm.trouble import StopError, StopReason

_ROOM: Final = 12_000
"""Characters of one query as it stands in an address: Salesforce takes 16,384, with all that surrounds it."""
_ESCAPED: Final = str.maketrans(
    {"\\": "\\\\", "'": "\\'", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t", "\b": "\\b", "\f": "\\f"}
)
_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,79}")


def literal(text: str) -> str:
    """Return *text* as a SOQL string."""
    return f"'{text.translate(_ESCAPED)}'"


def encoded(text: str) -> str:
    """Return *text* as it stands in an address."""
    return quote(text, safe="", errors="replace")


def is_name(name: str) -> bool:
    """Return whether a field may be called *name*."""
    return bool(_NAME.fullmatch(name))


def checked_name(name: str) -> str:
    """Return *name* where a field may be called so.

    Raises:
        StopError: It is no name of a field.
    """
    if not is_name(name):
        raise StopError(f"'{name[:80]}' is no name of a Salesforce field.", reason=StopReason.SETUP)
    return name


def selects(columns: Sequence[str], table: str, *, where: str, among: Iterable[str]) -> Iterator[str]:
    """Yield queries of the records whose column *where* holds one of *among*, as many as addresses need.

    Args:
        columns: Fields to be read.
        table: The object.
        where: The column.
        among: Its values.
    """
    chosen = ", ".join(map(checked_name, columns))
    begun = "".join(("SELECT ", chosen, " FROM ", table, " WHERE ", checked_name(where), " IN ("))
    held: list[str] = []
    room = left = _ROOM - len(encoded(begun))
    for value in among:
        said = literal(value)
        length = len(encoded(said)) + len("%2C")
        if held and length > left:
            yield begun + ",".join(held) + ")"
            held, left = [], room
        held.append(said)
        left -= length
    if held:
        yield begun + ",".join(held) + ")"
