"""Scores by a points card, stored as a model's are: what differs is what the card knows nothing of.

A card without odds gives no probability. ``points_total`` is 100 · (total - base): fit and engagement sum to it, and so
do the points of the rules and of the groups' limits. A reason is one rule that gave points, in the rule's own words.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from models.grades import Cuts as GradeCuts
from models.grades import cells, grades, temperatures
from models.model import sigmoid
from models.points import Points
from models.points_card import GROUPS, Odds
from models.points_card_columns import LIMIT, BoundCard
from models.points_card_margins import odds_margins
from models.points_card_totals import CardPoints, card_points, rule_values
from models.reasons import ReasonLimits, stored_reasons
from models.row_hash import row_hashes
from models.scoring import ScoringRun, as_scores

if TYPE_CHECKING:
    from features.matrix import FeatureTable

HUNDREDTHS: Final = 100
CELL_POINTS: Final = 5.0
"""Points from which fit or engagement speaks for a lead, where the shop says nothing else."""


def score_by_card(
    bound: BoundCard, table: FeatureTable, *, run: ScoringRun, cell_points: float = CELL_POINTS
) -> pa.Table:
    """Return the stored score of every row of *table*, not ranked.

    Args:
        bound: The card and what it reads.
        table: One row per lead and moment, with the card's columns.
        run: What all rows share.
        cell_points: Points from which fit or engagement speaks for a lead.

    Returns:
        `models.scoring.score_schema` of the card's words, in the table's order.
    """
    card, given = bound.card, card_points(bound.card, table)
    cuts = GradeCuts((card.cuts.a, card.cuts.b, card.cuts.c), (card.cuts.hot, card.cuts.warm), _border(cell_points))
    points, score = _as_points(bound, given), given.score.astype(np.float64)
    fit, engagement = (given.groups[group] * HUNDREDTHS for group in GROUPS)
    columns: dict[str, object] = {
        "lead_id": table.keys["lead_id"],
        "as_of": table.keys["as_of"],
        "trigger_id": table.keys["trigger_id"],
        "score": given.score,
        "grade": grades(score, cuts),
        "temperature": temperatures(score, cuts),
        "cell": cells(fit, engagement, cuts),
        "points_total": points.total_hundredths,
        "fit": fit,
        "engagement": engagement,
        "points_family": _struct(points.per_family),
        "points": _struct({f.name: points.per_feature[:, place] for place, f in enumerate(bound.words)}),
        "reasons": stored_reasons(points, _said_with(bound, table), limits=_every(bound)),
        "features_hash": hashed(bound, table),
    }
    if card.odds is not None:
        columns |= _probabilities(card.odds, given)
    return as_scores(columns, len(table), run=run, features=bound.words)


def hashed(bound: BoundCard, table: FeatureTable) -> pa.StringArray:
    """Return the fingerprint of what *bound* reads of every row."""
    return row_hashes(_all_columns(table), tuple(feature.name for feature in bound.features))


def _as_points(bound: BoundCard, given: CardPoints) -> Points:
    """Return whole points as hundredths, the groups' limits last, as `BoundCard.words` has them."""
    limits = np.stack([given.limits[group] for group in GROUPS], axis=1)
    per_line = np.concatenate([given.per_rule, limits], axis=1) * HUNDREDTHS
    return Points((given.total - bound.card.base) * HUNDREDTHS, per_line, bound.words)


def _said_with(bound: BoundCard, table: FeatureTable) -> FeatureTable:
    """Return the table that the words read: of each rule how often, or the value; of limits nothing."""
    values = {rule.name: rule_values(rule, table) for rule in bound.card.rules}
    nothing = pa.chunked_array([pa.array(np.full(len(table), np.nan))])
    values |= {LIMIT[group]: nothing for group in GROUPS}
    return replace(table, columns=pa.table(values), features=bound.words, labels=None, beside=None)


def _every(bound: BoundCard) -> ReasonLimits:
    """Return that each line with points is a reason: a card is read whole."""
    return ReasonLimits(most_for=len(bound.words), most_against=len(bound.words), least_hundredths=1)


def _probabilities(odds: Odds, given: CardPoints) -> dict[str, object]:
    log_odds = odds_margins(odds, given.total)
    return {"log_odds": log_odds, "probability": sigmoid(log_odds)}


def _all_columns(table: FeatureTable) -> FeatureTable:
    """Return *table* with what lies beside among its columns."""
    if table.beside is None:
        return table
    both = {name: table.columns[name] for name in table.columns.column_names}
    both |= {name: table.beside[name] for name in table.beside.column_names}
    return replace(table, columns=pa.table(both), beside=None)


def _struct(fields: Mapping[str, npt.NDArray[np.int64]]) -> pa.StructArray:
    arrays = [pa.array(values.astype(np.int32)) for values in fields.values()]
    return pa.StructArray.from_arrays(arrays, names=list(fields))


def _border(cell_points: float) -> int:
    return round(cell_points * HUNDREDTHS)
