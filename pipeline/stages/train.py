"""`leadlight train`: fit, judge, log and register a model of the config's question."""

from __future__ import annotations

from features.matrix import FeatureTable
from pipeline.progress import Progress, silent
from pipeline.settings import Settings
from pipeline.stages.fitting import fit, register, table_to_learn_from
from pipeline.stages.train_report import TrainReport, report_of


def train(settings: Settings, *, table: FeatureTable | None = None, progress: Progress = silent) -> TrainReport:
    """Train the config's model and register it; the first one becomes the champion.

    Args:
        settings: The shop's config; its tables must have been ingested.
        table: The training table where it is at hand; else it is computed.
        progress: Told of every step.

    Raises:
        LeadlightError: Nothing ingested, nothing ripe, too few conversions, one class only.
        GateFailedError: The leak certificate failed; nothing was registered.
    """
    if table is None:
        table = table_to_learn_from(settings, progress=progress)
    fitted = fit(settings, table, progress=progress)
    return report_of(settings, fitted, register(settings, fitted, progress=progress))
