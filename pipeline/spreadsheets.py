"""Text that a spreadsheet would run, made text again.

A cell that begins with =, +, -, @, | or % (full-width forms included), with white space or unseen signs before it or
not, may be a formula to a spreadsheet, which may then send what stands in other cells; so may one that begins with a
tab or a line break. Such text gets an apostrophe before it. Numbers are numbers and stay as they are.

Where commas are decimal signs, spreadsheets split a line at semicolons instead, whatever quotes say: what follows a
semicolon, a tab or a line break may become a cell too, and is treated as one.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

_STARTS: Final = "=+-@|%"
_BREAKS: Final = "\t\r\n"
_ENDS: Final = re.compile(r"([;\t\r\n])")
_MAY_RUN: Final = r"(^|[;\t\r\n])[^\pL\pM\pN\pP\pS]*[=+\-@|%]|^[\t\r\n]"
"""What is looked at more closely, in a form that takes signs apart and never joins them."""


def safe(text: str) -> str:
    """Return *text* as a spreadsheet shows it and never runs it."""
    begin = _first_seen(text)
    first, *others = _ENDS.split(text[begin:])
    cells = (f"'{part}" if _is_formula(part) else part for part in others)
    mark = "'" if _is_formula(first) or text[:1] in tuple(_BREAKS) else ""
    return "".join((mark, text[:begin], first, *cells))


def safe_texts(texts: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return a column of texts, each as `safe` does it; null stays null."""
    is_risky = pc.fill_null(pc.match_substring_regex(pc.utf8_normalize(texts, "NFKD"), _MAY_RUN), fill_value=False)
    if not pc.any(is_risky).as_py():
        return texts
    made = pa.array([safe(text) for text in texts.filter(is_risky).to_pylist()], texts.type)
    return pa.chunked_array([pc.replace_with_mask(texts.combine_chunks(), is_risky.combine_chunks(), made)])


def _is_formula(text: str) -> bool:
    """Return whether what can be seen of *text* begins as a formula does."""
    begin = _first_seen(text)
    return unicodedata.normalize("NFKC", text[begin : begin + 1])[:1] in tuple(_STARTS)


def _first_seen(text: str) -> int:
    """Return the place of the first sign that is neither white space nor invisible; the length where there is none."""
    seen = (place for place, sign in enumerate(text) if unicodedata.category(sign)[0] not in "CZ")
    return next(seen, len(text))
