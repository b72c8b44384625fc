"""DuckDB as files are merged and read with it: little memory, nothing from the network, the rest on the disk."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import duckdb

from features.errors import is_disk_full, tells_of_full_disk
from features.parsing import literal
from models.wording import one_line
from pipeline.crm.connectors.file_unreadable import unreadable
from pipeline.crm.said import LONGEST
from pipeline.crm.trouble import StopError, StopReason

MEMORY_MB: Final = 96


def opened(spill: Path) -> duckdb.DuckDBPyConnection:
    """Return a DuckDB; what does not fit in its memory goes to the folder *spill*.

    It has one thread: each that reads JSON lines takes 32 MB from the start, and two of them found no room.
    """
    connection = duckdb.connect(
        config={
            "memory_limit": f"{MEMORY_MB}MB", "threads": 1, "temp_directory": str(spill),
            "autoinstall_known_extensions": False, "autoload_known_extensions": False,
        }
    )  # fmt: skip
    connection.execute("SET TimeZone = 'UTC'")
    if connection.execute("SELECT current_setting('enable_progress_bar')").fetchall()[0][0]:
        connection.execute("SET enable_progress_bar = false")
    return connection


def quoted(name: str) -> str:
    """Return a column's name as SQL spells it."""
    return '"' + name.replace('"', '""') + '"'


def listed(values: list[str]) -> str:
    """Return texts as a list of SQL's."""
    return "[" + ", ".join(map(literal, values)) + "]"


@contextmanager
def at_file(path: Path) -> Iterator[None]:
    """Raise a `StopError` for what goes wrong with the file at *path* inside.

    DuckDB's own words may repeat lines of the file, so they are not passed on.
    """
    try:
        yield
    except duckdb.Error as error:
        if tells_of_full_disk(error):
            raise _full(path) from error
        if isinstance(error, duckdb.OutOfMemoryException):
            words = f"The rows of '{path.name}' are too long for the memory that there is."
            raise StopError(
                words, reason=StopReason.QUOTA, hint="shorten the fields, or write to a database."
            ) from None
        raise unreadable(path.name, error) from None
    except PermissionError as error:
        words = f"'{path}' cannot be written: {error.strerror}."
        raise StopError(words, reason=StopReason.PERMISSION, hint="see who may write to its folder.") from error
    except OSError as error:
        if is_disk_full(error):
            raise _full(path) from error
        cause = error.strerror or one_line(str(error), longest=LONGEST) or type(error).__name__
        words = f"'{path}' cannot be written: {cause}."
        hint = "see that its folder is there and is a folder, or run `leadlight publish --setup`."
        raise StopError(words, reason=StopReason.SETUP, hint=hint) from error


def _full(path: Path) -> StopError:
    words = f"The disk that holds '{path}' is full; the file is as it was."
    return StopError(words, reason=StopReason.QUOTA, hint="free some space, then run the same command again.")
