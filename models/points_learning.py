"""A points card learned from data: monotone bins, an additive logistic model, whole points, at most so many rules.

1. Every usable feature is cut into bins of one direction (`models.points_bins`), once finer and once coarser.
2. Features join an additive logistic model with non-negative weights while rules are left (`models.points_additive`).
3. Log-odds become whole points: the spread of all leads fills the scale 0–100, which leaves some ten points to a
   log-odds unit, so that rounding costs next to nothing; typical bins give none, neighbours of equal points are one.
4. What totals mean as probabilities is fitted on the rounded points: two numbers that stand in the card.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Final, TypeAlias

import numpy as np
import numpy.typing as npt

from features.conditions import Condition, Conditions
from models import errors
from models.grades import GradeShares
from models.languages import ENGLISH, Language
from models.model import LOG_2
from models.points_additive import Additive, fit_additive
from models.points_bins import Binned, between, binned
from models.points_card import Caps, Cuts, Odds, PointsCard, Rule, Value
from models.points_card_margins import fit_line
from models.points_card_totals import card_points
from models.points_names import name_of
from models.screening import usable

if TYPE_CHECKING:
    from features.catalog import Feature
    from features.matrix import FeatureTable
    from models.splits import Moments

MOST_RULES: Final = 25
BINS: Final = (2, 3, 4, 6)
"""Bins into which each feature is offered, at most."""
NEWEST_ROWS: Final = 1000
"""Grades are cut on the newest as_ofs that hold so many rows."""
FULL_SCALE: Final = 100
"""Points between the least and the most that a card can give."""
SHRINK: Final = 0.99
DIGITS: Final = 4
"""Digits of the two numbers that turn totals into probabilities: what is printed is what is used."""
_Namer: TypeAlias = "Callable[[Feature, Conditions], str]"
"""Says what a rule is called that asks conditions of a feature."""


@dataclass(frozen=True)
class Learned:
    """A card and where it comes from.

    Attributes:
        card: The card.
        features: The features that it reads.
        rows: Snapshots learned from.
        conversions: Distinct converting leads among them.
    """

    card: PointsCard
    features: tuple[Feature, ...]
    rows: int
    conversions: int


def learn_card(
    table: FeatureTable,
    moments: Moments,
    *,
    most_rules: int = MOST_RULES,
    shares: GradeShares | None = None,
    currency: str = "",
    language: Language = ENGLISH,
) -> Learned:
    """Return the points card that the labels of *table* teach.

    Args:
        table: Ripe snapshots in canonical order (`models.training.ripe_rows`).
        moments: Their times, leads and labels.
        most_rules: Rules at most, >= 1.
        shares: Shares of the newest snapshots that get each grade; None = the defaults.
        currency: ISO code of amounts, for the names of rules.
        language: In which rules are named.

    Raises:
        LeadlightError: One class only, no usable feature, or no feature that tells converting leads apart.
    """
    converted = moments.converted
    if converted.all() or not converted.any():
        raise errors.one_class(len(moments), converted=bool(converted.all()))
    features, _ = usable(table, moments.as_of)
    # A rule about the day of the week would speak of the moment, not of the lead.
    offered = [feature for feature in features if feature.family != "calendar"]
    bins = [found for one in offered for found in binned(one, table.columns[one.name], converted, most=BINS)]
    model = fit_additive(bins, converted, most_rules=most_rules)
    if not model.chosen:
        raise errors.nothing_tells_apart()
    rules, base = _rules(model, partial(name_of, currency=currency, language=language))
    given = card_points(PointsCard(rules=rules, base=base), table)
    a, b = fit_line(given.total, converted)
    card = PointsCard(rules, base, Caps(), _cuts(given.score, moments, shares or GradeShares()), _odds(a, b))
    names = {rule.asks.name for rule in rules if isinstance(rule.asks, Value)}
    read = tuple(feature for feature in features if feature.name in names)
    return Learned(card, read, rows=len(moments), conversions=moments.converting_leads(converted))


def _rules(model: Additive, name: _Namer) -> tuple[tuple[Rule, ...], int]:
    """Return whole points of every bin but the typical ones, and the base that keeps every total above 0."""
    log_odds = [weight * one.evidence[:-1] for one, weight in zip(model.chosen, model.weights, strict=True)]
    spread = sum(float(np.ptp(one)) for one in log_odds)
    points_per_unit = FULL_SCALE / spread
    whole = [np.rint(one * points_per_unit).astype(np.int64) for one in log_odds]
    while sum(int(np.ptp(one)) for one in whole) > FULL_SCALE:  # rounding may add up
        points_per_unit *= SHRINK
        whole = [np.rint(one * points_per_unit).astype(np.int64) for one in log_odds]
    rules = [rule for one, points in zip(model.chosen, whole, strict=True) for rule in _of_feature(one, points, name)]
    return _named_apart(rules), -sum(int(one.min()) for one in whole)


def _of_feature(one: Binned, points: npt.NDArray[np.int64], name: _Namer) -> list[Rule]:
    feature = one.feature
    return [
        Rule(name(feature, tests), feature.axis, worth, Value("feature", feature.name, tests))  # type: ignore[arg-type]
        for tests, worth in _merged(one.tests, points.tolist())
        if worth
    ]


def _merged(tests: tuple[Conditions, ...], points: list[int]) -> list[tuple[Conditions, int]]:
    """Return bins with their points, neighbours of equal points as one; the missing bin stays alone."""
    found: list[tuple[Conditions, int]] = []
    for test, worth in zip(tests, points, strict=True):
        if found and found[-1][1] == worth and _kinds(test) == _kinds(found[-1][0]) != {"missing"}:
            found[-1] = (_union(found[-1][0], test), worth)
        else:
            found.append((test, worth))
    return found


def _kinds(tests: Conditions) -> set[str]:
    return {"number" if test.operator in ("min", "below") else test.operator for test in tests}


def _union(one: Conditions, two: Conditions) -> Conditions:
    """Return what holds in either of two neighbouring bins."""
    if one[0].operator == "in":
        operands = tuple(sorted({*map(str, one[0].operands), *map(str, two[0].operands)}))
        return (Condition(one[0].column, "in", operands),)
    low = [float(test.operands[0]) for test in one if test.operator == "min"]
    high = [float(test.operands[0]) for test in two if test.operator == "below"]
    return between(one[0].column, low[0] if low else None, high[0] if high else None)


def _named_apart(rules: list[Rule]) -> tuple[Rule, ...]:
    """Return *rules* with names that differ: two features may be said alike."""
    names = [rule.name.casefold() for rule in rules]
    return tuple(
        rule
        if names.count(rule.name.casefold()) == 1
        else replace(rule, name=f"{rule.name} ({rule.asks.name})" if isinstance(rule.asks, Value) else rule.name)
        for rule in rules
    )


def _odds(a: float, b: float) -> Odds | None:
    if b <= 0:
        return None
    return Odds(float(f"{1 / (1 + np.exp(-a)):.{DIGITS}g}"), float(f"{LOG_2 / b:.{DIGITS}g}"))


def _cuts(score: npt.NDArray[np.int64], moments: Moments, shares: GradeShares) -> Cuts:
    """Return the least scores that give *shares* on the newest as_ofs."""
    newest = score[moments.as_of >= _newest_from(moments.as_of)]
    a, b, c = (_at(newest, share) for share in np.cumsum([shares.a, shares.b, shares.c]))
    hot, warm = (_at(newest, share) for share in np.cumsum([shares.hot, shares.warm]))
    return Cuts(a=a, b=b, c=c, hot=hot, warm=warm)


def _newest_from(as_of: npt.NDArray[np.int64]) -> int:
    starts, rows = np.unique(as_of, return_counts=True)
    enough = np.flatnonzero(np.cumsum(rows[::-1]) >= NEWEST_ROWS)
    return int(starts[::-1][enough[0]]) if len(enough) else int(starts[0])


def _at(score: npt.NDArray[np.int64], share: float) -> int:
    return int(np.quantile(score, max(0.0, 1.0 - float(share)), method="higher"))
