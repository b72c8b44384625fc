"""The part of the config about scores: how they are graded and explained, and how long they stay."""

from typing import Literal

from pydantic import Field, model_validator

from models.grades import GradeProbabilities, GradeShares, probability_faults
from pipeline.priority import Priority
from pipeline.settings_tables import MOST_DAYS, Section


class GradeCutSettings(Section):
    """Least probabilities of the grades, with `by: probability`; below C is D, below warm is cold."""

    a: float = Field(gt=0, lt=1, description="Least probability of A.")
    b: float = Field(gt=0, lt=1, description="Least probability of B.")
    c: float = Field(gt=0, lt=1, description="Least probability of C.")
    hot: float = Field(gt=0, lt=1, description="Least probability of hot.")
    warm: float = Field(gt=0, lt=1, description="Least probability of warm.")


class GradeSettings(Section):
    """Shares of the newest training leads that get each grade; the rest are D."""

    by: Literal["share", "probability"] = Field(
        "share",
        description="share: the shares below become probabilities when a model is trained; probability: cuts say them.",
    )
    cuts: GradeCutSettings | None = Field(None, description="by probability: where each grade begins.")

    a: float = Field(0.10, ge=0, le=1, description="Share graded A.")
    b: float = Field(0.20, ge=0, le=1, description="Share graded B.")
    c: float = Field(0.30, ge=0, le=1, description="Share graded C.")
    hot: float = Field(0.10, ge=0, le=1, description="Share called hot.")
    warm: float = Field(0.30, ge=0, le=1, description="Share called warm; the rest are cold.")
    cell_points: float = Field(5.0, gt=0, description="Points from which fit or engagement speaks for a lead.")

    @property
    def shares(self) -> GradeShares:
        """The same as models read it."""
        given = None if self.cuts is None else GradeProbabilities(**self.cuts.model_dump())
        return GradeShares(**self.model_dump(exclude={"by", "cuts"}), given=given)

    @model_validator(mode="after")
    def _one_way(self) -> "GradeSettings":
        if self.by == "probability" and self.cuts is None:
            raise ValueError("by: probability needs cuts: {a: …, b: …, c: …, hot: …, warm: …}")
        if self.by == "share" and self.cuts is not None:
            raise ValueError("cuts go with by: probability")
        shares = sorted(self.model_fields_set & {"a", "b", "c", "hot", "warm"})
        if self.by == "probability" and shares:
            raise ValueError(f"{', '.join(shares)}: shares go with by: share; give the probabilities under cuts")
        if self.shares.given is not None and (faults := probability_faults(self.shares.given)):
            raise ValueError("; ".join(faults))
        return self

    @model_validator(mode="after")
    def _leave_room(self) -> "GradeSettings":
        shares = {"a, b and c": self.a + self.b + self.c, "hot and warm": self.hot + self.warm}
        faults = [
            f"{names} are shares of all leads, together {total:g}"
            for names, total in shares.items()
            if _is_above_one(total)
        ]
        if faults:
            raise ValueError(f"{'; '.join(faults)}: more than 1")
        return self


def _is_above_one(total: float) -> bool:
    return total > 1 + 1e-9  # tenths of a float add up to a little more


class ScoreSettings(Section):
    """How scores are graded and explained."""

    grades: GradeSettings = Field(default_factory=GradeSettings)
    reasons_for: int = Field(5, ge=0, description="Reasons that speak for a lead, at most.")
    reasons_against: int = Field(3, ge=0, description="Reasons that speak against it, at most.")
    max_data_age_days: float = Field(
        0,
        ge=0,
        le=MOST_DAYS,
        description="Scores get the code stale_data where a table ends more days before them; 0 = never.",
    )
    keep_runs_days: float = Field(
        400, ge=1, le=MOST_DAYS, description="A stored run goes when it was scored longer ago and is not published."
    )
    keep_history_days: float = Field(
        400, ge=1, le=MOST_DAYS, description="The history of a lead's score reaches at least so far back."
    )
    priority: Priority = Field(
        "idle",
        description="How scoring shares the machine with other programs, such as the web app: idle gives way to all of "
        "them, low most of the time, normal not at all.",
    )
