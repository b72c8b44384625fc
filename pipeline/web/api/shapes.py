"""What the API answers about leads. Points are whole; times are ISO 8601 with their offset."""

from __future__ import annotations

from datetime import date, datetime
from typing import Literal

from pydantic import BaseModel, Field

from pipeline.marks import Mark
from pipeline.published.rows import HistoryPoint
from pipeline.stages.explain_change import ChangeTold
from pipeline.web.lead import LeadPage, Score
from pipeline.web.listing import Shown
from pipeline.web.waterfall import Step

Key = str


class ReasonOut(BaseModel):
    """One reason in words."""

    text: str
    points: int


class LeadOut(BaseModel):
    """One lead of the list. Personal fields are null unless the config allows them."""

    key: Key = Field(description="Names the lead in addresses.")
    lead_id: str
    trigger_id: str | None
    display_name: str | None
    company: str | None
    owner: str | None
    email: str | None
    phone: str | None
    rank: int | None
    score: int | None = Field(description="0–100; null where a reason code stands instead.")
    previous_score: int | None
    probability: float | None
    probability_low: float | None
    probability_high: float | None
    grade: str | None
    temperature: str | None
    cell: str | None
    stage: str | None
    action: str | None
    channel: str | None
    segments: list[str]
    held: list[str] = Field(description="Why the lead must be left alone, as of now; empty = free.")
    source: str | None
    campaign: str | None
    reason_code: str | None
    reasons: list[ReasonOut]
    contacted_at: datetime | None

    @classmethod
    def of(cls, lead: Shown) -> LeadOut:
        """Return a row of the list."""
        taken = {name: getattr(lead.row, name) for name in cls.model_fields if hasattr(lead.row, name)}
        contacted = lead.standing.contacted
        mine = {
            "key": lead.key,
            "segments": lead.row.segments or [],
            "held": list(lead.held),
            "reasons": [ReasonOut(text=why.text, points=why.points) for why in lead.reasons],
            "contacted_at": contacted.at if contacted else None,
        }
        return cls(**{**taken, **mine})


class LeadsOut(BaseModel):
    """A page of the list."""

    total: int = Field(description="Leads under these filters, on all pages.")
    next: str | None = Field(description="Give it as `after` for the next page; null on the last.")
    previous: str | None = Field(description="Give it as `before` for the page before; null on the first.")
    leads: list[LeadOut]


class StepOut(BaseModel):
    """One line of the sum from the start to the score; `before` + `points` = `after`, but for start and score."""

    kind: Literal["start", "for", "against", "rest", "limits", "score"]
    text: str
    points: int
    before: int
    after: int

    @classmethod
    def of(cls, step: Step) -> StepOut:
        """Return a line."""
        return cls(**vars(step))


class ScoreOut(BaseModel):
    """One stored score of a lead."""

    trigger_id: str | None
    as_of: datetime
    rank: int | None
    score: int | None
    score_low: int | None
    score_high: int | None
    probability: float | None
    probability_low: float | None
    probability_high: float | None
    grade: str | None
    temperature: str | None
    stage: str | None
    play: str | None
    action: str | None
    channel: str | None
    reason_code: str | None
    doubts: list[str]
    families: dict[str, float] = Field(description="Points by family.")
    steps: list[StepOut] = Field(description="The sum of points; empty where there is no score.")
    model_version: str

    @classmethod
    def of(cls, score: Score) -> ScoreOut:
        """Return a score."""
        taken = {name: score.row.get(name) for name in cls.model_fields if name in score.row}
        mine = {
            "score_low": score.low,
            "score_high": score.high,
            "doubts": score.doubts,
            "families": dict(score.families),
            "steps": [StepOut.of(step) for step in score.steps],
        }
        return cls(**{**taken, **mine})


class MarkOut(BaseModel):
    """What somebody said about a lead."""

    number: int
    kind: str
    owner: str
    until: datetime | None = Field(description="The first moment at which it no longer holds; null = no end.")
    reason: str
    by: str
    at: datetime
    is_withdrawn: bool

    @classmethod
    def of(cls, mark: Mark) -> MarkOut:
        """Return a mark."""
        return cls(**{name: getattr(mark, name) for name in cls.model_fields})


class LeadPageOut(BaseModel):
    """Everything that is known of one lead at once."""

    key: Key
    lead_id: str
    name: str
    people: dict[str, str] = Field(description="Personal columns that the config allows, where they are known.")
    source: str | None
    campaign: str | None
    held: list[str]
    scores: list[ScoreOut]
    marks: list[MarkOut]

    @classmethod
    def of(cls, page: LeadPage) -> LeadPageOut:
        """Return a lead's page."""
        return cls(
            key=page.key, lead_id=page.lead_id, name=page.name, people=dict(page.people), source=page.source,
            campaign=page.campaign, held=list(page.held), scores=[ScoreOut.of(one) for one in page.scores],
            marks=[MarkOut.of(one) for one in page.marks],
        )  # fmt: skip


class HistoryOut(BaseModel):
    """One stored score of a lead over time."""

    as_of: datetime
    trigger_id: str | None
    model_version: str
    score: int | None
    probability: float | None
    probability_low: float | None
    probability_high: float | None
    grade: str | None
    stage: str | None

    @classmethod
    def of(cls, point: HistoryPoint) -> HistoryOut:
        """Return a point of the history."""
        return cls(**{name: getattr(point, name) for name in cls.model_fields})


class HappeningOut(BaseModel):
    """One thing that happened."""

    at: str
    text: str


class ChangeOut(BaseModel):
    """What moved one score of a lead between two runs."""

    trigger_id: str | None
    since: str
    as_of: str
    old_model: str
    new_model: str
    old_score: int | None
    new_score: int | None
    steps: list[ReasonOut] = Field(
        description="What moved it, in whole points; one line where only the total is known."
    )
    limits: int
    hundredths: dict[str, int] | None = Field(description="The exact points of the four steps, where they are known.")
    why_not: str
    moved: list[ReasonOut] = Field(description="What moved most, whichever step it was of.")

    @classmethod
    def of(cls, told: ChangeTold) -> ChangeOut:
        """Return a change."""
        taken = {name: getattr(told, name) for name in cls.model_fields}
        lines = {
            name: [ReasonOut(text=one.text, points=one.points) for one in taken[name]] for name in ("steps", "moved")
        }
        return cls(**{**taken, **lines})


class MarkIn(BaseModel):
    """What somebody says about a lead."""

    kind: Literal["hold", "contacted"]
    until: date | None = Field(None, description="Last day of a hold, on the shop's clock; null = no end.")
    owner: str = Field("", max_length=200)
    reason: str = Field("", max_length=500)
