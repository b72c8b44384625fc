"""The settings of the nightly job: when the data are too old or too few to be scored, and what else it does."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, field_validator

from features.errors import nearest
from features.tables import TABLES
from pipeline.settings_tables import MOST_DAYS, Section

_TABLES = (*TABLES, "lead_table")
_Days = Annotated[float, Field(ge=0, le=MOST_DAYS)]
_Share = Annotated[float, Field(ge=0, le=1)]


class RunSettings(Section):
    """The nightly job (`leadlight run`)."""

    max_age_days: float = Field(
        # From Friday evening to Monday before dawn are two and a half days.
        3,
        ge=0,
        le=MOST_DAYS,
        description="Nothing is scored nor published where a table that the scores read ends more days before the run; "
        "0 = never.",
    )
    max_age_days_of: dict[str, _Days] = Field(
        default_factory=dict, description="The same for single tables, such as {outcomes: 30}."
    )
    least_volume: float = Field(
        0.3,
        ge=0,
        le=1,
        description="Nothing is scored nor published where a table's newest day has less than this share of its usual "
        "rows: the median of the same weekday in the four weeks before; 0 = never.",
    )
    least_volume_of: dict[str, _Share] = Field(
        default_factory=dict, description="The same for single tables, such as {events: 0.1}."
    )
    volume_from_rows: int = Field(
        # Of 50 expected, chance alone leaves fewer than 15 once in fifty million days.
        50,
        ge=1,
        description="A table with fewer rows on a usual day is judged by its newest seven days; with fewer in a usual "
        "week as well, not at all.",
    )
    catch_up_nights: int = Field(
        31, ge=1, le=400, description="Missed nights, the newest, that `--catch-up` scores at most."
    )
    report: bool = Field(True, description="Whether the page of `leadlight report` is written at the end.")

    @field_validator("max_age_days_of", "least_volume_of")
    @classmethod
    def _name_tables(cls, given: dict[str, float]) -> dict[str, float]:
        for name in given:
            if name not in _TABLES:
                near = nearest(name, _TABLES)
                meant = f"did you mean '{near}'?" if near else f"there are {', '.join(_TABLES)}"
                raise ValueError(f"'{name}' is no table ({meant})")
        return given
