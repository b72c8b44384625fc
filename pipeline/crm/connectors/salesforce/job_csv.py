"""The CSV of Bulk jobs: rows as they go, and what came of them as it comes back, in any order.

A field is emptied by ``#N/A``; an empty cell would leave it as it was. Every cell is quoted, so commas, quotes and
line breaks of a value stay its own.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from typing import Final

from pipeline.crm.connectors.salesforce.api import GARBLED
from pipeline.crm.connectors.salesforce.rows import Part
from pipeline.crm.promise import Row, Value
from pipeline.crm.trouble import BatchRefusedError, RetryError

NOTHING: Final = "#N/A"
MOST_BYTES: Final = 95_000_000
"""Salesforce takes 150 MB after it has encoded them, which is 100 MB as they are."""
_ERROR: Final = "sf__Error"
_LONGEST_CELL: Final = 2**24
"""The longest long text area holds 131,072 characters, and a cell as many bytes again."""


def written(part: Part) -> bytes:
    """Return the rows of *part* as a job takes them.

    Raises:
        BatchRefusedError: They are too many bytes for one job.
    """
    names = list(next(iter(part.rows.values())).fields)
    text = io.StringIO(newline="")
    writer = csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\n")
    writer.writerow([part.column, *names])
    writer.writerows([ident, *[_cell(row.fields.get(name)) for name in names]] for ident, row in part.rows.items())
    # Half a character from a broken text becomes a question mark: the rest of the job must go.
    content = text.getvalue().encode("utf-8", "replace")
    if len(content) > MOST_BYTES:
        raise BatchRefusedError("The rows are more than a Bulk job takes.")
    return content


def means_nothing(ident: str, row: Row) -> bool:
    """Return whether a value reads ``#N/A`` itself: in CSV it would empty the field."""
    return ident == NOTHING or NOTHING in row.fields.values()


def _cell(value: Value) -> str:
    if isinstance(value, str):
        return value or NOTHING
    if value is None:
        return NOTHING
    if isinstance(value, bool):
        return "true" if value else "false"
    return repr(value)


def results(content: bytes, column: str) -> Iterator[tuple[str, str]]:
    """Yield what *column* holds in each row of a result file, with ``sf__Error`` where there is one.

    Raises:
        RetryError: The file is none of the documented form.
    """
    # The limit is the whole process's; it is never made smaller than others need it.
    csv.field_size_limit(max(csv.field_size_limit(), _LONGEST_CELL))
    rows = csv.reader(io.StringIO(content.decode("utf-8-sig", "replace"), newline=""))
    try:
        header = next(rows, None)
        if not header:
            return
        if column not in header:
            raise RetryError(GARBLED)
        at, error_at = header.index(column), header.index(_ERROR) if _ERROR in header else -1
        for row in rows:
            if len(row) == len(header):
                yield row[at], row[error_at] if error_at >= 0 else ""
    except csv.Error as error:
        raise RetryError(GARBLED) from error
