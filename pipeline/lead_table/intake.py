"""From a file to a table of leads: which column is what, with every fault of the mapping found at once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import duckdb

from features.errors import LeadlightError, wrong_input
from features.local_time import local_clock
from features.parsing import Raw
from features.reading import Mapped, Reading
from features.tables import CanonicalTable, Column
from pipeline.lead_table.inferring import infer
from pipeline.settings import Settings
from pipeline.settings_lead_table import LeadAttribute, LeadTableSettings
from pipeline.settings_tables import ColumnSource
from pipeline.sources.files import find_files
from pipeline.sources.mapping import found_column, is_number_as_time, not_there, raw_value
from pipeline.sources.relations import Relation, file_relation, query_relation

LEAD_ID, DATE, LABEL, CONVERTED_AT = "@lead_id", "@date", "@label", "@converted_at"
"""Names of what the table must tell; no attribute is called so."""
NO_ROWS = "it is empty: its source has no rows"
ATTRIBUTE, PERSON = "attribute/", "person/"
"""Begin the names of kept attributes, and of kept columns that say who a lead is."""

_COLUMNS = {
    LEAD_ID: Column(LEAD_ID, "id", "The lead.", is_required=True),
    DATE: Column(DATE, "time", "When it came in.", is_required=True),
    LABEL: Column(LABEL, "id", "Whether it converted."),
    CONVERTED_AT: Column(CONVERTED_AT, "time", "When it converted."),
}


@dataclass(frozen=True)
class Incoming:
    """The table as it is about to be read.

    Attributes:
        relation: What DuckDB reads.
        reading: How its columns become ours.
        said: The table's own names of `LEAD_ID` … `CONVERTED_AT`, those that it has.
        attributes: Name to ``text`` or ``number``.
        people: Which of `features.people.PEOPLE` it tells.
        left_out: Columns that are no attributes, and why, where that was left to us.
    """

    relation: Relation
    reading: Reading
    said: Mapping[str, str]
    attributes: Mapping[str, str]
    people: tuple[str, ...]
    left_out: Mapping[str, str]


def find_incoming(
    connection: duckdb.DuckDBPyConnection, settings: Settings, *, before: Mapping[str, str] | None, loaded_at: int
) -> Incoming:
    """Return the table of the config, mapped.

    Args:
        connection: DuckDB.
        settings: The shop's config, with a lead table.
        before: The attributes as they were read before; None at a first load. What was inferred once holds.
        loaded_at: The moment of the load, microseconds (UTC).

    Raises:
        LeadlightError: The file is not there or does not fit the config: all faults at once.
    """
    asked = _lead_table(settings)
    relation = _relation(connection, settings, asked)
    there = relation.columns
    faults: list[str] = []
    own = list(_own(asked, there, faults))
    said = {mapped.column.name: spec.column for mapped, spec in own}
    people = list(_people(asked, there, faults))
    left_out: Mapping[str, str] = {}
    if isinstance(asked.attributes, dict):
        specs = asked.attributes
    else:
        spoken_for = {*said.values(), *_named(asked.people.values(), there), *_dropped(asked.drop, there, faults)}
        # Spelled otherwise it would be read as an attribute like any other.
        faults += [not_there(f"sensitive.{name}", name, there) for name in asked.sensitive if name not in there]
        found = infer(connection, relation, spoken_for=spoken_for, has_decimal_comma=asked.decimal == ",")
        kinds = {**found.attributes, **(before or {})}
        left_out = {name: why for name, why in found.left_out.items() if name not in kinds}
        specs = {name: LeadAttribute(type="number" if kind == "number" else "text") for name, kind in kinds.items()}
    attributes = list(_attributes(asked, specs, there, faults))
    if not specs:
        has_rows = connection.execute(f"SELECT 1 FROM {relation.sql} LIMIT 1").fetchone()  # noqa: S608 - our own words
        faults.append("attributes: no column is left that describes a lead" if has_rows else NO_ROWS)
    if faults:
        raise _does_not_fit(faults)
    reading = Reading(
        table=CanonicalTable("lead_table", tuple(_COLUMNS.values()), id_column="", time_column=DATE),
        columns=(*(mapped for mapped, _ in own), *people, *attributes),
        clock=local_clock(asked.time_zone or settings.shop.time_zone),
        loaded_at=loaded_at,
    )
    kinds = {name: spec.type for name, spec in specs.items()}
    return Incoming(relation, reading, said, kinds, tuple(asked.people), left_out)


def _lead_table(settings: Settings) -> LeadTableSettings:
    if settings.lead_table is None:
        raise ValueError("the config has no lead table")
    return settings.lead_table


def _relation(connection: duckdb.DuckDBPyConnection, settings: Settings, asked: LeadTableSettings) -> Relation:
    if asked.query:
        folder = str(settings.data_folder).replace("'", "''")
        query = asked.query.replace("{data}", folder)
        return query_relation(connection, query, table="lead_table", by_content=False)
    files = find_files(asked.path, settings.data_folder)
    return file_relation(connection, files, asked.source, name="lead_table", by_content=False)


def _own(
    asked: LeadTableSettings, there: Mapping[str, str], faults: list[str]
) -> Iterator[tuple[Mapped, ColumnSource]]:
    """Yield the columns that the table must tell, with what the config says of each."""
    wanted = {
        LEAD_ID: ColumnSource(column=asked.lead_id) if asked.lead_id else None,
        DATE: asked.date_column,
        LABEL: ColumnSource(column=asked.label.column) if asked.label.column else None,
        CONVERTED_AT: asked.converted_at_column,
    }
    settings = {LEAD_ID: "lead_id", DATE: "date", LABEL: "label.column", CONVERTED_AT: "label.converted_at"}
    for name, spec in wanted.items():
        if spec is None:
            continue
        found = found_column(spec.column, there)
        if found is None:
            faults.append(not_there(settings[name], spec.column, there))
            continue
        if is_number_as_time(_COLUMNS[name], there[found]) and not spec.unit:
            say = f"{settings[name]}: {{column: {found}, unit: s}}"
            faults.append(f"{settings[name]}   ('{found}' holds numbers: say `{say}`, or ms, or us)")
        spec = spec.model_copy(update={"column": found})  # noqa: PLW2901 - the same column as the table spells it
        yield Mapped(_COLUMNS[name], raw_value(spec, found, there[found], asked.source)), spec


def _people(asked: LeadTableSettings, there: Mapping[str, str], faults: list[str]) -> Iterator[Mapped]:
    """Yield the columns that say who a lead is."""
    for name, column in asked.people.items():
        found = found_column(column, there)
        if found is None:
            faults.append(not_there(f"people.{name}", column, there))
            continue
        raw = raw_value(ColumnSource(column=found), found, there[found], asked.source)
        yield Mapped(Column(PERSON + name, "text", "Who the lead is."), raw, is_extra=True)


def _named(columns: Iterable[str], there: Mapping[str, str]) -> set[str]:
    """Return the table's own names of the columns about people: they describe nobody's likelihood to buy."""
    return {found for column in columns if (found := found_column(column, there)) is not None}


def _attributes(
    asked: LeadTableSettings, specs: Mapping[str, LeadAttribute], there: Mapping[str, str], faults: list[str]
) -> Iterator[Mapped]:
    for name, spec in specs.items():
        found = found_column(spec.column or name, there)
        if found is None:
            faults.append(_attribute_lacks(asked, name, spec, there))
            continue
        raw: Raw = raw_value(ColumnSource(column=found), found, there[found], asked.source)
        yield Mapped(Column(name, spec.type, "An attribute."), raw, is_extra=True)


def _attribute_lacks(asked: LeadTableSettings, name: str, spec: LeadAttribute, there: Mapping[str, str]) -> str:
    """Return the line for an attribute that the table does not have; one inferred before was mapped by nobody."""
    if isinstance(asked.attributes, dict):
        return not_there(f"attributes.{name}", spec.column or name, there)
    return f"{name}   (an attribute so far, and no longer in the table: `leadlight ingest --rebuild` does without)"


def _dropped(names: list[str], there: Mapping[str, str], faults: list[str]) -> list[str]:
    """Return the table's spelling of *names*; one that it does not have is a fault."""
    found = {name: found_column(name, there) for name in names}
    faults += [not_there(f"drop.{name}", name, there) for name, column in found.items() if column is None]
    return [column for column in found.values() if column is not None]


def _does_not_fit(faults: list[str]) -> LeadlightError:
    hint = "correct the names under lead_table in the config; `leadlight check` reads without writing."
    return wrong_input("The lead table does not fit the config:", faults, hint=hint)
