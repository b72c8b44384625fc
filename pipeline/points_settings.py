"""What may stand in points.yaml, and what is wrong with it, all at once and with the nearest valid key."""

from typing import Annotated, Any, Literal

from pydantic import Field, PlainValidator, StrictBool, StrictInt, StrictStr, field_validator, model_validator

from features import conditions
from models.points_card_columns import LIMIT
from models.wording import is_harmless
from pipeline.settings_tables import MOST_DAYS, Section


def _plain(value: object) -> Any:  # noqa: ANN401 - one of the four
    if not isinstance(value, bool | int | float | str) or (not isinstance(value, str) and not abs(value) <= LARGEST):
        raise ValueError(f"a plain value is wanted: text, a number (at most {LARGEST:g}), true or false")
    return value


def _number(value: object) -> Any:  # noqa: ANN401 - one of the two
    if not isinstance(value, int | float) or isinstance(value, bool) or not abs(value) <= LARGEST:
        raise ValueError(f"a number is wanted, at most {LARGEST:g}")
    return value


Plain = Annotated[bool | int | float | str, PlainValidator(_plain)]
Number = Annotated[int | float, PlainValidator(_number)]
LONGEST_NAME = 120
LARGEST = 9e18
"""What columns of whole numbers hold; a comparison with what is not a number is never true."""
_TESTS = ("is", "in", "not", "min", "max", "above", "below", "contains", "missing")
_OF_ACTIONS = ("where", "within", "per", "decay")


class HalfLife(Section):
    """Points that halve again and again."""

    half_life: StrictInt | StrictStr = Field(description="Days after which they are half.")


class RuleSettings(Section):
    """One rule: points for an action (table), for an attribute, or for a feature."""

    name: str = Field(min_length=1, max_length=LONGEST_NAME, description="What you call it; reasons say it so.")
    group: Literal["fit", "engagement"] = Field(description="Who the lead is, or what it does.")
    points: StrictInt = Field(ge=-1000, le=1000, description="Whole points; negative ones count against a lead.")
    cap: StrictInt | None = Field(None, ge=1, le=10_000, description="Most points of this rule, in absolute value.")
    table: str = Field("", description="An action: rows of this table.")
    where: dict[str, Plain | list[Plain] | dict[str, Plain | list[Plain]]] = Field(
        default_factory=dict, description="Which of its rows."
    )
    within: StrictInt | StrictStr = Field("ever", description="Days looked back, or ever.")
    per: Literal["each", "once"] = Field("each", description="Points for each time, or for the latest alone.")
    decay: Literal["none", "linear"] | HalfLife = Field("none", description="Whether points shrink with age.")
    attribute: str = Field("", description="An attribute of the lead.")
    feature: str = Field("", description="A feature of the catalog.")
    is_: Plain | None = Field(None, alias="is", description="The value it must have.")
    in_: list[Plain] | None = Field(None, alias="in", description="The values it may have.")
    not_: Plain | list[Plain] | None = Field(None, alias="not", description="The values it must not have.")
    min_: Number | None = Field(None, alias="min", description="The least value, included.")
    max_: Number | None = Field(None, alias="max", description="The greatest value, included.")
    above: Number | None = Field(None, description="Values above this one.")
    below: Number | None = Field(None, description="Values below this one.")
    contains: StrictStr | list[StrictStr] | None = Field(None, description="Text that it holds.")
    missing: StrictBool | None = Field(None, description="true: it is not known.")

    @field_validator("name")
    @classmethod
    def _is_harmless(cls, name: str) -> str:
        if not is_harmless(name) or name in LIMIT.values():
            raise ValueError("a name is plain text without brackets, backslashes and control characters")
        return name

    @field_validator("points")
    @classmethod
    def _gives(cls, points: int) -> int:
        if points == 0:
            raise ValueError("a rule of 0 points gives nothing")
        return points

    @model_validator(mode="after")
    def _is_one_thing(self) -> "RuleSettings":
        asked = [name for name in ("table", "attribute", "feature") if getattr(self, name)]
        if len(asked) != 1:
            raise ValueError("give one of table (an action), attribute or feature")
        faults = self._faults_of_action() if self.table else self._faults_of_value(asked[0])
        if faults:
            raise ValueError("; ".join(faults))
        return self

    @property
    def tests(self) -> dict[str, Any]:
        """What must hold of the value, as `features.conditions.parse` reads it."""
        given = {"in": self.is_ if self.is_ is not None else self.in_}
        given |= {name: getattr(self, name, getattr(self, f"{name}_", None)) for name in _TESTS[2:]}
        return {name: value for name, value in given.items() if value is not None}

    @property
    def days(self) -> int:
        """Days looked back, 0 = ever."""
        return 0 if self.within == "ever" else _days(self.within)

    @property
    def fading(self) -> tuple[Literal["none", "linear", "half_life"], int]:
        """How points shrink, and the half-life in days."""
        return ("half_life", _days(self.decay.half_life)) if isinstance(self.decay, HalfLife) else (self.decay, 0)

    def _faults_of_action(self) -> list[str]:
        faults = [f"{name} is for an attribute or a feature" for name in self._written(_TESTS)]
        if not _are_days(self.within) and self.within != "ever":
            faults.append(f"within is a number of days or ever, not {self.within!r}")
        if isinstance(self.decay, HalfLife) and not _are_days(self.decay.half_life):
            faults.append(f"half_life is a number of days, not {self.decay.half_life!r}")
        if self.decay == "linear" and self.within == "ever":
            faults.append("linear decay needs within: points shrink to nothing over it")
        return faults + conditions.faults(self.where)

    def _faults_of_value(self, asked: str) -> list[str]:
        faults = [f"{name} is for an action (table)" for name in self._written(_OF_ACTIONS)]
        if not self.tests:
            faults.append(f"say which values of the {asked} give points: {', '.join(_TESTS)}")
        if self.is_ is not None and self.in_ is not None:
            faults.append("give is or in, not both")
        if self.in_ == [] or self.contains == []:
            faults.append("an empty list is met by no value")
        if self._bounds_are_apart():
            faults.append("no value is above the least and below the greatest: min, above, max and below leave none")
        return faults + conditions.faults({getattr(self, asked): self.tests})

    def _bounds_are_apart(self) -> bool:
        """Return whether the bounds leave no value: two that include it may meet in one."""
        lows = [bound for bound in (self.min_, self.above) if bound is not None]
        highs = [bound for bound in (self.max_, self.below) if bound is not None]
        if not lows or not highs:
            return False
        low, high = max(lows), min(highs)
        return low > high or (low == high and (low == self.above or high == self.below))

    def _written(self, names: tuple[str, ...]) -> list[str]:
        return [name for name in names if name in self.model_fields_set or f"{name}_" in self.model_fields_set]


