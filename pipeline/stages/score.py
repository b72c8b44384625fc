"""`leadlight score`: every lead of the cohort scored, stored once, and exported."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import partial

from features import moments
from models import scoring
from models.model import LeadModel
from models.reasons import ReasonLimits
from pipeline.asked_moment import asked_moment
from pipeline.champion import champion, has_champion, scores_still
from pipeline.deciding import Decided, scored_and_decided
from pipeline.lead_data import LeadData, lead_data
from pipeline.progress import Progress, silent
from pipeline.score_store import ScoreStore
from pipeline.settings import Settings
from pipeline.stages.points_score import score_by_points
from pipeline.stages.score_report import RunWords, ScoreReport, readable, report_of
from pipeline.stored_run import RunToStore, published_if, stored_once
from pipeline.workspace import Workspace


def score(
    settings: Settings, *, as_of: datetime | None = None, scored_at: datetime, progress: Progress = silent
) -> ScoreReport:
    """Score the cohort with the champion, store the scores and publish them; without one, by the shop's points card.

    Args:
        settings: The shop's config; tables must be ingested, and a model trained or a points card named.
        as_of: The moment of scoring, on the shop's clock where it is naive; by default the smallest
            ``data_until`` of the tables that the features read. Scores of a moment before the one that readers are
            shown are stored, and not published.
        scored_at: When this run happens (aware).
        progress: Told of every bucket done.

    Raises:
        LeadlightError: No model and no card, nothing ingested, or no lead to score.
    """
    if settings.points.card is not None and not has_champion(settings):
        return score_by_points(settings, as_of=as_of, scored_at=scored_at, progress=progress)
    model, version = champion(settings)
    leads = lead_data(settings)
    ends = leads.data_until(model.features)
    newest = min(ends.values())
    moment = asked_moment(settings, as_of, scored_at=scored_at) if as_of else newest
    stale_tables = _stale(settings, ends, moment)
    head = RunToStore(moment, version, scored_at, ends)
    shared = scoring.ScoringRun(
        model_version=version,
        data_until=head.data_until,
        scored_at=scored_at.astimezone(UTC),
        is_stale=bool(stale_tables),
    )
    store = ScoreStore(Workspace(settings.shop.workspace))
    run, is_new = stored_once(
        settings, store, head, lambda: _decided(settings, leads, model, shared, moment=moment, progress=progress)
    )
    # Whoever was promoted or rolled back to meanwhile must not be overruled by the champion of an hour ago.
    may = partial(scores_still, settings, version)
    unpublished = published_if(settings, store, run, may=may, is_wished=as_of is not None, scored_at=scored_at)
    scores = store.read(run)
    words = RunWords(model.features, store.labels(run))
    exported = readable(scores, words, settings, learned_by=model)
    return report_of(
        scores,
        words,
        settings,
        run=run,
        is_new=is_new,
        unpublished=unpublished,
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
