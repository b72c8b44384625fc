"""Who scores, as JSON: the model's versions, and the points card."""

from __future__ import annotations

from datetime import datetime

from fastapi import APIRouter
from pydantic import BaseModel

from pipeline.web.card import card_page
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


@router.get("/points-card")
def points_card(visit: Asked, edition: Scores) -> CardOut:
    """Return the shop's points card."""
    told = card_page(visit.house.settings, edition.run.model_version)
    if told is None:
        raise RefusedError(404, "no_card", "This shop has no points card.")
    rules = [RuleOut(**vars(rule)) for rule in told.rules]
    return CardOut(
        label=told.label, is_scoring=told.is_scoring, base=told.card.base, top=told.card.caps.total, rules=rules
    )
