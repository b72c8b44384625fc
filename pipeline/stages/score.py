"""`leadlight score`: every lead of the cohort scored, stored once, and exported."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from features import moments
from models import scoring
from models.model import LeadModel
from models.reasons import ReasonLimits
from pipeline.asked_moment import asked_moment
from pipeline.champion import champion, has_champion, scores_still
from pipeline.deciding import Decided, scored_and_decided
from pipeline.lead_data import LeadData, lead_data
from pipeline.progress import Progress, silent
from pipeline.published.run_files import RunNotes
from pipeline.score_store import ScoreStore, retention
from pipeline.settings import Settings
from pipeline.stages.points_score import score_by_points
from pipeline.stages.score_report import RunWords, ScoreReport, readable, report_of
from pipeline.workspace import Workspace


def score(
    settings: Settings, *, as_of: datetime | None = None, scored_at: datetime, progress: Progress = silent
) -> ScoreReport:
    """Score the cohort with the champion, store the scores and publish them; without one, by the shop's points card.

    Args:
        settings: The shop's config; tables must be ingested, and a model trained or a points card named.
        as_of: The moment of scoring, on the shop's clock where it is naive; by default the smallest
            ``data_until`` of the tables that the features read.
        scored_at: When this run happens (aware).
        progress: Told of every bucket done.

    Raises:
        LeadlightError: No model and no card, nothing ingested, or no lead to score.
    """
    if settings.points.card is not None and not has_champion(settings):
        return score_by_points(settings, as_of=as_of, scored_at=scored_at, progress=progress)
    workspace = Workspace(settings.shop.workspace)
    model, version = champion(settings)
    leads = lead_data(settings)
    ends = leads.data_until(model.features)
    newest = min(ends.values())
    moment = asked_moment(settings, as_of, scored_at=scored_at) if as_of else newest
    stale_tables = _stale(settings, ends, moment)
    store = ScoreStore(workspace)
    run = store.find(moment, version)
    is_new = run is None
    if run is None:
        # What came after the moment of scoring was not read, so a replay when there is more data says the same.
        until = moments.from_us(min(moment, newest))
        shared = scoring.ScoringRun(
            model_version=version,
            data_until=until,
            scored_at=scored_at.astimezone(UTC),
            is_stale=bool(stale_tables),
        )
        decided = _decided(settings, leads, model, shared, moment=moment, progress=progress)
        run = store.add(
            decided.scores,
            as_of=moment,
            model_version=version,
            scored_at=scored_at,
            people=decided.people,
            personal=settings.app.personal,
            notes=RunNotes(decided.words, {name: moments.from_us(end).isoformat() for name, end in ends.items()}),
        )
    # Whoever was promoted or rolled back to meanwhile must not be overruled by the champion of an hour ago.
    with workspace.publishing():
        is_published = scores_still(settings, version)
        if is_published:
            store.publish(run, retention(settings, at=scored_at))
    scores = store.read(run)
    words = RunWords(model.features, store.labels(run))
    exported = readable(scores, words, settings, learned_by=model)
    return report_of(
        scores,
        words,
        settings,
        run=run,
        is_new=is_new,
        is_published=is_published,
        exported=store.export(run, exported),
        stale_tables=stale_tables,
    )


def _stale(settings: Settings, ends: Mapping[str, int], moment: int) -> tuple[str, ...]:
    """Return the tables whose data end longer before *moment* than the config allows."""
    allowed = settings.score.max_data_age_days * moments.DAY
    return tuple(sorted(name for name, end in ends.items() if allowed and moment - end > allowed))


def _decided(
    settings: Settings,
    leads: LeadData,
    model: LeadModel,
    run: scoring.ScoringRun,
    *,
    moment: int,
    progress: Progress,
) -> Decided:
    config = _scoring_config(settings)
    return scored_and_decided(
        settings,
        leads,
        model.features,
        lambda asked: scoring.score(model, asked, config=config, run=run),
        run=run,
        moment=moment,
        progress=progress,
    )


def _scoring_config(settings: Settings) -> scoring.ScoringConfig:
    wanted = settings.score
    return scoring.ScoringConfig(
        shares=wanted.grades.shares,
        reasons=ReasonLimits(most_for=wanted.reasons_for, most_against=wanted.reasons_against),
        threads=1,  # buckets already run side by side
    )
