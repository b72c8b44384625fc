"""What in a file keeps scores from being written to it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from pipeline.crm.connectors.file_engine import at_file, opened
from pipeline.crm.connectors.file_formats import Format
from pipeline.crm.promise import CrmField
from pipeline.crm.trouble import StopError, StopReason


def faults(file: Path, form: Format, key: str, fields: Sequence[CrmField], *, may_create: bool) -> list[str]:
    """Return what in *file*, which has rows, does not fit, a line each.

    All of it is read: what could not be read when the file is written anew must be told before anything is sent.

    Args:
        file: The file.
        form: Its format.
        key: The column that tells rows apart.
        fields: What is written.
        may_create: Whether new rows are added.

    Raises:
        StopError: It cannot be read, or not by these columns.
    """
    require_columns(file, form, key)
    with TemporaryDirectory(prefix="leadlight-file-") as room, at_file(file), opened(Path(room)) as connection:
        found = [*form.faults(connection, file, key, fields, may_create=may_create), *_twins(file, form, fields)]
        texts = form.file_texts(connection, file, key, ())
        asked = f"SELECT key FROM ({texts}) GROUP BY key HAVING count(*) > 1 AND key IS NOT NULL"  # noqa: S608
        repeated = connection.execute(f"SELECT count(*) FROM ({asked})").fetchall()[0][0]  # noqa: S608
    if repeated:
        found.append(f"'{key}' does not tell rows apart: {repeated:,} of its values stand more than once.")
    return found


def _twins(file: Path, form: Format, fields: Sequence[CrmField]) -> Iterator[str]:
    """Yield the fields beside which the file would have a column of the same name, case aside: nobody could read it."""
    columns = form.columns(file) or []
    for field in fields:
        for name in columns:
            if name != field.name and name.lower() == field.name.lower():
                yield f"'{file.name}' has a column '{name}', and '{field.name}' is written: name one as the other."


def require_columns(file: Path, form: Format, key: str) -> None:
    """See that the names of the columns of *file*, which has rows, tell each of them, and the key among them.

    Raises:
        StopError: They do not, or the file cannot be read; every fault is told.
    """
    columns = form.columns(file)
    if columns is None:
        return
    found = [] if key in columns else [f"'{file.name}' has no column '{key}', which is to tell rows apart."]
    plain = [name.lower() for name in columns]
    doubled = sorted({name for name in columns if plain.count(name.lower()) > 1})
    found += [f"'{file.name}' has more than one column '{name}', case aside." for name in doubled]
    if found:
        raise StopError(" ".join(found), reason=StopReason.SETUP, hint="correct the file, or the target's key.")
