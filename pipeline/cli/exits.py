"""How a raised exception becomes an exit code (`pipeline.exit_codes`) and a message."""

import errno
import os
import sys
import traceback
from types import TracebackType
from typing import Self

from features.errors import LeadlightError, is_disk_full
from pipeline.exit_codes import DONE, NOT_FINISHED, OUR_BUG, WRONG_INPUT, code_of_error

_REFUSED = frozenset({errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.EEXIST, errno.EISDIR})


class ExitCodes:
    """Turns what a command raises into a message on stderr and its exit code."""

    def __init__(self) -> None:
        self.code = DONE

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        raised: BaseException | None,
        trace: TracebackType | None,
    ) -> bool:
        """Take the exception in, unless it already is an exit."""
        if raised is None:
            return False
        if isinstance(raised, SystemExit):
            return False
        self.code = code_of(raised)
        _tell(raised, code=self.code)
        return True


def code_of(raised: BaseException) -> int:
    """Return the exit code that *raised* stands for."""
    if is_disk_full(raised):
        return NOT_FINISHED
    if isinstance(raised, LeadlightError):
        return code_of_error(raised)
    return WRONG_INPUT if is_refused(raised) else OUR_BUG


def is_refused(raised: BaseException) -> bool:
    """Return whether *raised* says that a place cannot be written or read: no rights, or not a folder."""
    return isinstance(raised, OSError) and raised.errno in _REFUSED and bool(raised.filename)


def _tell(raised: BaseException, *, code: int) -> None:
    """Write the message for a person, or the traceback where the fault is ours."""
    if code == OUR_BUG:
        traceback.print_exception(raised, file=sys.stderr)
        sys.stderr.write("\nThis is a fault in Leadlight. Please report the lines above.\n")
    elif isinstance(raised, OSError):
        sys.stderr.write(_disk_full_message(raised) if is_disk_full(raised) else _refused_message(raised))
    else:
        sys.stderr.write(f"{raised}\n")


def _disk_full_message(fault: OSError) -> str:
    """Return what a person can do about a full disk."""
    place = f" at {os.fspath(fault.filename)!r}" if fault.filename else ""
    return (
        f"No space is left on the disk{place}. What was finished before is untouched.\n\n"
        "Hint: free some space, or point shop.workspace at another disk; then run it again.\n"
    )


def _refused_message(fault: OSError) -> str:
    """Return what a person can do about a place that cannot be used."""
    return (
        f"{os.fspath(fault.filename)!r} cannot be used: {str(fault.strerror).lower()}.\n\n"
        "Hint: shop.workspace in the config names a folder that you may write to, and the sources files that you may "
        "read.\n"
    )
