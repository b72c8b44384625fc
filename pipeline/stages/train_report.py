"""What `leadlight train` tells: how the model did on what it never saw, and where everything lies."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from features.matrix import FeatureTable
from models import certificate_page
from models.familiarity import ALARMS
from models.metrics import Metrics
from models.model import sigmoid
from models.plots_curves import share_found
from models.registry import CHAMPION, ModelVersion
from models.segment_words import segment_notes
from models.training import TrainedModel
from pipeline.champion import card_of, has_champion, place_of, plots_of
from pipeline.lead_data import lead_data
from pipeline.row_words import rows_are, told
from pipeline.settings import Settings
from pipeline.stages.certificate import PAGE
from pipeline.stages.fitting import Fitted
from pipeline.workspace import Workspace

CHANCE = 0.5
"""ROC-AUC of a list in no order."""
GAINS_AT = tuple(share / 100 for share in range(0, 101, 5))


@dataclass(frozen=True)
class TrainReport:
    """What `train` found and registered.

    Attributes:
        question: The question in words.
        version: Version of the registered model.
        run_id: MLflow run.
        is_champion: Whether it scores from now on.
        who_scores: Who scores from now on, in words.
        rows_are: What the rows below are called: ``snapshots`` or ``leads``.
        train_rows: Snapshots learned from before the hold-out.
        train_conversions: Distinct converting leads among them.
        test_rows: Snapshots of the hold-out.
        test_conversions: Distinct converting leads among them.
        test_from: First as_of of the hold-out (ISO, or the row), empty where other leads were held out.
        caveat: What the data's time does not allow, and must be said beside the figures; or empty.
        base_rate: Share of the hold-out that converted.
        verdict: Whether the model beats the baselines, in a sentence.
        metrics: Per model and metric: value and 95 % bounds over leads.
        gains: Share of conversions reached at each of `GAINS_AT` of the hold-out, best first.
        blend: b, w_linear and w_trees of the model that ships.
        trees: Trees over all bags.
        features: Features that the model reads.
        notes: What a person should know.
        hold_out: Parquet file with the judged model's probabilities on the hold-out.
        plots: Where the pictures lie; empty where a server keeps them.
        card: The model card; empty where a server keeps it.
        tracking_uri: Where MLflow keeps the run.
        certificate: What was checked for leaks, in a line.
        certificate_page: The page that says all of it.
    """

    question: str
    version: str
    run_id: str
    is_champion: bool
    who_scores: str
    rows_are: str
    train_rows: int
    train_conversions: int
    test_rows: int
    test_conversions: int
    test_from: str
    caveat: str
    base_rate: float
    verdict: str
    metrics: Mapping[str, Mapping[str, tuple[float, float, float]]]
    gains: tuple[float, ...]
    blend: tuple[float, float, float]
    trees: int
    features: int
    notes: tuple[str, ...]
    hold_out: Path
    plots: str
    card: str
    tracking_uri: str
    certificate: str
    certificate_page: Path


def report_of(settings: Settings, fitted: Fitted, logged: ModelVersion) -> TrainReport:
    """Return what people are told of a model that was registered.

    Args:
        settings: The shop's config.
        fitted: The model.
        logged: Its version.
    """
    trained, judged = fitted.trained, fitted.judged
    held_out = trained.hold_out
    test_from = "" if held_out.test_from is None else told(settings, held_out.test_from)
    blend = trained.report.calibration.blend
    return TrainReport(
        question=settings.question.name,
        version=logged.label,
        run_id=logged.run_id,
        is_champion=CHAMPION in logged.aliases,
        who_scores=_who_scores(settings, logged),
        rows_are=rows_are(settings),
        train_rows=trained.judged_report.rows,
        train_conversions=trained.judged_report.conversions,
        test_rows=trained.metrics.rows,
        test_conversions=trained.metrics.conversions,
        test_from=test_from,
        caveat=lead_data(settings).caveat(is_forward=held_out.test_from is not None),
        base_rate=trained.metrics.base_rate,
        verdict=judged.verdict(),
        metrics={name: _figures(metrics) for name, metrics in judged.metrics.items()},
        gains=tuple(share_found(held_out.log_odds, held_out.converted, np.array(GAINS_AT)).tolist()),
        blend=(blend.b, blend.w_linear, blend.w_trees),
        trees=sum(booster.num_trees() for booster in trained.model.loaded_boosters),
        features=len(trained.model.features),
        notes=(
            *_doubts(trained.metrics),
            *_strangers(fitted),
            *fitted.in_use.notes,
            *trained.report.notes,
            *segment_notes(fitted.segments),
        ),
        hold_out=_write_hold_out(settings, fitted.table, trained),
        plots=str(plots_of(settings, logged.run_id) or ""),
        card=str(card_of(settings, logged.run_id) or ""),
        tracking_uri=place_of(settings).uri,
        certificate=certificate_page.one_line(fitted.certificate),
        certificate_page=Workspace(settings.shop.workspace).training_folder() / PAGE,
    )


def _who_scores(settings: Settings, logged: ModelVersion) -> str:
    card = settings.points.card
    if CHAMPION in logged.aliases:
        return "it scores from now on"
    if has_champion(settings):
        return "another version keeps scoring"
    return "no model scores yet" if card is None else f"the points card '{card.name}' keeps scoring"


def _strangers(fitted: Fitted) -> list[str]:
    """Return what to know where more of the hold-out than chance explains is unlike what was learned before it."""
    known, hold_out = fitted.trained.judged.familiarity, fitted.trained.hold_out
    if known is None:
        return []
    share = float(known.is_unlike(fitted.table.take(hold_out.test_rows)).mean())
    if share <= ALARMS:
        return []
    fact = f"{share:.1%} of the hold-out is unlike the leads that the judged model learned from"
    return [f"{fact} ({ALARMS:.0%} would be chance): the market has moved, so watch `leadlight score` for the same."]


def _doubts(metrics: Metrics) -> list[str]:
    """Return what a person must know before acting on the scores, worst first."""
    auc = metrics.roc_auc
    if auc.low > CHANCE:
        return []
    fact = f"On the hold-out this model cannot be told from chance (ROC-AUC {auc.value:.2f}, from {auc.low:.2f})"
    return [f"{fact}: do not act on its scores before it is trained on more conversions."]


def _write_hold_out(settings: Settings, table: FeatureTable, trained: TrainedModel) -> Path:
    """Write what the judged model said of each snapshot of the hold-out, for whoever doubts the figures."""
    held_out = trained.hold_out
    keys = table.keys.take(pa.array(held_out.test_rows))
    columns = {name: keys[name] for name in ("as_of", "trigger_id")}
    said = {"lead_id": keys["lead_id"].cast(pa.string()), **columns, "probability": sigmoid(held_out.log_odds)}
    workspace = Workspace(settings.shop.workspace)
    target = workspace.training_folder() / "hold_out.parquet"
    with workspace.writing(target) as path:
        pq.write_table(pa.table({**said, "converted": held_out.converted}), path, compression="zstd")
    return target


def _figures(metrics: Metrics) -> dict[str, tuple[float, float, float]]:
    return {name: (one.value, one.low, one.high) for name, one in metrics.estimates().items()}
