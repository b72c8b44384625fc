"""From a source's columns to canonical ones, with every fault of the mapping found at once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from features.errors import nearest
from features.parsing import Raw, literal, quoted
from features.reading import Mapped
from features.tables import TABLES, Column, missing_columns
from pipeline.settings_tables import ColumnSource, ExtraColumn, Source

NUMBERS = (
    "TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT", "UHUGEINT",
    "FLOAT", "DOUBLE", "DECIMAL",
)  # fmt: skip


@dataclass(frozen=True)
class TableMapping:
    """How a source fills a canonical table.

    Attributes:
        columns: What is mapped, canonical columns first, each group in a fixed order.
        faults: One line per fault; empty when the source fits.
    """

    columns: tuple[Mapped, ...]
    faults: tuple[str, ...]


def map_columns(table: str, source: Source, there: Mapping[str, str]) -> TableMapping:
    """Return how *source* fills *table*.

    Args:
        table: The canonical table.
        source: Its settings.
        there: The source's columns and their DuckDB types.
    """
    faults: list[str] = []
    canonical = list(_canonical(table, source, there, faults))
    own = list(_own(source, there, faults))
    filled = [mapped.column.name for mapped in canonical]
    # A column mapped by a wrong name has been reported already.
    lacking = missing_columns(table, [*filled, *source.columns], found=there)
    return TableMapping((*canonical, *own), (*faults, *lacking))


def _canonical(table: str, source: Source, there: Mapping[str, str], faults: list[str]) -> Iterator[Mapped]:
    mapped = source.mapped
    for column in TABLES[table].columns:
        if column.name in source.constants:
            yield Mapped(column, _constant(source.constants[column.name]))
            continue
        spec = mapped.get(column.name) or ColumnSource(column=column.name)
        name = found_column(spec.column, there)
        if name is not None:
            if is_number_as_time(column, there[name]) and not spec.unit:
                say = f"{column.name}: {{column: {name}, unit: s}}"
                faults.append(f"{column.name}   ('{name}' holds numbers: say `{say}`, or ms, or us)")
            yield Mapped(column, raw_value(spec, name, there[name], source))
        elif column.name in mapped:
            faults.append(not_there(column.name, spec.column, there))


def _own(source: Source, there: Mapping[str, str], faults: list[str]) -> Iterator[Mapped]:
    specs: dict[str, ExtraColumn] = {**source.extra, **source.attributes}
    for own_name, spec in specs.items():
        name = found_column(spec.column or own_name, there)
        if name is None:
            faults.append(not_there(own_name, spec.column or own_name, there))
            continue
        column = Column(own_name, "time" if spec.type in ("time", "date") else spec.type, "The shop's own.")
        said = ColumnSource(column=name, type="date" if spec.type == "date" else "", format=spec.format)
        if is_number_as_time(column, there[name]):
            faults.append(f"{own_name}   ('{name}' holds numbers: say `type: number`, or make it a time in a query)")
        yield Mapped(column, raw_value(said, name, there[name], source), is_extra=True)


def is_number_as_time(column: Column, kind: str) -> bool:
    """Return whether *column* is a time and the source holds a number there."""
    # DECIMAL comes with its digits, such as DECIMAL(18,3).
    return column.kind == "time" and kind.partition("(")[0] in NUMBERS


def raw_value(spec: ColumnSource, name: str, kind: str, source: Source) -> Raw:
    """Return how *source* holds a column.

    Args:
        spec: What the config says of it.
        name: Its name in the source.
        kind: Its DuckDB type.
        source: The source's settings.
    """
    return Raw(
        sql=quoted(name),
        type=kind,
        is_date=spec.type == "date",
        is_time=spec.type == "time",
        format=spec.format,
        unit=spec.unit,
        has_decimal_comma=source.decimal == ",",
    )


def _constant(value: str | float) -> Raw:
    if isinstance(value, str):
        return Raw(literal(value), "VARCHAR")
    return Raw(f"{value!r}::DOUBLE", "DOUBLE")


def found_column(name: str, there: Mapping[str, str]) -> str | None:
    """Return the source's spelling of *name*: exact, or the only one that differs in case alone."""
    if name in there:
        return name
    alike = [column for column in there if column.lower() == name.lower()]
    return alike[0] if len(alike) == 1 else None


def not_there(column: str, asked: str, there: Mapping[str, str]) -> str:
    """Return the line for a column that is mapped to one that the source does not have."""
    near = nearest(asked, there)
    return f"{column}   (mapped to '{asked}', which is not there" + (f"; did you mean '{near}'?)" if near else ")")
