"""Fitting and judging a shop's model, and registering it: what `leadlight train` and `retrain` share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from features import moments
from features.catalog import Feature
from features.matrix import FeatureTable
from models import registry, training
from models.certificate import Certificate
from models.contest import OURS, Contest, contest
from models.recipe import Recipe
from models.registry import ModelVersion, Training
from models.segments import SegmentReport, segment_report
from models.training import TrainedModel, TrainingConfig
from pipeline import judging, segmenting
from pipeline.card_meanwhile import told_what_is_missing
from pipeline.card_setting import card_setting
from pipeline.champion import place_of
from pipeline.found_settings import InUse, with_found
from pipeline.histories import asked
from pipeline.progress import Progress, silent
from pipeline.settings import Settings, as_yaml
from pipeline.stages.certificate import certify, keep, refused
from pipeline.stages.certificate_rows import certify_rows
from pipeline.stages.features import compute_training_table
from pipeline.workspace import Workspace


@dataclass(frozen=True)
class Fitted:
    """A model fitted and judged, and not registered yet.

    Attributes:
        table: The training table.
        in_use: How it was trained, and whether by settings that tuning found.
        trained: What was trained on it.
        judged: How it did on the hold-out, beside the baselines.
        segments: How it did by segment.
        certificate: That nothing leaks.
    """

    table: FeatureTable
    in_use: InUse
    trained: TrainedModel
    judged: Contest
    segments: SegmentReport
    certificate: Certificate


def table_to_learn_from(
    settings: Settings, *, also: Sequence[Feature] = (), progress: Progress = silent
) -> FeatureTable:
    """Return the training table; see `pipeline.stages.features.compute_training_table`.

    Raises:
        LeadlightError: Nothing is ingested, or nothing ripe: then with how many conversions are missing.
    """
    with told_what_is_missing(settings, training_config(settings)):
        return compute_training_table(settings, also=also, progress=progress)


def fit(settings: Settings, table: FeatureTable, *, progress: Progress = silent) -> Fitted:
    """Fit the config's model and judge it on the newest snapshots, beside the baselines.

    Args:
        settings: The shop's config.
        table: The training table.
        progress: Told of every step.

    Raises:
        LeadlightError: Nothing ripe, too few conversions, one class only.
        GateFailedError: The leak certificate failed: such a model is not to be registered.
    """
    registry.prepare(place_of(settings))
    in_use = in_use_for(settings, table)
    with told_what_is_missing(settings, in_use.config):
        trained = training.train(table, config=in_use.config, notify=lambda text: progress(text, 0, 0))
    certificate = _certified(settings, table, trained, progress)
    progress("judging the baselines", 0, 0)
    judged = _beside_rivals(settings, table, trained)
    progress("looking at segments", 0, 0)
    return Fitted(table, in_use, trained, judged, _segments(settings, table, trained), certificate)


def register(settings: Settings, fitted: Fitted, *, alias: str = "", progress: Progress = silent) -> ModelVersion:
    """Log a fitted model to MLflow and register it.

    Args:
        settings: The shop's config.
        fitted: The model.
        alias: What it is called; empty = champion where there is none yet, else challenger.
        progress: Told of every step.
    """
    progress("logging to MLflow", 0, 0)
    wanted = settings.model_dump(mode="json", include={"features", "model"})
    remembered = Training(
        fitted.trained,
        fitted.table,
        parameters={**wanted, "question": settings.asked, **fitted.in_use.parameters},
        others={name: metrics for name, metrics in fitted.judged.metrics.items() if name != OURS},
        segments=fitted.segments,
        setting=card_setting(settings, fitted.judged),
        tags=fitted.in_use.tags,
        certificate=fitted.certificate,
        config=as_yaml(settings),
    )
    return registry.log_training(place_of(settings), remembered, alias=alias)


def in_use_for(settings: Settings, table: FeatureTable) -> InUse:
    """Return how models of *table* are trained: by the config, and by what tuning found for it.

    Raises:
        LeadlightError: What tuning wrote cannot be read.
    """
    return with_found(settings, training_config(settings), table)


def training_config(settings: Settings) -> TrainingConfig:
    """Return how the config wants models to be trained and judged."""
    wanted = settings.model
    start = wanted.holdout_from
    return TrainingConfig(
        recipe=Recipe(seed=wanted.seed, max_trees=wanted.max_trees),
        test_share=wanted.holdout_share,
        test_from=_local(start, settings) if start else None,
    )


def _certified(settings: Settings, table: FeatureTable, trained: TrainedModel, progress: Progress) -> Certificate:
    """Certify that nothing leaks, keep the page in the workspace, and stop where something does."""
    if settings.lead_table is not None:
        found = certify_rows(settings, table, trained.hold_out)
    else:
        tables = Workspace(settings.shop.workspace).tables()
        question, features = asked(settings, tables)
        found = certify(settings, tables, question, features, table, trained, progress=progress)
    page = keep(settings, found)
    if not found.is_passed:
        raise refused(found, page)
    return found


def _beside_rivals(settings: Settings, table: FeatureTable, trained: TrainedModel) -> Contest:
    """Return how the judged model and the baselines did on the hold-out."""
    held_out = trained.hold_out
    theirs = judging.rivals(settings, table)
    margins = {name: rival(held_out.train_rows, held_out.test_rows) for name, rival in theirs.items()}
    return contest({OURS: held_out.log_odds, **margins}, held_out.converted, held_out.lead, seed=settings.model.seed)


def _segments(settings: Settings, table: FeatureTable, trained: TrainedModel) -> SegmentReport:
    """Return quality by segment and error gaps, by what the config asks for."""
    attributes, unavailable = segmenting.attributes(settings, table)
    shares = settings.score.grades.shares
    return segment_report(attributes, trained, shares=shares, unavailable=unavailable, seed=settings.model.seed)


def _local(day: date, settings: Settings) -> int:
    return moments.local_midnight(day, settings.shop.time_zone)
