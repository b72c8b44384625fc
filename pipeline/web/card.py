"""The shop's points card, as a page tells it."""

from __future__ import annotations

from dataclasses import dataclass

from models.points_card import LABEL, PointsCard, Rule
from pipeline.card_store import kept
from pipeline.points_file import read_card
from pipeline.points_words import asked_words
from pipeline.settings import Settings
from pipeline.workspace import Workspace


@dataclass(frozen=True)
class CardRule:
    """One rule in words."""

    name: str
    group: str
    asks: str
    points: int
    cap: int | None


@dataclass(frozen=True)
class CardPage:
    """The card.

    Attributes:
        label: What its scores are marked with.
        is_scoring: Whether the scores that are shown are its.
        card: The card as it is.
        rules: Its rules in words.
    """

    label: str
    is_scoring: bool
    card: PointsCard
    rules: list[CardRule]


def card_page(settings: Settings, scored_by: str) -> CardPage | None:
    """Return the card that gave the scores shown, else the one that the config names, or None where there is neither.

    Raises:
        LeadlightError: The card has faults, or is gone.
    """
    is_scoring = scored_by.startswith(LABEL)
    if is_scoring:
        card = kept(Workspace(settings.shop.workspace), scored_by).card
    elif settings.points.card is not None:
        card = read_card(settings.points.card)
    else:
        return None
    return CardPage(card.label, is_scoring, card, [_told(rule) for rule in card.rules])


def _told(rule: Rule) -> CardRule:
    return CardRule(rule.name, rule.group, asked_words(rule), rule.points, rule.cap)
