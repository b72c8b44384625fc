"""Words of a CRM made fit to be kept: one line, without e-mail addresses, secrets or values of leads."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from typing import Final

from models.wording import one_line
from pipeline.crm.promise import Row, Value

LONGEST: Final = 300
HIDDEN: Final = "…"
WHOLE: Final = 200_000
"""More than the longest value: what is cut before values are taken out could show the beginning of one."""
TELLING: Final = 4
"""Characters from which on a value is hidden also where it stands without quotation marks."""
_OF_ADDRESS: Final = r"[^\s@\"'<>\[\](){},;:]"
# Only from the beginning of a word on: from each of its letters on, a long one would take minutes.
_ADDRESS: Final = re.compile(rf"(?<!{_OF_ADDRESS}){_OF_ADDRESS}+@{_OF_ADDRESS}+")


def fit_to_keep(
    words: str,
    *,
    values: Iterable[str] = (),
    hidden: Iterable[str] = (),
    kept: Collection[str] = (),
    shortest: int = TELLING,
    numbers: bool = False,
    longest: int = LONGEST,
) -> str:
    """Return *words* on one line without what nobody may read.

    Args:
        words: What the CRM said.
        values: What leads hold (`values_of`); hidden within quotation marks, and as whole words where they are long
            enough to tell anything.
        hidden: Secrets; hidden wherever they stand.
        kept: Words that are shown although a lead holds them, such as names of columns.
        shortest: Characters from which on a value is hidden as a whole word.
        numbers: Whether whole numbers are hidden however short they are.
        longest: Characters that are kept.
    """
    for secret in hidden:
        words = words.replace(secret, HIDDEN) if secret else words
    words = one_line(words, longest=max(WHOLE, longest))
    there = {tidy for value in values if (tidy := " ".join(value.split())) in words and tidy and tidy not in kept}
    words = _unquoted(words, there) if there else words
    bare = [value for value in there if len(value) >= shortest or (numbers and value.isdigit())]
    if bare:
        any_of = "|".join(map(re.escape, sorted(bare, key=len, reverse=True)))
        words = re.sub(rf"(?<!\w)(?<!\d\.)(?:{any_of})(?!\w)", HIDDEN, words)
    return one_line(_ADDRESS.sub(HIDDEN, words), longest=longest)


def values_of(rows: Iterable[Row]) -> set[str]:
    """Return what the rows hold, as it would stand in a message; yes and no tell nothing."""
    return shown(value for row in rows for value in (row.key, *row.fields.values()))


def shown(values: Iterable[Value]) -> set[str]:
    """Return values as they would stand in a message."""
    return {str(value) for value in values if value is not None and not isinstance(value, bool)} - {""}


def _unquoted(words: str, values: Collection[str]) -> str:
    """Return *words* without *values* where they stand within quotation marks; nothing longer is looked at."""
    longest = max(map(len, values))
    quoted = re.compile(f"(?<!\\w)(['\"\u2018\u201c])(.{{1,{longest}}}?)(['\"\u2019\u201d])(?!\\w)")
    return quoted.sub(lambda found: _emptied(found, values), words)


def _emptied(found: re.Match[str], values: Collection[str]) -> str:
    opening, quoted, closing = found.groups()
    return f"{opening}{HIDDEN}{closing}" if quoted in values else found.group()
