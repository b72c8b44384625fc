"""Files of scores that cannot be read: told as such, with what to do, whoever reads them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import pyarrow as pa

from features.errors import LeadlightError, compose

SCORE_AGAIN: Final = "`leadlight score` writes the published run anew."


class DamagedError(LeadlightError):
    """A file of the stored scores is damaged or gone."""


@contextmanager
def reading(path: Path, *, hint: str = SCORE_AGAIN) -> Iterator[None]:
    """Let what goes wrong while *path* is read be told as damage of that file.

    Raises:
        DamagedError: The file is not what it should be.
    """
    try:
        yield
    # A text that is cut off, a table without its end, a note without what it should say.
    except (OSError, ValueError, KeyError, TypeError, AttributeError, pa.ArrowException) as error:
        raise DamagedError(compose(f"'{path}' is damaged or gone.", hint=hint)) from error
