"""Text from outside as a page may show it: one line, no control characters, none that turn the direction of reading.

Templates escape markup by themselves; what is done here keeps a name from hiding, reversing or flooding what stands
beside it.
"""

from __future__ import annotations

import unicodedata
from typing import Final

LONGEST: Final = 80


def plain(text: object, most: int = LONGEST) -> str:
    """Return *text* on one line of at most *most* characters, without control and formatting characters.

    Args:
        text: Anything; None is nothing.
        most: Characters kept; what was cut ends in "…".
    """
    if text is None:
        return ""
    # Whatever comes later is cut anyway; white space may shrink, so look at somewhat more.
    head = str(text)[: 4 * most]
    kept = "".join(" " if c.isspace() else c for c in head if c.isspace() or unicodedata.category(c)[0] != "C")
    tidy = " ".join(kept.split())
    return tidy if len(tidy) <= most else tidy[: most - 1].rstrip() + "…"


def begun(sentence: str) -> str:
    """Return *sentence* with a capital at its beginning: reasons are stored as parts of one."""
    return sentence[:1].upper() + sentence[1:]
