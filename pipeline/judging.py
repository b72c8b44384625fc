"""Against whom a shop's models are judged."""

from __future__ import annotations

import numpy as np

from features.matrix import FeatureTable
from features.moments import DAY
from models import baselines
from models.baselines import RepeatPurchase, Rival
from models.training import moments_of
from pipeline.settings import Settings


def rivals(settings: Settings, table: FeatureTable) -> dict[str, Rival]:
    """Return the baselines that stand beside the model in every report.

    Args:
        settings: The shop's config.
        table: Its labelled snapshots.
    """
    predicts_orders = settings.question.conversion.table == "orders"
    repeat = RepeatPurchase(_horizon_days(settings, table)) if predicts_orders else None
    return baselines.rivals(table, repeat_purchase=repeat, seed=settings.model.seed)


def _horizon_days(settings: Settings, table: FeatureTable) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Return the days of each snapshot's label window, without those in which late news still counts."""
    moments = moments_of(table)
    return (moments.decided_at - moments.as_of) / DAY - settings.question.settle_days
