"""Texts in a CSV file that no spreadsheet runs, and that come back as they were.

As `pipeline.spreadsheets` does it, an apostrophe goes before whatever may be a formula. So that the text can be told
again, one more goes before a text that has apostrophes and then a formula already, and reading takes one away::

    =1+1        '=1+1
    '=1+1       ''=1+1
    it's        it's
"""

from __future__ import annotations

import re
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from pipeline.spreadsheets import safe

_BREAKS: Final = ("\t", "\r", "\n")
_ENDS: Final = re.compile(r"([;\t\r\n])")
_MAY_RUN: Final = r"(^|[;\t\r\n])'*[^\pL\pM\pN\pP\pS]*[=+\-@|%]|^'*[\t\r\n]"
"""What is looked at more closely, in a form that takes signs apart and never joins them."""


def shown(text: str) -> str:
    """Return *text* as it stands in the file."""
    parts = _ENDS.split(text)  # what lies between, and every other one a break
    parts[::2] = [f"'{part}" if _is_risky(part) else part for part in parts[::2]]
    return ("'" if _begins_with_a_break(text) else "") + "".join(parts)


def meant(cell: str) -> str:
    """Return the text that stands in the file as *cell*: the inverse of `shown`."""
    if "'" not in cell:
        return cell
    text = cell.removeprefix("'") if _begins_with_a_break(cell) else cell
    parts = _ENDS.split(text)
    parts[::2] = [part.removeprefix("'") if _is_risky(part) else part for part in parts[::2]]
    return "".join(parts)


def shown_all(texts: pa.Array) -> pa.Array:
    """Return a column of texts, each as `shown` does it; null stays null."""
    is_risky = pc.fill_null(pc.match_substring_regex(pc.utf8_normalize(texts, "NFKD"), _MAY_RUN), fill_value=False)
    if not pc.any(is_risky).as_py():
        return texts
    made = pa.array([shown(text) for text in texts.filter(is_risky).to_pylist()], texts.type)
    return pc.replace_with_mask(texts, is_risky, made)


def _is_risky(part: str) -> bool:
    """Return whether a part without breaks is a formula, once the apostrophes before it are gone."""
    core = part.lstrip("'")
    return safe(core) != core


def _begins_with_a_break(text: str) -> bool:
    return text.lstrip("'").startswith(_BREAKS)
