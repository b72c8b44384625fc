"""The points that a card gives to every row of a table: see the head of `models.points_card` for the sums."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from features import conditions
from features.errors import LeadlightError, wrong_input
from models.points_card import GROUPS, MOST_POINTS, Action, PointsCard, Rule, Value
from models.points_card_columns import fading_column, times_column, value_column

if TYPE_CHECKING:
    from features.matrix import FeatureTable

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class CardPoints:
    """Whole points of every row.

    Attributes:
        per_rule: int64 ``(n_rows, n_rules)``.
        limits: By group, what its cap takes away or gives back: int64 ``(n_rows,)``, 0 within the cap.
        groups: By group, the sum of its rules and its limit: int64 ``(n_rows,)``.
        total: Base and groups: int64 ``(n_rows,)``.
        score: The total within 0 and the card's top: int64 ``(n_rows,)``.
    """

    per_rule: Ints
    limits: Mapping[str, Ints]
    groups: Mapping[str, Ints]
    total: Ints
    score: Ints


def card_points(card: PointsCard, table: FeatureTable) -> CardPoints:
    """Return the points of every row of *table*.

    Args:
        card: The card.
        table: Rows with the columns that `models.points_card_columns.bind` asks for, among the features or beside.

    Raises:
        LeadlightError: Columns are missing, or a value cannot be tested as a rule tests it; all are named.
    """
    if faults := [f"{rule.name}: {fault}" for rule in card.rules for fault in _faults(rule, table)]:
        raise _cannot_be_applied(faults)
    per_rule = np.zeros((len(table), len(card.rules)), dtype=np.int64)
    for place, rule in enumerate(card.rules):
        per_rule[:, place] = _rule_points(rule, table)
    limits: dict[str, Ints] = {}
    groups: dict[str, Ints] = {}
    for group in GROUPS:
        raw = per_rule[:, [rule.group == group for rule in card.rules]].sum(axis=1)
        cap = getattr(card.caps, group)
        groups[group] = raw if cap is None else np.clip(raw, -cap, cap)
        limits[group] = groups[group] - raw
    total = card.base + groups["fit"] + groups["engagement"]
    return CardPoints(per_rule, limits, groups, total, np.clip(total, 0, card.caps.total))


def rule_values(rule: Rule, table: FeatureTable) -> pa.ChunkedArray:
    """Return what a rule's words are said with: how often, or the value it tests."""
    return _column(table, times_column(rule) if isinstance(rule.asks, Action) else value_column(rule.asks))


def _rule_points(rule: Rule, table: FeatureTable) -> Ints:
    asks = rule.asks
    weight = _weight(rule, asks, table) if isinstance(asks, Action) else _is_met(asks, table).astype(np.float64)
    most = min(MOST_POINTS, rule.cap if rule.cap is not None else MOST_POINTS)
    points = np.floor(np.minimum(abs(rule.points) * weight, most) + 0.5)
    return np.where(rule.points > 0, points, -points).astype(np.int64)


def _weight(rule: Rule, action: Action, table: FeatureTable) -> Floats:
    """Return how many full times an action counts, shape ``(n_rows,)``."""
    times = np.nan_to_num(_numbers(table, times_column(rule)))
    if action.decay == "none":
        return np.minimum(times, 1.0) if action.is_once else times
    fading = _numbers(table, fading_column(rule))
    if not action.is_once:
        return np.nan_to_num(fading)
    left = 1.0 - fading / action.within if action.decay == "linear" else np.exp2(-fading / action.half_life)
    return np.nan_to_num(np.maximum(left, 0.0))


def _is_met(value: Value, table: FeatureTable) -> npt.NDArray[np.bool_]:
    return conditions.mask(value.tests, _tested(value, table))


def _tested(value: Value, table: FeatureTable) -> pa.Table:
    return pa.table({value.name: _column(table, value_column(value))})


def _numbers(table: FeatureTable, name: str) -> Floats:
    return np.asarray(_column(table, name).to_numpy(), dtype=np.float64)


def _column(table: FeatureTable, name: str) -> pa.ChunkedArray:
    if table.beside is not None and name in table.beside.column_names:
        return table.beside[name]
    return table.columns[name]


def _has(table: FeatureTable, name: str) -> bool:
    beside = [] if table.beside is None else table.beside.column_names
    return name in beside or name in table.columns.column_names


def _faults(rule: Rule, table: FeatureTable) -> list[str]:
    """Return why a rule cannot be applied to *table*, one line each."""
    lacking = [f"the column '{name}' was not computed" for name in _columns_of(rule) if not _has(table, name)]
    if lacking or isinstance(rule.asks, Action):
        return lacking
    return conditions.misfits(rule.asks.tests, _tested(rule.asks, table))


def _columns_of(rule: Rule) -> list[str]:
    if isinstance(rule.asks, Value):
        return [value_column(rule.asks)]
    return [times_column(rule)] + ([fading_column(rule)] if rule.asks.decay != "none" else [])


def _cannot_be_applied(faults: list[str]) -> LeadlightError:
    hint = "`leadlight points check` tries every rule on the ingested tables."
    return wrong_input("Rules of the points card cannot be applied:", faults, hint=hint)
