"""Files of rows that people open: safe in a spreadsheet, written anew as a whole, gone where nothing is to be said."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from itertools import chain, islice
from pathlib import Path
from typing import Final

import pyarrow as pa

from pipeline.spreadsheets import safe_texts
from pipeline.workspace import Workspace

_AT_ONCE: Final = 10_000


def write_rows(workspace: Workspace, path: Path, head: Sequence[str], rows: Iterator[Sequence[object]]) -> Path | None:
    """Write *rows* below *head* as CSV to *path* and return it; None = there are none, and there is no file.

    Args:
        workspace: Where the file lies.
        path: The file.
        head: The names of the columns.
        rows: One value for each of them, of one type in a column; None is an empty cell.
    """
    first = next(rows, None)
    if first is None:
        path.unlink(missing_ok=True)
        return None
    rows = chain([first], rows)
    with workspace.writing(path) as part, part.open("w", encoding="utf-8", newline="") as file:
        written = csv.writer(file)
        written.writerow(head)
        while some := list(islice(rows, _AT_ONCE)):
            written.writerows(zip(*map(_shown, zip(*some, strict=True)), strict=True))
    return path


def _shown(values: Sequence[object]) -> Sequence[object]:
    """Return a column as a spreadsheet may show it."""
    column = pa.array(values)
    return safe_texts(pa.chunked_array([column])).to_pylist() if pa.types.is_string(column.type) else values
