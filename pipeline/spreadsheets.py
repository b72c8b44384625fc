"""Text that a spreadsheet would run, made text again.

A cell that begins with =, +, -, @, | or % (full-width forms included), with white space or unseen signs before it or
not, may be a formula to a spreadsheet, which may then send what stands in other cells; so may one that begins with a
tab or a line break. Such text gets an apostrophe before it. Numbers are numbers and stay as they are.
"""

from __future__ import annotations

import unicodedata
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

_UNSEEN: Final = "\ufeff\u200b\u200e\u200f\u202a\u202b\u202c\u202d\u202e"
_SPACES: Final = "".join(chr(code) for code in range(0x3001) if chr(code).isspace())
_STARTS: Final = "=+-@|%"
_BREAKS: Final = "\t\r\n"
_HEAD: Final = 20
"""Characters that are looked at: what begins later is no formula."""
_RUNS: Final = f"^[{_UNSEEN}{_SPACES}]*[=+\\-@|%]"


def safe(text: str) -> str:
    """Return *text* as a spreadsheet shows it and never runs it."""
    head = unicodedata.normalize("NFKC", text[:_HEAD]).lstrip(_UNSEEN + _SPACES)
    is_risky = head[:1] in tuple(_STARTS) or text[:1] in tuple(_BREAKS)
    return f"'{text}" if is_risky else text


def safe_texts(texts: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return a column of texts, each as `safe` does it; null stays null."""
    head = pc.utf8_normalize(pc.utf8_slice_codeunits(texts, 0, _HEAD), "NFKC")
    is_risky = pc.or_(pc.match_substring_regex(head, _RUNS), pc.match_substring_regex(head, f"^[{_BREAKS}]"))
    if not pc.any(is_risky).as_py():
        return texts
    return pc.if_else(is_risky, pc.binary_join_element_wise("'", texts, ""), texts)
