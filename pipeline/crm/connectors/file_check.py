"""What in a file keeps scores from being written to it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from pipeline.crm.connectors.file_engine import at_file, opened
from pipeline.crm.connectors.file_formats import Format
from pipeline.crm.promise import CrmField


def faults(file: Path, form: Format, key: str, fields: Sequence[CrmField]) -> list[str]:
    """Return what in *file*, which has rows, does not fit, a line each.

    Args:
        file: The file.
        form: Its format.
        key: The column that tells rows apart.
        fields: What is written.

    Raises:
        StopError: It cannot be read.
    """
    found = faults_of_columns(file, form, key)
    columns = form.columns(file)
    if columns is not None and key not in columns:
        return found
    with TemporaryDirectory(prefix="leadlight-file-") as room, at_file(file), opened(Path(room)) as connection:
        found += form.faults(connection, file, fields)
        texts = form.file_texts(connection, file, key, ())
        asked = f"SELECT key FROM ({texts}) GROUP BY key HAVING count(*) > 1 AND key IS NOT NULL"  # noqa: S608
        repeated = connection.execute(f"SELECT count(*) FROM ({asked})").fetchall()[0][0]  # noqa: S608
    if repeated:
        found.append(f"'{key}' does not tell rows apart: {repeated:,} of its values stand more than once.")
    return found


def faults_of_columns(file: Path, form: Format, key: str) -> list[str]:
    """Return what does not fit in the names of the columns of *file*, a line each."""
    columns = form.columns(file)
    if columns is None:
        return []
    found = [] if key in columns else [f"'{file.name}' has no column '{key}', which is to tell rows apart."]
    plain = [name.lower() for name in columns]
    doubled = sorted({name for name in columns if plain.count(name.lower()) > 1})
    return found + [f"'{file.name}' has more than one column '{name}', case aside." for name in doubled]
