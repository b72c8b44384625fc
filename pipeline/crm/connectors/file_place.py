"""Which file it is: the connector's options, where their path leads, and what there keeps a file from being written."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Final, Literal

from pydantic import Field, field_validator, model_validator

from pipeline.crm.connectors.file_parts import Parts
from pipeline.crm.kinds import Surroundings
from pipeline.crm.promise import Misplaced, Missing
from pipeline.crm.trouble import StopError, StopReason
from pipeline.settings_tables import Section

_BY_SUFFIX: Final = {".csv": "csv", ".parquet": "parquet", ".jsonl": "jsonl", ".ndjson": "jsonl"}
_LONGEST_SHOWN: Final = 200
PLACE_HINT: Final = "let `connect.path` of the target name a file that can be written; `--setup` creates its folder."
"""What a person does about a place that cannot be written."""


class FileOptions(Section):
    """How the connector `file` finds its file."""

    path: str = Field(
        min_length=1,
        description="The file; a relative path starts at the config's folder, and ~ is not expanded.",
    )
    format: Literal["", "csv", "parquet", "jsonl"] = Field("", description="Its format; by default by its suffix.")

    @field_validator("path")
    @classmethod
    def _can_be_a_path(cls, path: str) -> str:
        if "\0" in path:
            raise ValueError("no path has the character NUL")
        if path.startswith("~") and "/" in path:  # a folder of that name would be made where nobody looks
            raise ValueError("~ is not expanded as in a shell: give the whole path, or ./~ for a folder named so")
        return path

    @model_validator(mode="after")
    def _format_is_known(self) -> FileOptions:
        if not self.format and Path(self.path).suffix.lower() not in _BY_SUFFIX:
            raise ValueError(f"the path ends in none of {', '.join(_BY_SUFFIX)}; give `format`")
        return self

    @property
    def format_name(self) -> str:
        """The format, given or by the suffix."""
        return self.format or _BY_SUFFIX[Path(self.path).suffix.lower()]


def file_of(options: FileOptions, surroundings: Surroundings) -> Path:
    """Return the file; what a link points to is replaced, never the link."""
    # Unlike Path.resolve, it goes on where links lead in a circle; `place_faults` tells of that.
    return Path(os.path.realpath(surroundings.folder / options.path))


def places(options: FileOptions, surroundings: Surroundings) -> frozenset[str]:
    """Return the file, however its path is spelled."""
    return frozenset({str(file_of(options, surroundings))})


def files(options: FileOptions, surroundings: Surroundings) -> frozenset[Path]:
    """Return the file, and a part as it lies beside it."""
    file = file_of(options, surroundings)
    return frozenset({file, Parts(file, options.format_name).folder / "part-00000001.parquet"})


def place_faults(file: Path, parts: Parts) -> list[str]:
    """Return what keeps *file*, whatever it holds, from being written where it is to lie, a line each."""
    try:
        return list(_faults(file, parts))
    except OSError as error:  # a name that is too long, a folder that may not be looked into
        return [Misplaced(f"'{_shown(file)}' cannot be written: {error.strerror}.")]


def require_readable(file: Path) -> None:
    """See that *file*, where there is one, can be read to an end: a pipe would be waited for for ever.

    Raises:
        StopError: It is no regular file.
    """
    if found := _kind_fault(file):
        raise StopError(found, reason=StopReason.SETUP, hint=PLACE_HINT)


def _faults(file: Path, parts: Parts) -> Iterator[str]:
    folder = file.parent
    if _kind(file) is None and not folder.exists():
        yield Missing(f"There is no folder '{_shown(folder)}'.")
    elif not folder.is_dir():
        yield Misplaced(f"'{_shown(folder)}' is no folder.")
    elif found := _kind_fault(file):
        yield Misplaced(found)
    elif not os.access(folder, os.W_OK | os.X_OK):
        yield Misplaced(f"The folder '{folder}' cannot be written to.")
    elif foreign := parts.foreign():
        yield Misplaced(f"Batches are to lie ready in '{parts.folder}', but {foreign}.")


def _kind_fault(file: Path) -> str:
    """Return what is wrong with what lies at *file*; empty = nothing."""
    kind = _kind(file)
    if kind == stat.S_IFDIR:
        return f"'{file}' is a folder."
    return "" if kind in {None, stat.S_IFREG} else f"'{file}' is no regular file."


def _kind(path: Path) -> int | None:
    """Return what lies at *path* itself, as `stat` calls it; None = nothing."""
    try:
        return stat.S_IFMT(path.lstat().st_mode)
    except (FileNotFoundError, NotADirectoryError):
        return None


def _shown(path: Path) -> str:
    text = str(path)
    return text if len(text) <= _LONGEST_SHOWN else f"{text[: _LONGEST_SHOWN // 2]}…{text[-_LONGEST_SHOWN // 4 :]}"
