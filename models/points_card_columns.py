"""What a points card reads of a lead, as features that the one sweep computes, and how its rules are said.

An action becomes a count (for the words) and, where its points fade, a second measure (for the points); an attribute
becomes its latest known value; a feature of the catalog is read as it is. Windows of a card hold what there is: a
shop that began to collect last week has points today.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from typing import Final

from features.catalog import Feature, Measure, Phrase
from features.errors import LeadlightError, nearest, wrong_input
from features.plan import columns_read
from models.languages import N_
from models.points_card import GROUPS, Action, Group, PointsCard, Rule, Value

LIMIT: Final = {"fit": N_("limit of fit"), "engagement": N_("limit of engagement")}
"""What the line is called that a group's cap takes away."""
_TIMES: Final = Phrase("{name} {n} times {window}", "{name} once {window}")
_FADING_TIMES: Final = Phrase("{name} {n} times {window}, older counts less", "{name} once {window}, older counts less")
_ONCE: Final = Phrase("{name} {window}")
_FADING_ONCE: Final = Phrase("{name} {window}, older counts less")
_PLAIN: Final = Phrase("{name}", missing="{name}")
PHRASES: Final = (_TIMES, _FADING_TIMES, _ONCE, _FADING_ONCE, _PLAIN)
"""How rules are said; ``{name}`` is the shop's own name for one."""


@dataclass(frozen=True)
class BoundCard:
    """A card and what it reads of a shop.

    Attributes:
        card: The card.
        features: What the sweep must compute, each once.
        words: One feature per rule, named after it, and one per group: how its points are said.
    """

    card: PointsCard
    features: tuple[Feature, ...]
    words: tuple[Feature, ...]


def bind(
    card: PointsCard,
    *,
    available: Mapping[str, AbstractSet[str]],
    attributes: Mapping[str, str],
    catalog: Sequence[Feature],
) -> BoundCard:
    """Return *card* with what it reads of a shop's tables.

    Args:
        card: The card.
        available: Columns per timeline table; empty where leads have attributes alone.
        attributes: The leads' usable attributes: name to ``text`` or ``number``.
        catalog: The features that rules may name.

    Raises:
        LeadlightError: Rules read tables, columns, attributes or features that are not there; all are named.
    """
    by_name = {feature.name: feature for feature in catalog}
    faults = [fault for rule in card.rules for fault in _unserved(rule, available, attributes, by_name)]
    if faults:
        raise _not_there(faults)
    read = [feature for rule in card.rules for feature in _read_by(rule, attributes, by_name)]
    words = [_words(rule, attributes, by_name) for rule in card.rules]
    return BoundCard(
        card=card,
        features=tuple({feature.name: feature for feature in read}.values()),
        words=(*words, *(_limit_words(group) for group in GROUPS)),
    )


def times_column(rule: Rule) -> str:
    """Return the column that says how often an action was done."""
    return f"points/{rule.name}/times"


def fading_column(rule: Rule) -> str:
    """Return the column that says what an action's times weigh together, or how long ago the latest is."""
    return f"points/{rule.name}/fading"


def value_column(value: Value) -> str:
    """Return the column that holds an attribute or a feature."""
    return value.name if value.of == "feature" else f"points/attribute {value.name}"


def _read_by(rule: Rule, attributes: Mapping[str, str], catalog: Mapping[str, Feature]) -> list[Feature]:
    asks = rule.asks
    if isinstance(asks, Value):
        if asks.of == "feature":
            return [catalog[asks.name]]
        kind = "number" if attributes[asks.name] == "number" else "category"
        return [_column(value_column(asks), Measure("last", "attributes", (), asks.name), rule, kind=kind)]
    times = Measure("count", asks.table, asks.where, window=asks.within, is_partial=True)
    found = [_column(times_column(rule), times, rule)]
    if asks.decay != "none":
        found.append(_column(fading_column(rule), _fading(asks), rule))
    return found


def _fading(action: Action) -> Measure:
    """What fades: all times together, or the latest by its age."""
    window, where = action.within, action.where
    if action.is_once:
        return Measure("days_since_last", action.table, where, window=window, is_partial=True)
    if action.decay == "linear":
        return Measure("decayed_linear", action.table, where, window=window, is_partial=True)
    half = action.half_life
    return Measure("decayed_half_life", action.table, where, window=window, half_life=half, is_partial=True)


def _column(name: str, measure: Measure, rule: Rule, *, kind: str = "number") -> Feature:
    return Feature(
        name=name,
        family=rule.group,
        kind=kind,
        unit="category" if kind == "category" else "number",
        concept=name,
        phrase=Phrase("{name}: {n}", name=rule.name),
        description=f"For the points card: {rule.name}.",
        measure=measure,
    )


def _words(rule: Rule, attributes: Mapping[str, str], catalog: Mapping[str, Feature]) -> Feature:
    """Return how a rule is said: its own name, and of an action how often and in how many days."""
    asks = rule.asks
    if isinstance(asks, Action):
        return _line(rule.name, rule.group, _action_phrase(rule.name, asks), unit="count")
    if asks.of == "feature":
        kind = catalog[asks.name].kind
    else:
        kind = "number" if attributes[asks.name] == "number" else "category"
    return _line(rule.name, rule.group, replace(_PLAIN, name=rule.name), kind=kind)


def _action_phrase(name: str, action: Action) -> Phrase:
    fades = action.decay != "none"
    if not action.is_once:
        said = _FADING_TIMES if fades else _TIMES
    elif fades:
        said = _FADING_ONCE
    else:
        said = _ONCE if action.within else _PLAIN
    return replace(said, name=name, window=action.within)


def _limit_words(group: Group) -> Feature:
    return _line(LIMIT[group], group, Phrase(LIMIT[group], missing=LIMIT[group]))


def _line(name: str, group: str, phrase: Phrase, *, kind: str = "number", unit: str = "number") -> Feature:
    unit = "category" if kind == "category" else unit
    return Feature(name=name, family=group, kind=kind, unit=unit, concept=name, phrase=phrase, description=name)


def _unserved(
    rule: Rule,
    available: Mapping[str, AbstractSet[str]],
    attributes: Mapping[str, str],
    catalog: Mapping[str, Feature],
) -> list[str]:
    """Return what a rule reads that is not there, one line each."""
    asks = rule.asks
    if isinstance(asks, Value):
        there: Iterable[str] = attributes if asks.of == "attribute" else catalog
        return [] if asks.name in there else [f"{rule.name}: no {asks.of} '{asks.name}'{_meant(asks.name, there)}"]
    if not available:
        return [f"{rule.name}: asks for an action ('{asks.table}'), and a table of leads holds attributes alone"]
    if asks.table not in available:
        return [f"{rule.name}: no table '{asks.table}'{_meant(asks.table, available)}"]
    columns = available[asks.table]
    read = columns_read([_column("", Measure("count", asks.table, asks.where), rule)])[asks.table]
    return [f"{rule.name}: no column '{asks.table}.{c}'{_meant(c, columns)}" for c in sorted(read - columns)]


def _meant(name: str, known: Iterable[str]) -> str:
    near = nearest(name, known)
    return f"   (did you mean '{near}'?)" if near else ""


def _not_there(faults: Sequence[str]) -> LeadlightError:
    hint = "correct or delete these rules, or map what they read in the config and ingest again."
    return wrong_input("Rules of the points card read what the ingested tables lack:", faults, hint=hint)
