"""Files of rows that people open: written anew as a whole, and gone where there is nothing to say."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path

from pipeline.workspace import Workspace


def write_rows(workspace: Workspace, path: Path, head: Sequence[str], rows: Iterator[Sequence[object]]) -> Path | None:
    """Write *rows* below *head* as CSV to *path* and return it; None = there are none, and there is no file."""
    first = next(rows, None)
    if first is None:
        path.unlink(missing_ok=True)
        return None
    with workspace.writing(path) as part, part.open("w", encoding="utf-8", newline="") as file:
        written = csv.writer(file)
        written.writerow(head)
        written.writerow(first)
        written.writerows(rows)
    return path
