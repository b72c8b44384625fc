"""The exit codes of commands, and which of them an error that a person can act on stands for.

======  ==========================================================================
code    meaning
======  ==========================================================================
0       done
1       done, but something was rejected or a gate failed
2       the input or the usage is wrong: one clear message, no traceback
3       not finished, safe to run again: disk full, lock held, network gone
70      a fault of ours, with its traceback
130     stopped by Ctrl+C
======  ==========================================================================
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from features.errors import GateFailedError, LeadlightError, NotFinishedError

DONE: Final = 0
DONE_WITH_REJECTS: Final = 1
WRONG_INPUT: Final = 2
NOT_FINISHED: Final = 3
OUR_BUG: Final = 70
STOPPED_BY_HAND: Final = 130
_WORST_FIRST: Final = (WRONG_INPUT, NOT_FINISHED, DONE_WITH_REJECTS)


def code_of_error(error: LeadlightError) -> int:
    """Return the exit code that an error stands for."""
    if isinstance(error, NotFinishedError):
        return NOT_FINISHED
    return DONE_WITH_REJECTS if isinstance(error, GateFailedError) else WRONG_INPUT


def code_of_end(*, is_finished: bool, has_rejects: bool) -> int:
    """Return the exit code of work that ended: what is left to do weighs more than what was turned away."""
    if not is_finished:
        return NOT_FINISHED
    return DONE_WITH_REJECTS if has_rejects else DONE


def worst(codes: Iterable[int]) -> int:
    """Return the worst of several exit codes: wrong input, then unfinished, then rejected; 0 = all is well."""
    found = set(codes)
    return next((code for code in _WORST_FIRST if code in found), DONE)
