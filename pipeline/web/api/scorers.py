"""Who scores, as JSON: the model's versions, and the points card."""

from __future__ import annotations

from datetime import datetime

from fastapi import APIRouter
from pydantic import BaseModel, Field

from pipeline.web.api.lead import LeadKey
from pipeline.web.api.shapes import StepOut
from pipeline.web.card import card_page
from pipeline.web.card_trial import trial
from pipeline.web.faults import RefusedError
from pipeline.web.model_files import FIGURES, model_page
from pipeline.web.visit import Asked, Scores

router = APIRouter(tags=["scorers"])


class VersionOut(BaseModel):
    """One version of the model."""

    label: str
    aliases: list[str]
    trained_at: datetime
    figures: dict[str, str]


class ReignOut(BaseModel):
    """Which version was champion, from when until when, and why."""

    version: str
    since: datetime | None
    until: datetime | None
    why: str


class ModelOut(BaseModel):
    """Who scores."""

    scored_by: str
    champion: str | None
    certificate_passed: bool | None
    versions: list[VersionOut]
    reigns: list[ReignOut]


class RuleOut(BaseModel):
    """One rule of the points card."""

    name: str
    group: str
    asks: str
    points: int
    cap: int | None


class CardOut(BaseModel):
    """The points card."""

    label: str
    is_scoring: bool
    base: int
    top: int
    rules: list[RuleOut]


class TrialOut(BaseModel):
    """What the points card gives one lead."""

    lead_id: str
    score: int
    grade: str
    published: int | None = Field(description="The score that is published for the lead.")
    steps: list[StepOut]


@router.get("/model")
def model(visit: Asked, edition: Scores) -> ModelOut:
    """Return who scored, who is champion, and every version with its figures."""
    told = model_page(visit.house.settings, edition.run.model_version)
    return ModelOut(
        scored_by=told.scored_by,
        champion=told.champion.label if told.champion else None,
        certificate_passed=told.certificate.get("passed"),
        versions=[
            VersionOut(
                label=one.label,
                aliases=list(one.aliases),
                trained_at=one.trained_at,
                figures={name: one.tags[name] for name in FIGURES if name in one.tags},
            )
            for one in told.versions
        ],
        reigns=[ReignOut(version=one.version, since=one.since, until=one.until, why=one.why) for one in told.reigns],
    )


@router.get("/points-card/leads/{key}")
def points_of_a_lead(key: LeadKey, visit: Asked, edition: Scores) -> TrialOut:
    """Return what the config's points card gives a lead, rule by rule."""
    if visit.house.settings.points.card is None:
        raise _no_card()
    tried = trial(visit, edition, key)
    steps = [StepOut.of(step) for step in tried.steps]
    return TrialOut(lead_id=tried.lead_id, score=tried.score, grade=tried.grade, published=tried.scored, steps=steps)


@router.get("/points-card")
def points_card(visit: Asked, edition: Scores) -> CardOut:
    """Return the shop's points card."""
    told = card_page(visit.house.settings, edition.run.model_version)
    if told is None:
        raise _no_card()
    rules = [RuleOut(**vars(rule)) for rule in told.rules]
    return CardOut(
        label=told.label, is_scoring=told.is_scoring, base=told.card.base, top=told.card.caps.total, rules=rules
    )


def _no_card() -> RefusedError:
    return RefusedError(404, "no_card", "This shop has no points card.")
