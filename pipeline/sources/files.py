"""The files of a source: which they are, how they are packed, and whether they were seen before."""

from __future__ import annotations

import glob
import hashlib
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from features.errors import LeadlightError, nearest, wrong_input

_FORMATS = {
    ".csv": "csv", ".tsv": "csv", ".txt": "csv",
    ".jsonl": "json", ".ndjson": "json", ".json": "json",
    ".parquet": "parquet", ".pq": "parquet",
}  # fmt: skip
_PACKINGS = {".gz": "gzip", ".zst": "zstd", ".zstd": "zstd"}
_CHUNK = 1 << 22


@dataclass(frozen=True)
class SourceFile:
    """One file of a source.

    Attributes:
        path: Where it lies.
        name: Its path as the config would say it: how it is recognised in later loads.
        format: csv, json or parquet.
        packing: gzip, zstd or none.
        fingerprint: The start of its content's BLAKE2b hash.
    """

    path: Path
    name: str
    format: str
    packing: str
    fingerprint: str

    @property
    def is_tabbed(self) -> bool:
        """Whether its name says that tabs part its columns."""
        return _kind_of(self.path)[0] == ".tsv"


def find_files(pattern: str, folder: Path) -> list[SourceFile]:
    """Return the files that *pattern* names, sorted by name.

    Args:
        pattern: A file, a folder (with its subfolders) or a glob.
        folder: Where a relative pattern starts.

    Raises:
        LeadlightError: There are none, or one has an unknown format or may not be read.
    """
    place = folder / pattern
    if place.is_dir():
        paths = [path for path in place.rglob("*") if _looks_like_data(path)]
    elif place.is_file():
        paths = [place]
    else:
        paths = [path for path in _globbed(pattern, folder) if path.is_file()]
    if not paths:
        raise _no_files(place)
    return [_source_file(path, folder) for path in sorted(paths)]


def would_read(pattern: str, folder: Path, path: Path) -> bool:
    """Return whether `find_files` would find a file at *path*, though there may be none yet.

    Args:
        pattern: A file, a folder or a glob.
        folder: Where a relative pattern starts.
        path: Absolute, without links.
    """
    place = folder / pattern
    steps = place.parts
    first = next((number for number, step in enumerate(steps) if glob.has_magic(step)), len(steps))
    plain = first == len(steps) or place.exists()
    root = Path(os.path.realpath(place if plain else Path(*steps[:first])))
    if path == root:
        return plain
    if not path.is_relative_to(root):
        return False
    if plain:
        return root.is_dir() and _is_named_like_data(path)
    return _fits(path.relative_to(root).parts, steps[first:])


def _fits(names: Sequence[str], steps: Sequence[str]) -> bool:
    """Return whether a path fits a glob, step by step."""
    if not steps:
        return not names
    if steps[0] == "**":
        return any(_fits(names[number:], steps[1:]) for number in range(len(names)))
    return bool(names) and fnmatchcase(names[0], steps[0]) and _fits(names[1:], steps[1:])


def _globbed(pattern: str, folder: Path) -> Iterator[Path]:
    if not Path(pattern).is_absolute():
        return folder.glob(pattern)
    root = Path(Path(pattern).anchor)
    return root.glob(str(Path(pattern).relative_to(root)))


def _looks_like_data(path: Path) -> bool:
    """Leave out what other programs drop beside data: hidden files, markers, copies under other endings."""
    return _is_named_like_data(path) and path.is_file()


def _is_named_like_data(path: Path) -> bool:
    return not path.name.startswith((".", "_")) and _kind_of(path)[0] in _FORMATS


def _source_file(path: Path, folder: Path) -> SourceFile:
    ending, packing = _kind_of(path)
    if ending not in _FORMATS:
        raise _unknown_format(path)
    name = path.relative_to(folder).as_posix() if path.is_relative_to(folder) else path.as_posix()
    try:
        return SourceFile(path, name, _FORMATS[ending], packing, _fingerprint(path))
    except PermissionError as error:
        raise _not_allowed(path) from error


def _kind_of(path: Path) -> tuple[str, str]:
    """Return the ending that tells the format, in lower case and empty without one, and how the file is packed."""
    endings = [suffix.lower() for suffix in path.suffixes]
    packing = _PACKINGS.get(endings[-1], "none") if endings else "none"
    if packing != "none":
        endings.pop()
    return endings[-1] if endings else "", packing


def _fingerprint(path: Path) -> str:
    digest = hashlib.blake2b(digest_size=8)
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def _no_files(place: Path) -> LeadlightError:
    beside = [path.name for path in place.parent.iterdir()] if place.parent.is_dir() else []
    near = nearest(place.name, beside)
    fact = f"There is no file, folder or glob '{place}'" + (f"; did you mean '{near}'?" if near else ".")
    return wrong_input(fact, hint="check the source's `path` and `data` in the config, or give the folder with --data.")


def _unknown_format(path: Path) -> LeadlightError:
    known = ", ".join(_FORMATS)
    return wrong_input(
        f"The format of '{path}' is not known.", hint=f"name it {known}, packed as .gz or .zst or not at all."
    )


def _not_allowed(path: Path) -> LeadlightError:
    return wrong_input(f"The file '{path}' may not be read.", hint="let the user who runs Leadlight read it.")
