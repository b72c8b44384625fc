"""Text from outside as a page may show it: one line, no control characters, none that turn the direction of reading.

Templates escape markup by themselves; what is done here keeps a name from hiding, reversing or flooding what stands
beside it.
"""

from __future__ import annotations

from typing import Final

from models.wording import one_line

LONGEST: Final = 80


def plain(text: object, longest: int = LONGEST) -> str:
    """Return *text* on one line of at most *longest* characters; None is nothing."""
    return "" if text is None else one_line(str(text), longest=longest)
