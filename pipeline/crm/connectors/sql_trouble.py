"""What a database says no with, in the classes of `pipeline.crm.trouble`.

Its words are passed on in one line, without what they quote: a message such as "invalid input syntax for type integer:
'…'" repeats what a lead's row held.
"""

from __future__ import annotations

import re
import ssl
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from enum import Enum, auto
from typing import Final

from sqlalchemy.exc import CompileError, DBAPIError, ResourceClosedError, SQLAlchemyError

from models.wording import one_line
from pipeline.crm.promise import Row
from pipeline.crm.said import LONGEST, fit_to_keep, values_of
from pipeline.crm.trouble import BatchRefusedError, RetryError, StopError, StopReason, TroubleError
from pipeline.database_urls import ENCODED


class Verdict(Enum):
    """What an error means."""

    ROW = auto()
    TOO_LARGE = auto()
    BUSY = auto()
    AWAY = auto()
    FULL = auto()
    CREDENTIALS = auto()
    PERMISSION = auto()
    MISSING = auto()
    SETUP = auto()


@dataclass(frozen=True)
class Said:
    """What a database said.

    Attributes:
        code: Its own code.
        words: Its own words, without what they quote.
        verdict: What that means.
    """

    code: str
    words: str
    verdict: Verdict


_STOPS: Final = {
    Verdict.FULL: (StopReason.QUOTA, "make room on the database's disk, then run the same command again."),
    Verdict.CREDENTIALS: (StopReason.CREDENTIALS, f"correct user and password in the database's URL; {ENCODED}."),
    Verdict.PERMISSION: (StopReason.PERMISSION, "let the database's user SELECT, INSERT and UPDATE in that table."),
    Verdict.MISSING: (StopReason.SETUP, "correct the target's `connect`, or run `leadlight publish --setup`."),
    Verdict.SETUP: (StopReason.SETUP, "correct the target's `connect`, or the table, whose texts must be UTF-8."),
}


@contextmanager
def translated(
    listen: Callable[[BaseException], Said], secrets: Iterable[str], rows: Sequence[Row], names: Collection[str]
) -> Iterator[None]:
    """Raise one of `pipeline.crm.trouble` for what goes wrong inside.

    Args:
        listen: Finds what the driver's own error says.
        secrets: What must not be repeated.
        rows: Whose values must not be repeated either.
        names: Words that may be, though a row holds one of them: those of the table and its columns.
    """
    try:
        yield
    except DBAPIError as error:
        said = Said("", "The connection was lost.", Verdict.AWAY)
        if error.orig is not None:
            said = listen(error.orig)
        words = fit_to_keep(said.words, values=values_of(rows), hidden=secrets, kept=names)
        raise _trouble(replace(said, words=words)) from None  # the cause holds the statement's values
    except ssl.SSLCertVerificationError as error:
        words = f"The database's certificate is not trusted: {error.verify_message}"
        hint = "name the certificates to trust in `tls_ca`."
        raise StopError(one_line(words, longest=LONGEST), reason=StopReason.NETWORK, hint=hint) from None
    except OSError as error:
        raise RetryError(f"The connection to the database failed: {type(error).__name__}") from None
    except (OverflowError, UnicodeEncodeError) as error:
        raise BatchRefusedError(f"A value cannot be sent to the database: {type(error).__name__}") from None
    except ResourceClosedError:
        raise RetryError("The connection was lost.") from None
    except CompileError as error:
        raise StopError(
            one_line(str(error), longest=LONGEST), reason=StopReason.SETUP, hint=_STOPS[Verdict.SETUP][1]
        ) from None
    except SQLAlchemyError as error:
        raise RetryError(f"The database cannot be used now: {type(error).__name__}") from None


def _trouble(said: Said) -> TroubleError:
    words = said.words
    if said.verdict == Verdict.ROW:
        return BatchRefusedError(words, code=said.code)
    if said.verdict == Verdict.TOO_LARGE:
        return BatchRefusedError(words, code=said.code)
    if said.verdict in {Verdict.BUSY, Verdict.AWAY}:
        # A row that another program holds is no sign that the database is down.
        return RetryError(words, is_turned_away=said.verdict == Verdict.BUSY)
    reason, hint = _STOPS[said.verdict]
    return StopError(words, reason=reason, hint=hint)


def unquoted(words: str, values: re.Pattern[str]) -> str:
    """Return *words* where what *values* finds is a mere "…"."""
    return values.sub("…", words)
