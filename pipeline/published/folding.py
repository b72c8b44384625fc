"""Text as search compares it: small letters, without accents, one space between words.

Both sides of a search are folded alike: the leads when a run is stored, the question when it is asked. Letters that
Unicode does not take apart, such as the Polish ł, are replaced by those that people type instead.
"""

from __future__ import annotations

from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

_WHOLE_LETTERS: Final = {
    "\u0131": "i",
    "ł": "l",
    "ø": "o",
    "đ": "d",
    "ð": "d",
    "ß": "ss",
    "æ": "ae",
    "œ": "oe",
    "þ": "th",
}
_ANY_WHOLE_LETTER: Final = f"[{''.join(_WHOLE_LETTERS)}]"


def folded(texts: pa.Array | pa.ChunkedArray) -> pa.Array | pa.ChunkedArray:
    """Return *texts* as they are compared.

    Args:
        texts: Strings; null stays null.
    """
    small = pc.utf8_lower(pc.utf8_normalize(texts, "NFKD"))
    bare = pc.replace_substring_regex(small, r"\pM", "")
    if pc.any(pc.match_substring_regex(bare, _ANY_WHOLE_LETTER)).as_py():
        for letter, typed in _WHOLE_LETTERS.items():
            bare = pc.replace_substring(bare, letter, typed)
    return pc.utf8_trim_whitespace(pc.replace_substring_regex(bare, r"[\s\p{Z}\p{C}]+", " "))


def folded_question(text: str) -> str:
    """Return what a person typed as it is compared with `folded` texts."""
    return str(folded(pa.array([text], pa.string()))[0].as_py()) if text else ""
