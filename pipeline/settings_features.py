"""The settings of features: which families and windows, and the shop's own features."""

from typing import Any, Literal

from pydantic import Field, field_validator, model_validator

from features.catalog import FAMILIES, MEASURES
from features.errors import nearest
from features.families.offering import EVENT_TYPES
from features.plan import DIRECT
from pipeline.settings_tables import MOST_DAYS, Section

_NEEDS = {
    "column": ("sum", "mean", "distinct", "first", "last", "open_sum", "trigger"),
    "of": ("share", "rate"),
    "long_window": ("trend",),
    "since_table": ("open_count", "open_sum", "open_age"),
    "half_life": ("decayed_half_life",),
}


class OwnMeasure(Section):
    """What a feature of the shop's own measures."""

    kind: str = Field(description="What is measured: count, sum, share, days_since_last, ...")
    table: str = Field("", description="The table whose rows are measured.")
    where: dict[str, Any] = Field(default_factory=dict, description="Which of its rows.")
    column: str = Field("", description="The column measured, where the kind needs one.")
    of: dict[str, Any] = Field(default_factory=dict, description="share, rate: what the counted rows meet.")
    long_window: int = Field(0, ge=0, le=MOST_DAYS, description="trend: days of the longer window.")
    since_table: str = Field("", description="open_*: the table whose latest row closes what was open.")
    since_where: dict[str, Any] = Field(default_factory=dict, description="open_*: which of its rows close it.")
    half_life: int = Field(0, ge=0, le=MOST_DAYS, description="decayed_half_life: days after which a row counts half.")

    @field_validator("kind")
    @classmethod
    def _kind_exists(cls, kind: str) -> str:
        return _known(kind, MEASURES, "measure")

    @model_validator(mode="after")
    def _complete(self) -> "OwnMeasure":
        lacking = [name for name, kinds in _NEEDS.items() if self.kind in kinds and not getattr(self, name)]
        if self.kind not in DIRECT and not self.table:
            lacking.append("table")
        if lacking:
            raise ValueError(f"measure {self.kind} needs {' and '.join(lacking)}")
        return self


class OwnPhrase(Section):
    """How a feature is said; {n} is its value, {window} its window."""

    many: str = Field("", description="For any other value; by default the feature's name.")
    one: str = Field("", description="For exactly 1.")
    zero: str = Field("", description="For 0.")
    missing: str = Field("", description="For a missing value.")


class OwnFeature(Section):
    """A feature of the shop's own."""

    name: str = Field(min_length=1, description="Column name; the window is added to it.")
    family: Literal["purchase", "engagement", "funnel", "acquisition", "fit", "calendar"] = Field(
        description="Its family."
    )
    kind: Literal["number", "category"] = Field("number", description="What its values are.")
    unit: Literal["count", "money", "days", "share", "ratio", "seconds", "pages", "category", "number"] = Field(
        "count", description="How its values are said."
    )
    concept: str = Field("", description="Features of one concept give one reason; by default its name.")
    measure: OwnMeasure = Field(description="What is measured.")
    windows: list[int | Literal["ever"]] = Field(
        default_factory=list, description="Days, or ever; by default features.windows."
    )
    phrase: OwnPhrase = Field(default_factory=OwnPhrase, description="How it is said.")
    description: str = Field("", description="One line for the data dictionary.")
    monotone: Literal[-1, 0, 1] = Field(0, description="The direction that the shop knows to be true.")

    @model_validator(mode="after")
    def _windows_fit(self) -> "OwnFeature":
        days = [window for window in self.windows if window != "ever"]
        if any(not 1 <= window <= MOST_DAYS for window in days):
            raise ValueError(f"windows are days from 1 to {MOST_DAYS}, or ever")
        if self.measure.kind == "decayed_linear" and "ever" in self.windows:
            raise ValueError("what fades linearly needs windows in days, not ever")
        too_long = [window for window in days if window >= self.measure.long_window]
        if self.measure.kind == "trend" and ("ever" in self.windows or too_long or not days):
            raise ValueError("a trend needs windows in days, all shorter than its long_window")
        return self


class FeatureSettings(Section):
    """Which features are computed."""

    windows: list[int] = Field(default_factory=lambda: [7, 30, 90], min_length=2, description="Days of the windows.")
    families: list[str] = Field(default_factory=lambda: list(FAMILIES), description="Families to take.")
    add: list[OwnFeature] = Field(default_factory=list, description="The shop's own features.")
    drop: list[str] = Field(default_factory=list, description="Names, or their beginnings, to leave out.")
    event_types: dict[str, list[str]] = Field(default_factory=dict, description="Our event type: the shop's names.")

    @field_validator("windows")
    @classmethod
    def _windows_are_days(cls, windows: list[int]) -> list[int]:
        if any(not 1 <= window <= MOST_DAYS for window in windows) or len(set(windows)) < len(windows):
            raise ValueError(f"windows are different numbers of days from 1 to {MOST_DAYS}")
        return windows

    @field_validator("families")
    @classmethod
    def _families_exist(cls, families: list[str]) -> list[str]:
        return [_known(family, FAMILIES, "family") for family in families]

    @field_validator("event_types")
    @classmethod
    def _types_exist(cls, types: dict[str, list[str]]) -> dict[str, list[str]]:
        return {_known(ours, EVENT_TYPES, "event type"): names for ours, names in types.items()}


def _known(word: str, words: Any, what: str) -> str:  # noqa: ANN401 - any collection of words
    if word not in words:
        near = nearest(word, words)
        raise ValueError(f"unknown {what} '{word}'" + (f" (did you mean '{near}'?)" if near else ""))
    return word
