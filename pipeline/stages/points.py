"""`leadlight points init` and `check`: a card to start from, and what a card does on the ingested tables."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from features.errors import LeadlightError, wrong_input
from features.families.offering import EVENT_TYPES
from features.local_time import local_iso
from features.moments import DAY, is_window_covered
from features.timeline import Coverage
from models.points_card import Action, PointsCard, Rule
from models.points_card_totals import card_points
from pipeline.lead_data import lead_data
from pipeline.points_draft import draft
from pipeline.points_draft_attributes import draft_of_attributes
from pipeline.points_words import asked_words
from pipeline.progress import Progress, silent
from pipeline.settings import Settings
from pipeline.workspace import Workspace

QUANTILES = (0.0, 0.25, 0.5, 0.75, 1.0)
_EVERY_TABLE = ("orders", "sessions", "events")
_NO_END = 10**6
"""Points of a rule that gives them as often as it is met: more than any scale holds."""


@dataclass(frozen=True)
class RuleCheck:
    """One rule on the ingested tables.

    Attributes:
        name: Its name.
        group: fit or engagement.
        asks: What gives the points, in words.
        points: Points that it gives, each time where it is an action.
        cap: Most points, or None.
        leads: Leads that get points by it now.
        mean: Mean points of those.
        note: What a person should know, or empty.
    """

    name: str
    group: str
    asks: str
    points: int
    cap: int | None
    leads: int
    mean: float
    note: str


@dataclass(frozen=True)
class CardCheck:
    """What a card does on the ingested tables.

    Attributes:
        card: Its file.
        label: What its scores are marked with.
        as_of: The moment it was tried at (ISO, on the shop's clock).
        leads: Leads of the cohort then.
        rules: Each rule.
        scores: The least score, the quartiles and the highest.
        at_most: Highest score that the card can give.
        different: How many different scores there are.
    """

    card: Path
    label: str
    as_of: str
    leads: int
    rules: tuple[RuleCheck, ...]
    scores: tuple[int, ...]
    at_most: int
    different: int


def init(path: Path, *, settings: Settings | None = None) -> Path:
    """Write a card to start from and return its path.

    Args:
        path: The file; its folder is made where it is missing.
        settings: The shop's config, where there is one: rules that its tables cannot serve are switched off.

    Raises:
        LeadlightError: There is such a file already; it is left alone.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    text = draft(set(_EVERY_TABLE)) if settings is None else _draft_for(settings)
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError as error:
        raise _exists(path) from error
    return path


def check(settings: Settings, *, progress: Progress = silent) -> CardCheck:
    """Try the config's card on every lead of the cohort, when the data end; on a table of leads, on all of them.

    Args:
        settings: The shop's config, with ``points.card``; tables must be ingested.
        progress: Told of every bucket done.

    Raises:
        LeadlightError: No card, a card with faults, or rules that the tables cannot serve; all are named.
    """
    leads = lead_data(settings)
    bound = leads.points_card()
    moment = min(leads.data_until(bound.features).values())
    reads = leads.scored_by(bound)
    parts = leads.everyone(reads, lambda asked: card_points(bound.card, asked), as_of=moment, progress=progress)
    per_rule, score = np.concatenate([part.per_rule for part in parts]), np.concatenate([part.score for part in parts])
    if not len(score):
        raise leads.nobody_waits(moment)
    card = bound.card
    return CardCheck(
        card=settings.points.card or Path(),
        label=card.label,
        as_of=local_iso(moment, settings.shop.time_zone),
        leads=len(score),
        rules=tuple(_checked(rule, per_rule[:, k], leads.coverage, moment) for k, rule in enumerate(card.rules)),
        scores=tuple(int(one) for one in np.quantile(score, QUANTILES, method="nearest")),
        at_most=_at_most(card),
        different=len(np.unique(score)),
    )


def _draft_for(settings: Settings) -> str:
    is_ingested = Workspace(settings.shop.workspace).current_generation() is not None
    leads = lead_data(settings) if is_ingested else None
    if settings.lead_table is not None:
        named = leads.attributes if leads else settings.lead_table.named_attributes
        return draft_of_attributes({name: leads.examples_of(name) if leads else () for name in named})
    tables = set(leads.available) if leads else set(settings.tables)
    names: Mapping[str, tuple[str, ...]] = {
        **EVENT_TYPES,
        **{ours: tuple(theirs) for ours, theirs in settings.features.event_types.items()},
    }
    attributes = [name for source in settings.tables.get("leads", []) for name in source.attributes]
    return draft(tables, attributes=attributes, event_names=names, event_types=leads.event_types if leads else None)


def _checked(rule: Rule, points: npt.NDArray[np.int64], coverage: Mapping[str, Coverage], moment: int) -> RuleCheck:
    given = points[points != 0]
    return RuleCheck(
        name=rule.name,
        group=rule.group,
        asks=asked_words(rule),
        points=rule.points,
        cap=rule.cap,
        leads=len(given),
        mean=float(given.mean()) if len(given) else 0.0,
        note="; ".join(_notes(rule, given, len(points), coverage, moment)),
    )


def _notes(
    rule: Rule, given: npt.NDArray[np.int64], n_leads: int, coverage: Mapping[str, Coverage], moment: int
) -> list[str]:
    notes = []
    if not len(given):
        notes.append("gives nobody points (is every value spelled as in your data?)")
    elif len(given) == n_leads and np.unique(given).size == 1:
        notes.append("gives every lead the same")
    asks = rule.asks
    if isinstance(asks, Action) and asks.within and asks.table in coverage:
        data_from = coverage[asks.table].data_from
        if not is_window_covered(moment, asks.within * DAY, data_from):
            notes.append(f"the data of {asks.table} go back {(moment - data_from) // DAY} days only")
    return notes


def _at_most(card: PointsCard) -> int:
    """Return the highest score that the card can give: all that speaks for a lead, as often as it can."""
    total = card.base
    for group in ("fit", "engagement"):
        of_group = [rule for rule in card.rules if rule.group == group and rule.points > 0]
        most = sum(_most(rule) for rule in of_group)
        cap = getattr(card.caps, group)
        total += most if cap is None else min(most, cap)
    return int(min(max(total, 0), card.caps.total))


def _most(rule: Rule) -> int:
    if rule.cap is not None:
        return rule.cap if isinstance(rule.asks, Action) and not rule.asks.is_once else min(rule.points, rule.cap)
    return _NO_END if isinstance(rule.asks, Action) and not rule.asks.is_once else rule.points


def _exists(path: Path) -> LeadlightError:
    return wrong_input(
        f"'{path}' is there already and was left alone.", hint="give another name: `leadlight points init FILE`."
    )
