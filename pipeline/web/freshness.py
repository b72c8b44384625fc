"""How old the scores are, and whether anyone should worry."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from features.moments import from_us
from pipeline.published.run_info import RunInfo
from pipeline.settings import Settings


@dataclass(frozen=True)
class Freshness:
    """The age of what a page shows; times are those of the shop's clock.

    Attributes:
        as_of: The moment that the scores speak about.
        data_until: Until when the data reached.
        scored_at: When they were computed.
        model_version: Who scored.
        data_age_s: Seconds from `data_until` to now.
        score_age_s: Seconds from `scored_at` to now.
        is_data_old: Whether the data are older than the config allows.
        are_scores_old: Whether nobody has scored for longer than the config allows.
    """

    as_of: datetime
    data_until: datetime | None
    scored_at: datetime
    model_version: str
    data_age_s: float
    score_age_s: float
    is_data_old: bool
    are_scores_old: bool

    @property
    def is_old(self) -> bool:
        """Whether a reader should be warned."""
        return self.is_data_old or self.are_scores_old


def freshness_of(run: RunInfo, *, now: datetime, settings: Settings) -> Freshness:
    """Return how old a run is at *now* (aware)."""
    zone = ZoneInfo(settings.shop.time_zone)
    as_of = from_us(run.as_of)
    until = run.earliest_end
    scored_at = datetime.fromisoformat(run.scored_at) if run.scored_at else as_of
    data_age, score_age = (now - (until or as_of)).total_seconds(), (now - scored_at).total_seconds()
    limit = settings.app.max_data_age_hours * 3600
    return Freshness(
        as_of=as_of.astimezone(zone),
        data_until=until.astimezone(zone) if until else None,
        scored_at=scored_at.astimezone(zone),
        model_version=run.model_version,
        data_age_s=data_age,
        score_age_s=score_age,
        is_data_old=data_age > limit,
        are_scores_old=score_age > limit,
    )
