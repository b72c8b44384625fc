"""The settings of a lead table: one row per lead, its attributes, and whether it converted."""

import datetime as dt
from collections.abc import Iterable
from typing import Any, Final, Literal

from pydantic import Field, field_validator, model_validator

from pipeline.settings_tables import MOST_DAYS, ColumnSource, Section, Source, existing_zone

AUTO: Final = "auto"
Outcome = str | int | bool
"""What a cell may say of a lead."""

_POSITIVE: Final[tuple[Outcome, ...]] = ("yes", "true", "1", "y", "t", "won")
_NEGATIVE: Final[tuple[Outcome, ...]] = ("no", "false", "0", "n", "f", "lost")


class LabelSettings(Section):
    """Which column says whether a lead converted."""

    column: str = Field("", description="A column with an outcome; empty cells are leads that are still open.")
    positive: list[Outcome] = Field(
        default_factory=lambda: list(_POSITIVE), description="Outcomes that are a conversion."
    )
    negative: list[Outcome] = Field(
        default_factory=lambda: list(_NEGATIVE), description="Outcomes that are no conversion."
    )
    open: list[Outcome] = Field(
        default_factory=list, description="Outcomes of leads that are still open, as an empty cell is."
    )
    converted_at: str | ColumnSource = Field(
        "", description="Instead of an outcome: the column with the time of the conversion; empty where there is none."
    )

    @model_validator(mode="after")
    def _one_kind(self) -> "LabelSettings":
        if bool(self.column) == bool(self.converted_at):
            raise ValueError("give either column or converted_at")
        positive, negative, still_open = (spellings(values) for values in (self.positive, self.negative, self.open))
        both = sorted((positive & negative) | (positive & still_open) | (negative & still_open))
        if both:
            raise ValueError(f"{', '.join(both)} stands in two of positive, negative and open")
        return self


class LeadAttribute(Section):
    """An attribute of the table's leads."""

    type: Literal["text", "number"] = Field(description="What the column holds.")
    column: str = Field("", description="Its name in the table; by default its own name.")
    unit: Literal["", "count", "money", "days", "share", "ratio", "seconds", "pages", "number"] = Field(
        "", description="How its numbers are said."
    )
    monotone: Literal[-1, 0, 1] = Field(0, description="The direction that the shop knows to be true.")
    sensitive: bool = Field(
        False, description="True: the model does not read it (see model.use_sensitive); reports show error gaps by it."
    )


class LeadTableSettings(Section):
    """One row per lead, its attributes, and whether it converted: an export of a CRM, without any history."""

    path: str = Field("", description="A file, a folder or a glob of CSV, TSV, JSON-lines or Parquet.")
    query: str = Field("", description="DuckDB SQL instead of a path; {data} is the data folder.")
    lead_id: str = Field("", description="The column with the lead's id; without it, the row's number is its id.")
    label: LabelSettings = Field(description="Which column says whether a lead converted.")
    date: str | ColumnSource | None = Field(
        None, description="The column that says when the lead came in: the model is judged on the newest leads."
    )
    order: Literal["", "rows"] = Field("", description="rows: there is no date, and the rows are in order of time.")
    horizon_days: int = Field(
        0,
        ge=0,
        le=MOST_DAYS,
        description="Days from the date within which a conversion counts; 0 = whenever it happened.",
    )
    data_until: dt.date | None = Field(
        None, description="The last day that the table tells of; by default its latest time, or when it was read."
    )
    attributes: Literal["auto"] | dict[str, LeadAttribute] = Field(
        AUTO, description="Attributes that the model may read: name to text or number; auto: every column that fits."
    )
    drop: list[str] = Field(
        default_factory=list, description="auto: columns to leave out, such as what is filled in after the outcome."
    )
    sensitive: list[str] = Field(default_factory=list, description="auto: attributes that are sensitive.")
    people: dict[Literal["display_name", "company", "email", "phone", "owner", "consent"], str] = Field(
        default_factory=dict,
        description="Columns that say who a lead is: for showing and reaching it; no model reads them.",
    )
    time_zone: str = Field("", description="Zone of the table's naive times; by default the shop's.")
    delimiter: str = Field("", max_length=1, description="The delimiter of CSV files; by default it is detected.")
    decimal: Literal[".", ","] = Field(".", description="The decimal sign of numbers written as text.")
    encoding: Literal["utf-8", "latin-1", "utf-16"] = Field("utf-8", description="The encoding of CSV files.")
    mode: Literal["append", "full"] = Field(
        "append", description="full: leads that a newer export no longer has are gone."
    )

    @field_validator("attributes", mode="before")
    @classmethod
    def _short_form(cls, attributes: Any) -> Any:  # noqa: ANN401 - whatever the YAML holds
        if not isinstance(attributes, dict):
            return attributes
        return {name: {"type": spec} if isinstance(spec, str) else spec for name, spec in attributes.items()}

    @field_validator("time_zone")
    @classmethod
    def _zone_exists(cls, zone: str) -> str:
        return existing_zone(zone) if zone else zone

    @model_validator(mode="after")
    def _whole(self) -> "LeadTableSettings":
        if faults := [text for is_wrong, text in self._faults() if is_wrong]:
            raise ValueError("; ".join(faults))
        return self

    def _faults(self) -> list[tuple[bool, str]]:
        is_listed = isinstance(self.attributes, dict)
        return [
            (bool(self.path) == bool(self.query), "give either path or query"),
            (self.date is not None and bool(self.order), "give either date or order: rows"),
            (bool(self.horizon_days) and self.date is None, "horizon_days needs a date to count from"),
            (
                bool(self.label.converted_at) and not self.horizon_days,
                "label.converted_at needs a date and horizon_days: else old leads would have had longer to convert",
            ),
            (is_listed and not self.attributes, "attributes names no attribute (auto takes every column that fits)"),
            (is_listed and bool(self.drop or self.sensitive), "drop and sensitive go with attributes: auto"),
        ]

    @property
    def source(self) -> Source:
        """What a source of tables says of files, for those who read them."""
        return Source(
            path=self.path,
            query=self.query,
            time_zone=self.time_zone,
            delimiter=self.delimiter,
            decimal=self.decimal,
            encoding=self.encoding,
        )

    @property
    def date_column(self) -> ColumnSource | None:
        """The date's column with what is said of it."""
        return ColumnSource(column=self.date) if isinstance(self.date, str) else self.date

    @property
    def converted_at_column(self) -> ColumnSource | None:
        """The column of the conversion's time with what is said of it."""
        said = self.label.converted_at
        return (ColumnSource(column=said) if isinstance(said, str) else said) if said else None

    @property
    def asked(self) -> dict[str, Any]:
        """What is asked of the leads: what converted, and within what time."""
        return self.model_dump(mode="json", include={"label", "date", "order", "horizon_days"})

    @property
    def named_attributes(self) -> dict[str, bool]:
        """The attributes that the config names, and whether each is sensitive."""
        if isinstance(self.attributes, dict):
            return {name: spec.sensitive for name, spec in self.attributes.items()}
        return dict.fromkeys(self.sensitive, True)


def spellings(values: Iterable[Outcome]) -> set[str]:
    """Return how outcomes are spelled in the cells of a table, in lower case.

    YAML reads a bare ``yes`` as a truth value, so a truth value stands for the word as well.
    """
    words = {True: ("true", "yes", "on"), False: ("false", "no", "off")}
    return {
        word
        for value in values
        for word in (words[value] if isinstance(value, bool) else (str(value).strip().lower(),))
    }
