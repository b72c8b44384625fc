"""The files of a source: which they are, how they are packed, and whether they were seen before."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
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
        return ".tsv" in self.path.suffixes


def find_files(pattern: str, folder: Path) -> list[SourceFile]:
    """Return the files that *pattern* names, sorted by name.

    Args:
        pattern: A file, a folder (with its subfolders) or a glob.
        folder: Where a relative pattern starts.

    Raises:
        LeadlightError: There are none, or one has an unknown format.
    """
    place = folder / pattern
    if place.is_dir():
        paths = [path for path in place.rglob("*") if _looks_like_data(path)]
    elif place.is_file():
        paths = [place]
    else:
        paths = [path for path in folder.glob(pattern) if path.is_file()] if not Path(pattern).is_absolute() else []
    if not paths:
        raise _no_files(place)
    return [_source_file(path, folder) for path in sorted(paths)]


def _looks_like_data(path: Path) -> bool:
    """Leave out what other programs drop beside data: hidden files and markers."""
    is_plain = not path.name.startswith((".", "_"))
    return path.is_file() and is_plain and any(suffix in _FORMATS for suffix in path.suffixes)


def _source_file(path: Path, folder: Path) -> SourceFile:
    suffixes = [suffix.lower() for suffix in path.suffixes]
    packing = _PACKINGS.get(suffixes[-1], "none") if suffixes else "none"
    last = suffixes[-2:-1] if packing != "none" else suffixes[-1:]
    if not last or last[0] not in _FORMATS:
        raise _unknown_format(path)
    name = path.relative_to(folder).as_posix() if path.is_relative_to(folder) else path.as_posix()
    return SourceFile(path, name, _FORMATS[last[0]], packing, _fingerprint(path))


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
    return wrong_input(fact, hint="check tables.*.path and data in the config, or give the folder with --data.")


def _unknown_format(path: Path) -> LeadlightError:
    known = ", ".join(_FORMATS)
    return wrong_input(
        f"The format of '{path}' is not known.", hint=f"name it {known}, packed as .gz or .zst or not at all."
    )