class CapSettings(Section):
    """Most points."""

    fit: StrictInt | None = Field(None, ge=1, le=10_000, description="Of the group fit, in either direction.")
    engagement: StrictInt | None = Field(None, ge=1, le=10_000, description="Of the group engagement.")
    total: StrictInt = Field(100, ge=1, le=100, description="The highest score.")


class GradeCutSettings(Section):
    """Least scores of grades; the rest is D."""

    a: StrictInt = Field(75, description="Least score of A.")
    b: StrictInt = Field(50, description="Least score of B.")
    c: StrictInt = Field(25, description="Least score of C.")

    @model_validator(mode="after")
    def _descend(self) -> "GradeCutSettings":
        if not 0 <= self.c <= self.b <= self.a <= 100:
            raise ValueError("a, b and c are scores from 100 down to 0, each at most the one before")
        return self


class TemperatureSettings(Section):
    """Least scores of hot and warm; the rest is cold."""

    hot: StrictInt = Field(70, description="Least score of hot.")
    warm: StrictInt = Field(40, description="Least score of warm.")

    @model_validator(mode="after")
    def _descend(self) -> "TemperatureSettings":
        if not 0 <= self.warm <= self.hot <= 100:
            raise ValueError("hot and warm are scores from 100 down to 0, warm at most hot")
        return self


class OddsSettings(Section):
    """What points mean as probabilities; `leadlight points learn` writes it."""

    at_zero: float = Field(gt=0, lt=1, description="Probability of a lead with 0 points in total.")
    doubles_every: float = Field(gt=0, le=1e9, description="Points after which the odds are twice as high.")


class CardSettings(Section):
    """The whole card."""

    base: StrictInt = Field(0, ge=-1000, le=1000, description="Points that every lead begins with.")
    caps: CapSettings = Field(default_factory=CapSettings)
    grades: GradeCutSettings = Field(default_factory=GradeCutSettings)
    temperatures: TemperatureSettings = Field(default_factory=TemperatureSettings)
    odds: OddsSettings | None = Field(None)
    rules: list[RuleSettings] = Field(min_length=1, max_length=200, description="The rules.")

    @field_validator("rules", mode="before")
    @classmethod
    def _is_any_switched_on(cls, rules: Any) -> Any:  # noqa: ANN401 - whatever the YAML holds
        if rules is None:
            raise ValueError("no rule is switched on: take the # away from one, with your own values in it")
        return rules

    @field_validator("rules")
    @classmethod
    def _names_differ(cls, rules: list[RuleSettings]) -> list[RuleSettings]:
        names = [rule.name.casefold() for rule in rules]
        twins = sorted({rule.name for rule in rules if names.count(rule.name.casefold()) > 1})
        if twins:
            raise ValueError(f"each rule needs a name of its own, not twice {', '.join(twins)}")
        return rules


def _are_days(said: object) -> bool:
    return isinstance(said, (int, str)) and 1 <= _days(said) <= MOST_DAYS


def _days(said: int | str) -> int:
    """Return days from 14 or "14 days", 0 where it is neither."""
    if isinstance(said, int):
        return said
    number, _, unit = said.partition(" ")
    return int(number) if number.isascii() and number.isdigit() and len(number) < 6 and unit in ("day", "days") else 0
