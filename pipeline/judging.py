"""Against whom a shop's models are judged."""

from __future__ import annotations

from functools import partial

from features.matrix import FeatureTable
from features.moments import DAY
from models import baselines
from models.baselines import CARD, Floats, Ints, RepeatPurchase, Rival
from models.points_card import PointsCard
from models.points_card_margins import card_margins
from models.training import moments_of
from pipeline.points_file import read_card
from pipeline.settings import Settings


def rivals(settings: Settings, table: FeatureTable) -> dict[str, Rival]:
    """Return the baselines that stand beside the model in every report.

    Args:
        settings: The shop's config.
        table: Its labelled snapshots.
    """
    predicts_orders = settings.question.conversion.table == "orders"
    repeat = RepeatPurchase(_horizon_days(settings, table)) if predicts_orders else None
    found = baselines.rivals(table, repeat_purchase=repeat, seed=settings.model.seed)
    if settings.points.card is not None:
        found[CARD] = partial(_by_card, read_card(settings.points.card), table)
    return found


def _by_card(card: PointsCard, table: FeatureTable, train: Ints, test: Ints) -> Floats:
    return card_margins(card, table.take(train), table.take(test))


def _horizon_days(settings: Settings, table: FeatureTable) -> Floats:
    """Return the days of each snapshot's label window, without those in which late news still counts."""
    moments = moments_of(table)
    return (moments.decided_at - moments.as_of) / DAY - settings.question.settle_days
