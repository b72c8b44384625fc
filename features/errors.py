"""Errors that a person can act on: the fact, the list of differences, a hint.

Every message has one shape, so that people learn where to look::

    Table 'orders' lacks required columns:
      - ordered_at   (found 'order_at': a rename?)

    Hint: map your names under tables.orders.columns in the config.

Raise through a constructor function, so that each text exists once and one test can pin it.
"""

from __future__ import annotations

import difflib
import errno
import re
from collections.abc import Iterable, Iterator
from typing import Final

_DISK_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_SECRET_PARAMETER: Final = re.compile(r"([?&][^=&\s]*(?:pass|pwd|secret|token|key)[^=&\s]*=)[^&\s'\"]+", re.IGNORECASE)
_DISK_FULL_IN_WORDS: Final = ("disk is full", "disk i/o error", "no space left")


class LeadlightError(Exception):
    """Input, settings or usage are wrong, and the message says what to do (exit code 2)."""


class NotFinishedError(LeadlightError):
    """The work stopped half-way through no fault of the input; running it again is safe (exit code 3)."""


class GateFailedError(LeadlightError):
    """The work was done and its result did not pass a gate, so nothing was put to use (exit code 1)."""


def compose(fact: str, differences: Iterable[str] = (), *, hint: str = "") -> str:
    """Return a message in the one shape that all errors share.

    Args:
        fact: What is wrong and where, one sentence.
        differences: What differs, one line each; shown as a list.
        hint: The next step, without the word "Hint".

    Returns:
        The text, without a trailing line break.
    """
    lines = [fact, *(f"  - {difference}" for difference in differences)]
    if hint:
        lines += ["", f"Hint: {hint}"]
    return "\n".join(lines)


def wrong_input(fact: str, differences: Iterable[str] = (), *, hint: str = "") -> LeadlightError:
    """Return the error for input or settings that cannot be used as they are.

    Args:
        fact: What is wrong and where, one sentence.
        differences: All faults at once, one line each.
        hint: The next step.
    """
    return LeadlightError(compose(fact, differences, hint=hint))


def not_finished(fact: str, differences: Iterable[str] = (), *, hint: str = "") -> NotFinishedError:
    """Return the error for work that stopped and may safely be run again.

    Args:
        fact: What stopped the work, one sentence.
        differences: Details, one line each.
        hint: What to do before running it again.
    """
    return NotFinishedError(compose(fact, differences, hint=hint))


def nearest(word: str, choices: Iterable[str]) -> str | None:
    """Return the choice that *word* was most likely meant to be, or None when none is close.

    Args:
        word: What was written.
        choices: What is valid.

    Returns:
        The closest valid choice; case, hyphens and underscores do not count as differences.
    """
    by_plain_form = {_plain(choice): choice for choice in choices}
    close = difflib.get_close_matches(_plain(word), list(by_plain_form), n=1, cutoff=0.6)
    return by_plain_form[close[0]] if close else None


def _plain(word: str) -> str:
    return word.strip().lower().replace("-", "_").replace(" ", "_")


def is_disk_full(raised: BaseException) -> bool:
    """Return whether *raised* is the system's word that a file found no room: disk, quota or largest file."""
    return isinstance(raised, OSError) and raised.errno in _DISK_FULL


def tells_of_full_disk(raised: BaseException) -> bool:
    """Return whether *raised*, or what led to it, says that a file found no room, by number or in a database's words.

    A database wraps the fault in errors of its own, so the whole chain and the whole text are read.
    """
    return any(
        is_disk_full(one) or any(words in str(one).lower() for words in _DISK_FULL_IN_WORDS) for one in _chain(raised)
    )


def _chain(raised: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    one: BaseException | None = raised
    while one is not None and id(one) not in seen:
        seen.add(id(one))
        yield one
        one = one.__cause__ or one.__context__


def without_secrets(text: str) -> str:
    """Return *text* without the user and password that a database's URL may hold, whatever they are made of."""
    without_users = re.sub(r"//(?:\S*:.*|[^/\s@]+)@", "//…@", text)
    return _SECRET_PARAMETER.sub(r"\1…", without_users)
