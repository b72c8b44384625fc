"""Marketo's own words, made fit to be kept: one line, without secrets, addresses or values of leads."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from models.wording import one_line
from pipeline.crm.promise import Row, Value

LONGEST: Final = 300
_HIDDEN: Final = "…"
_ADDRESS: Final = re.compile(r"[^\s'\"<>,;:()\[\]]+@[^\s'\"<>,;:()\[\]]+")
_QUOTED: Final = re.compile("(?<!\\w)(['\"\u2018\u201c])(.+?)(['\"\u2019\u201d])(?!\\w)")
_TELLING: Final = 4
"""Characters from which on a value is hidden also where it stands without quotation marks."""


def plain_words(code: object, message: object, *, hidden: Iterable[str] = ()) -> str:
    """Return what Marketo said, with its code in front.

    Args:
        code: Its own code.
        message: Its words, from outside.
        hidden: Texts that are never shown.
    """
    text = f"{code or ''} {message or ''}"
    for secret in hidden:
        if secret:
            text = text.replace(secret, _HIDDEN)
    return one_line(_ADDRESS.sub(_HIDDEN, text), longest=LONGEST)


def words_of_row(message: object, row: Row, *, hidden: Iterable[str] = ()) -> str:
    """Return what Marketo said of *row*, which likes to quote the value that it refuses."""
    values = {row.key, *map(_shown, row.fields.values())} - {""}
    said = _QUOTED.sub(lambda found: _without(found, values), str(message or ""))
    telling = sorted((value for value in values if len(value) >= _TELLING), key=len, reverse=True)
    return plain_words("", said, hidden=[*telling, *hidden])


def _shown(value: Value) -> str:
    return "" if value is None or isinstance(value, bool) else str(value)


def _without(found: re.Match[str], values: set[str]) -> str:
    opening, quoted, closing = found.groups()
    return f"{opening}{_HIDDEN}{closing}" if quoted in values else found.group()
