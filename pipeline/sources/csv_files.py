"""CSV files: the header is read here, so that a wrong delimiter or encoding is named before any row is."""

from __future__ import annotations

import codecs
import csv
import io
from dataclasses import dataclass

import pyarrow as pa

from features.errors import LeadlightError, wrong_input
from features.parsing import literal
from pipeline.settings_tables import Source
from pipeline.sources.files import SourceFile

_DELIMITERS = (",", ";", "\t", "|")
_NAMES = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}
_HEADER_BYTES = 1 << 16


@dataclass(frozen=True)
class CsvHeader:
    """What the first line of a file says.

    Attributes:
        delimiter: What parts its columns.
        columns: Their names.
    """

    delimiter: str
    columns: tuple[str, ...]


def read_header(file: SourceFile, source: Source) -> CsvHeader:
    """Return the header of *file*.

    Raises:
        LeadlightError: The file is empty, is not in the encoding, or its columns are not parted by
            the delimiter that the config names.
    """
    text = _first_bytes(file, source.encoding)
    lines = text.splitlines()
    if not lines or not lines[0].strip():
        raise _empty(file)
    delimiter = source.delimiter or ("\t" if file.is_tabbed else _likely_delimiter(lines[0]))
    columns = next(csv.reader(io.StringIO(text), delimiter=delimiter))
    if len(columns) == 1 and (other := _likely_delimiter(lines[0])) != delimiter and other in lines[0]:
        raise _wrong_delimiter(file, delimiter, other)
    names = tuple(column.strip() for column in columns)
    if repeated := sorted({name for name in names if names.count(name) > 1}):
        raise _repeated(file, repeated)
    return CsvHeader(delimiter, names)


def csv_sql(file: SourceFile, source: Source, header: CsvHeader, *, rejects: str) -> str:
    """Return the table function that reads *file* as text.

    Args:
        file: The file.
        source: Its settings.
        header: Its header.
        rejects: Name of the table that collects lines that are no rows.
    """
    columns = ", ".join(f"{literal(name)}: 'VARCHAR'" for name in header.columns)
    return (
        f"read_csv({literal(str(file.path))}, auto_detect=false, header=true, delim={literal(header.delimiter)}, "
        f"quote='\"', escape='\"', nullstr='', encoding={literal(source.encoding)}, "
        f"compression={literal(file.packing)}, columns={{{columns}}}, ignore_errors=true, store_rejects=true, "
        f"rejects_table={literal(rejects)}, rejects_scan={literal(rejects + '_scans')})"
    )


def _first_bytes(file: SourceFile, encoding: str) -> str:
    packing = None if file.packing == "none" else file.packing
    try:
        with pa.input_stream(str(file.path), compression=packing) as stream:
            first = stream.read(_HEADER_BYTES)
    except OSError as error:
        raise _unpackable(file) from error
    # DuckDB reads no row of it, and does not say so.
    if encoding == "utf-16" and first.startswith(codecs.BOM_UTF16_BE):
        raise _not_decodable(file, "little-endian utf-16")
    name = "utf-8-sig" if encoding == "utf-8" else encoding
    # Only the header must be right here; a broken row further on is turned away by itself.
    line, _, rest = first.partition(b"\n") if encoding != "utf-16" else (first, b"", b"")
    try:
        return line.decode(name) + "\n" + rest.decode(name, errors="replace")
    except UnicodeDecodeError as error:
        raise _not_decodable(file, encoding) from error


def _likely_delimiter(line: str) -> str:
    return max(_DELIMITERS, key=line.count)


def _empty(file: SourceFile) -> LeadlightError:
    return wrong_input(f"The file '{file.name}' has no header.", hint="its first line must name the columns.")


def _wrong_delimiter(file: SourceFile, delimiter: str, other: str) -> LeadlightError:
    said = _NAMES.get(delimiter, delimiter)
    fact = (
        f"The file '{file.name}' has one column when parted by {said}, but its header holds the sign '{_NAMES[other]}'."
    )
    return wrong_input(
        fact, hint="correct the source's `delimiter` in the config, or remove it: the delimiter is then detected."
    )


def _repeated(file: SourceFile, names: list[str]) -> LeadlightError:
    return wrong_input(
        f"The header of '{file.name}' names columns twice:", names, hint="give every column its own name."
    )


def _unpackable(file: SourceFile) -> LeadlightError:
    return wrong_input(f"The file '{file.name}' cannot be unpacked as {file.packing}.", hint="was it copied whole?")


def _not_decodable(file: SourceFile, encoding: str) -> LeadlightError:
    hint = "save it as UTF-8, or set the source's `encoding` to latin-1 or utf-16 in the config."
    return wrong_input(f"The header of '{file.name}' is not {encoding}.", hint=hint)
