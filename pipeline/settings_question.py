"""The part of a config that asks: what converts, who is asked about, when, how far ahead."""

from datetime import date
from typing import Any, Literal

from pydantic import Field, model_validator

from pipeline.settings_tables import MOST_DAYS, Section

Where = dict[str, Any]


class ConversionSettings(Section):
    """What counts as a conversion."""

    table: Literal["orders", "events", "outcomes"] = Field("orders", description="The table that holds conversions.")
    where: Where = Field(default_factory=dict, description="Conditions on its rows.")
    minimum_amount: float | None = Field(None, ge=0, description="Orders below this amount do not count.")


class TriggerSettings(Section):
    """The rows at which leads are asked about."""

    table: str = Field(description="The table whose rows pull the trigger.")
    where: Where = Field(default_factory=dict, description="Which of its rows do.")
    match: str = Field("", description="A column that trigger and conversion must share.")
    until: str = Field("", description="A time column of the trigger that ends the label window.")


class SnapshotSettings(Section):
    """When leads are asked about: a regular grid, or a trigger."""

    every: str = Field(
        "",
        pattern=r"^([1-9]\d{0,3}(d|w|mo))?$",
        description="Step of the grid: 7d, 4w, 1mo; 7d where nothing is said of snapshots.",
    )
    first: date | None = Field(None, description="First day of the grid.")
    last: date | None = Field(None, description="Last day of the grid.")
    trigger: TriggerSettings | None = Field(None, description="A trigger instead of a grid.")

    @model_validator(mode="after")
    def _one_kind(self) -> "SnapshotSettings":
        if bool(self.every) == (self.trigger is not None):
            raise ValueError("give either every or trigger")
        return self


class CohortSettings(Section):
    """Who is asked about."""

    who: Literal["everyone", "prospects", "customers"] = Field("everyone", description="By purchases known so far.")
    where: Where = Field(default_factory=dict, description="Conditions on features, by name.")


class QuestionSettings(Section):
    """What is predicted, about whom, when, how far ahead."""

    name: str = Field("", description="The question in words, for reports.")
    conversion: ConversionSettings = Field(default_factory=ConversionSettings)
    snapshots: SnapshotSettings = Field(default_factory=lambda: SnapshotSettings(every="7d"))
    cohort: CohortSettings = Field(default_factory=CohortSettings)
    horizon_days: int = Field(30, ge=1, le=MOST_DAYS, description="Days of the label window.")
    settle_days: int = Field(0, ge=0, le=MOST_DAYS, description="Days after it in which late news still counts.")
