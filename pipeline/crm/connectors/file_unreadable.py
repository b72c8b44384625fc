"""Why a file cannot be read, in words of ours: DuckDB's own repeat what stands in it."""

from __future__ import annotations

import re
from typing import Final

import duckdb

from pipeline.crm.trouble import StopError, StopReason

UTF_8_HINT: Final = "save the file as UTF-8 (Excel calls that 'CSV UTF-8'), or move it away."
LINE_HINT: Final = "correct that line, or move the file away."
_CSV_LINE: Final = re.compile(r"CSV Error on Line: (\d+)")
_CSV_CAUSES: Final = (
    (re.compile(r"^Invalid unicode", re.MULTILINE), "is not UTF-8", UTF_8_HINT),
    (re.compile(r"^Expected Number of Columns", re.MULTILINE), "has more or fewer cells than the header", LINE_HINT),
    (re.compile(r"^Value with unterminated quote", re.MULTILINE), "has a quote that nothing closes", LINE_HINT),
    (re.compile(r"^Maximum line size", re.MULTILINE), "is longer than 8 MB", LINE_HINT),
)
_NO_MANNER: Final = "state machine reached an invalid state"
_JSON_LINE: Final = re.compile(r"at byte \d+ in line (\d+)")


def unreadable(name: str, error: duckdb.Error) -> StopError:
    """Return what a person is told of the file *name*, which DuckDB could not read."""
    said = str(error)
    if found := _CSV_LINE.search(said):
        for sign, cause, hint in _CSV_CAUSES:
            if sign.search(said):
                return _stop(f"'{name}' cannot be read: line {found[1]} {cause}.", hint)
        return _stop(f"'{name}' cannot be read: line {found[1]} is no line of a CSV.", LINE_HINT)
    if _NO_MANNER in said:
        hint = "save the file anew, so that all its lines end alike, or move it away."
        return _stop(f"'{name}' cannot be read: its lines end in different ways, or a quote stands astray.", hint)
    if found := _JSON_LINE.search(said):
        line = int(found[1]) - 1  # DuckDB names the line behind it
        hint = "let each line be one JSON object in UTF-8, or move the file away."
        return _stop(f"'{name}' cannot be read: line {line} is no JSON in UTF-8.", hint)
    words = f"'{name}' cannot be read as what its name says, or its columns do not fit what is written."
    return _stop(words, "see that the file is whole and in UTF-8, and that no other program writes it.")


def _stop(words: str, hint: str) -> StopError:
    return StopError(words, reason=StopReason.SETUP, hint=hint)
