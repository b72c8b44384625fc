"""`leadlight points score`, and `leadlight score` while there is no model: the cohort scored by the shop's own card."""

from __future__ import annotations

from datetime import UTC, datetime

from models import scoring
from models.points_card_columns import BoundCard
from models.points_card_scoring import score_by_card
from pipeline import card_store
from pipeline.asked_moment import asked_moment
from pipeline.champion import has_champion
from pipeline.deciding import Decided, scored_and_decided
from pipeline.lead_data import LeadData, lead_data
from pipeline.progress import Progress, silent
from pipeline.score_store import ScoreStore
from pipeline.settings import Settings
from pipeline.stages.score_report import RunWords, ScoreReport, readable, report_of
from pipeline.stored_run import RunToStore, published_if, stored_once
from pipeline.workspace import Workspace


def score_by_points(
    settings: Settings, *, as_of: datetime | None = None, scored_at: datetime, progress: Progress = silent
) -> ScoreReport:
    """Score the cohort by the card that the config names, store the scores, and publish them where no model scores.

    Args:
        settings: The shop's config, with ``points.card``; tables must be ingested.
        as_of: The moment of scoring; by default the smallest ``data_until`` of the tables that the card reads.
        scored_at: When this run happens (aware).
        progress: Told of every bucket done.

    Raises:
        LeadlightError: No card is named, it has faults or cannot be served, nothing is ingested, or nobody is scored.
    """
    workspace = Workspace(settings.shop.workspace)
    leads = lead_data(settings)
    bound = leads.points_card()
    version = bound.card.label
    ends = leads.data_until(bound.features)
    newest = min(ends.values())
    moment = asked_moment(settings, as_of, scored_at=scored_at) if as_of else newest
    head = RunToStore(moment, version, scored_at, ends)
    shared = scoring.ScoringRun(version, data_until=head.data_until, scored_at=scored_at.astimezone(UTC))
    store = ScoreStore(workspace)

    def make() -> Decided:
        decided = _decided(settings, leads, bound, shared, moment=moment, progress=progress)
        card_store.keep(workspace, bound)
        return decided

    run, is_new = stored_once(settings, store, head, make)
    unpublished = published_if(
        settings,
        store,
        run,
        may=lambda: not has_champion(settings),
        is_wished=as_of is not None,
        scored_at=scored_at,
    )
    scores, words = store.read(run), RunWords(bound.words, store.labels(run))
    return report_of(
        scores,
        words,
        settings,
        run=run,
        is_new=is_new,
        unpublished=unpublished,
        exported=store.export(run, readable(scores, words, settings)),
    )


def _decided(
    settings: Settings,
    leads: LeadData,
    bound: BoundCard,
    run: scoring.ScoringRun,
    *,
    moment: int,
    progress: Progress,
) -> Decided:
    cell_points = settings.score.grades.cell_points
    return scored_and_decided(
        settings,
        leads,
        leads.scored_by(bound),
        lambda asked: score_by_card(bound, asked, run=run, cell_points=cell_points),
        run=run,
        moment=moment,
        ranked_by="points_total",
        progress=progress,
    )
