"""The settings of tables: where their rows come from, and how columns are mapped."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from features.errors import nearest
from features.tables import EXTRA_KINDS, TABLES

MOST_DAYS = 36_500
"""A hundred years: a setting of more days is a slip of the pen, and moments so far away have no date."""


class Section(BaseModel):
    """A section of the config: closed to unknown keys, never changed."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class ColumnSource(Section):
    """A column of the source that needs more said than its name."""

    column: str = Field(description="Its name in the source.")
    type: Literal["", "date", "time"] = Field(
        "", description="date: only the day counts, known at its end; time: midnight is meant."
    )
    format: str = Field("", description="strptime format of a text time; by default ISO 8601.")
    unit: Literal["", "s", "ms", "us"] = Field("", description="For a time that is a number since 1970.")


class ExtraColumn(Section):
    """A column of the shop's own beside the canonical ones."""

    type: Literal["text", "number", "time", "date"] = Field(description="What the column holds.")
    column: str = Field("", description="Its name in the source; by default its own name.")
    format: str = Field("", description="strptime format of a text time; by default ISO 8601.")


class Attribute(ExtraColumn):
    """An attribute of leads."""

    static: bool = Field(False, description="True: it never changes, so it may be used without versions.")
    sensitive: bool = Field(
        False, description="True: the model does not read it (see model.use_sensitive); reports show error gaps by it."
    )


class Source(Section):
    """Where rows of a canonical table come from."""

    path: str = Field("", description="A file, a folder or a glob of CSV, TSV, JSON-lines or Parquet.")
    query: str = Field("", description="DuckDB SQL instead of a path; {data} is the data folder.")
    crm: str = Field(
        "",
        description="A target under crm instead of a path: what was read from it (tables outcomes and lead_states).",
    )
    columns: dict[str, str | ColumnSource] = Field(
        default_factory=dict, description="Canonical name: the source's name; by default equal."
    )
    constants: dict[str, str | float] = Field(
        default_factory=dict, description="Canonical name: one value for all rows."
    )
    extra: dict[str, ExtraColumn] = Field(default_factory=dict, description="The shop's own columns.")
    attributes: dict[str, Attribute] = Field(default_factory=dict, description="Attributes of leads (table leads).")
    time_zone: str = Field("", description="Zone of this source's naive times; by default the shop's.")
    delimiter: str = Field("", max_length=1, description="The delimiter of CSV files; by default it is detected.")
    decimal: Literal[".", ","] = Field(".", description="The decimal sign of numbers written as text.")
    encoding: Literal["utf-8", "latin-1", "utf-16"] = Field("utf-8", description="The encoding of CSV files.")
    mode: Literal["append", "full"] = Field(
        "append", description="full: each file is always the whole export, replacing what its path held before."
    )
    static_status: bool = Field(False, description="Orders: a status without a time was true from the start.")
    cancelled_statuses: list[str] = Field(
        default_factory=lambda: ["cancelled", "canceled", "refunded", "returned"],
        description="Orders: states that mean cancelled.",
    )
    data_from: datetime | date | None = Field(None, description="First moment that the data cover.")
    data_until: datetime | date | None = Field(None, description="Last moment that they cover; includes a bare date.")

    @field_validator("extra", "attributes", mode="before")
    @classmethod
    def _short_form(cls, columns: Any) -> Any:  # noqa: ANN401 - whatever the YAML holds
        if not isinstance(columns, dict):
            return columns
        return {name: {"type": spec} if spec in EXTRA_KINDS else spec for name, spec in columns.items()}

    @field_validator("data_from", "data_until", mode="before")
    @classmethod
    def _bare_date(cls, said: Any) -> Any:  # noqa: ANN401 - whatever the YAML holds
        # A quoted date must mean what the same date means without quotes.
        return date.fromisoformat(said) if isinstance(said, str) and len(said) == len("2024-01-31") else said

    @field_validator("time_zone")
    @classmethod
    def _zone_exists(cls, zone: str) -> str:
        return existing_zone(zone) if zone else zone

    @model_validator(mode="after")
    def _one_origin(self) -> "Source":
        if sum(map(bool, (self.path, self.query, self.crm))) != 1:
            raise ValueError("give either path or query, or crm")
        return self

    @property
    def mapped(self) -> dict[str, ColumnSource]:
        """The mapping of canonical columns, each in its long form."""
        return {
            name: spec if isinstance(spec, ColumnSource) else ColumnSource(column=spec)
            for name, spec in self.columns.items()
        }


class Ingest(Section):
    """How rows are let in."""

    max_rejected_share: float = Field(0.01, ge=0, le=1, description="Stop when more of a table's rows are rejected.")
    max_leads_per_visitor: int = Field(5, ge=1, description="A visitor linked to more leads gives its rows to none.")
    buckets: int | Literal["auto"] = Field("auto", description="Buckets of leads; auto bounds the memory of each.")
    memory_limit_gb: float = Field(3.0, gt=0, description="Memory that DuckDB may take, in GB.")

    @field_validator("buckets")
    @classmethod
    def _at_least_one(cls, buckets: int | str) -> int | str:
        if isinstance(buckets, int) and buckets < 1:
            raise ValueError("must be auto or at least 1")
        return buckets


def existing_zone(zone: str) -> str:
    """Return *zone* if there is a time zone of that name, else raise a ValueError that says so."""
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError(f"'{zone}' is no IANA time zone such as Europe/Warsaw") from error
    return zone


def table_faults(tables: Mapping[str, Sequence[Source]]) -> list[str]:
    """Return one line per fault of the tables' settings that needs the canonical tables to be seen."""
    if not tables:
        return ["tables: names no table"]
    return [line for name, sources in tables.items() for line in _faults_of(name, sources)]


def _faults_of(table: str, sources: Sequence[Source]) -> Iterator[str]:
    if table not in TABLES:
        yield f"tables.{table}: no such table" + _meant(table, TABLES)
        return
    if not sources:
        yield f"tables.{table}: has no source"
    for number, source in enumerate(sources):
        yield from _faults_in(table, source, place=f"tables.{table}" + (f".{number}" if len(sources) > 1 else ""))


def _faults_in(table: str, source: Source, *, place: str) -> Iterator[str]:
    canonical = TABLES[table].names
    for section, names in (("columns", source.columns), ("constants", source.constants)):
        for name in names:
            if name not in canonical:
                yield f"{place}.{section}.{name}: '{table}' has no such column" + _meant(name, canonical)
    for name in (*source.extra, *source.attributes):
        if name in canonical:
            yield f"{place}.{name}: is a column of '{table}'; map it under columns"
    if source.attributes and table != "leads":
        yield f"{place}.attributes: only leads have attributes; use extra"
    for name in sorted(set(source.columns) & set(source.constants)):
        yield f"{place}.constants.{name}: is mapped under columns as well"


def _meant(word: str, choices: Any) -> str:  # noqa: ANN401 - any collection of words
    near = nearest(word, choices)
    return f" (did you mean '{near}'?)" if near else f"; there are {', '.join(choices)}"
