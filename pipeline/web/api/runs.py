"""The published run as a whole, as JSON: freshness, what filters offer, groups."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime

from fastapi import APIRouter
from pydantic import BaseModel, Field

from models.conversion_counts import Realised
from pipeline.track_record import TrackRecord, kept
from pipeline.web.filters import handle
from pipeline.web.groups import REPORTED, Line, lines
from pipeline.web.listing import offered
from pipeline.web.visit import Asked, Scores, freshness, labels
from pipeline.workspace import Workspace

router = APIRouter(tags=["run"])


class FreshnessOut(BaseModel):
    """How old the scores are."""

    as_of: datetime
    data_until: datetime | None
    scored_at: datetime
    model_version: str
    data_age_s: float
    score_age_s: float
    is_old: bool = Field(description="Whether readers are warned (app.max_data_age_hours).")


class ChoiceOut(BaseModel):
    """One value that a filter offers."""

    value: str
    handle: str = Field(description="What to give as the filter's value: the value, or a hash of it.")
    leads: int


class GroupOut(BaseModel):
    """Leads that share a value."""

    value: str
    name: str
    leads: int
    expected_conversions: float | None

    @classmethod
    def of(cls, line: Line) -> GroupOut:
        """Return a row of a report."""
        return cls(value=line.value, name=line.name, leads=line.leads, expected_conversions=line.expected)


class RealisedOut(BaseModel):
    """What was expected of a group of leads, and what came."""

    name: str
    leads: int
    converted: int
    expected: float | None
    low: int | None = Field(description="What chance alone allows at least, 95 of 100 times.")
    high: int | None = Field(description="What chance alone allows at most.")
    is_as_expected: bool | None

    @classmethod
    def of(cls, one: Realised) -> RealisedOut:
        """Return a row of the track record."""
        return cls(**asdict(one), is_as_expected=one.is_as_expected)


class TrackRecordOut(BaseModel):
    """Expected and realised conversions of runs whose outcomes are known."""

    as_ofs: list[datetime]
    replayed: int = Field(description="Runs that were scored when their outcomes were known already.")
    whole: RealisedOut
    grades: list[RealisedOut]
    sources: list[RealisedOut]
    campaigns: list[RealisedOut]
    segments: list[RealisedOut]

    @classmethod
    def of(cls, track: TrackRecord) -> TrackRecordOut:
        """Return a track record."""
        groups = {
            name: [RealisedOut.of(one) for one in getattr(track, name)]
            for name in ("grades", "sources", "campaigns", "segments")
        }
        as_ofs = [datetime.fromisoformat(as_of) for as_of in track.as_ofs]
        return cls(as_ofs=as_ofs, replayed=track.replayed, whole=RealisedOut.of(track.whole), **groups)


class ColumnOut(BaseModel):
    """Leads with a score from start to end, both included."""

    start: int
    end: int
    leads: int


class ReportsOut(BaseModel):
    """Leads and expected conversions by what they share, and what came of earlier scores."""

    leads: int
    expected_conversions: float | None
    by: dict[str, list[GroupOut]]
    spread: list[ColumnOut]
    track: TrackRecordOut | None = Field(description="Null until `leadlight report` found outcomes that are ripe.")


@router.get("/freshness")
def fresh(visit: Asked, edition: Scores) -> FreshnessOut:
    """Return how old the scores are."""
    told = freshness(visit, edition)
    return FreshnessOut(**{name: getattr(told, name) for name in FreshnessOut.model_fields})


@router.get("/choices")
def choices(visit: Asked, edition: Scores) -> dict[str, list[ChoiceOut]]:
    """Return what each filter of the list offers, most leads first."""
    return {
        name: [
            ChoiceOut(value=one.value, handle=handle(one.value, is_person=name == "owners"), leads=one.leads)
            for one in offered
        ]
        for name, offered in offered(visit, edition).items()
    }


@router.get("/segments")
def segments(visit: Asked, edition: Scores) -> list[GroupOut]:
    """Return the named groups of leads."""
    return [GroupOut.of(line) for line in lines(edition, "segment", labels(visit, edition)) if line.value]


@router.get("/reports")
def reports(visit: Asked, edition: Scores) -> ReportsOut:
    """Return leads and expected conversions by grade, temperature, stage, source, campaign and next action.

    And how scores are spread, and what came of earlier ones.
    """
    label = labels(visit, edition)
    found = {column: [GroupOut.of(line) for line in lines(edition, column, label)] for column in REPORTED}
    track = kept(Workspace(visit.house.settings.shop.workspace))
    return ReportsOut(
        leads=edition.run.rows,
        expected_conversions=edition.run.expected_conversions,
        by=found,
        spread=[ColumnOut(**asdict(column)) for column in edition.spread],
        track=None if track is None else TrackRecordOut.of(track),
    )
