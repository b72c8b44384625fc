"""How much a learned card gives up against the model: both learn before the hold-out and answer for it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from models.contest import OURS, Contest, contest
from models.grades import GradeShares
from models.languages import Language
from models.points_card import PointsCard
from models.points_card_margins import card_margins
from models.points_learning import Learned, learn_card
from models.recipe import fit_recipe
from models.training import TrainingConfig, checked_split, ripe_rows

if TYPE_CHECKING:
    from features.matrix import FeatureTable

LEARNED = "learned card"
GIVEN = "given card"


@dataclass(frozen=True)
class JudgedCard:
    """A learned card and what it is worth.

    Attributes:
        learned: Learned from all ripe snapshots; this one is written.
        contest: On the hold-out: the model, the card learned before it, and the given card where there is one.
        test_from: First as_of of the hold-out (us); None where other leads were held out instead of later ones.
    """

    learned: Learned
    contest: Contest
    test_from: int | None


def learn_and_judge(
    table: FeatureTable,
    *,
    config: TrainingConfig,
    most_rules: int,
    shares: GradeShares,
    currency: str,
    language: Language,
    given: PointsCard | None = None,
    notify: Callable[[str], None] = lambda _: None,
) -> JudgedCard:
    """Learn a card, judge the same recipe beside the model on the newest snapshots, and learn again from all.

    Args:
        table: Labelled snapshots, with the given card's columns where there is one.
        config: How the model is trained, and what is held out.
        most_rules: Rules at most.
        shares: Shares of leads that get each grade.
        currency: ISO code of amounts.
        language: In which rules are named.
        given: The shop's own card, judged beside.
        notify: Told what is being done.

    Raises:
        LeadlightError: No labels, no ripe snapshot, too few conversions, or nothing that tells leads apart.
    """
    table, moments, _ = ripe_rows(table)
    split = checked_split(moments, config)
    train, test, before = table.take(split.train), table.take(split.test), moments.take(split.train)
    notify("learning a card before the hold-out")
    card = learn_card(train, before, most_rules=most_rules, shares=shares).card
    notify("fitting the model to compare with")
    model, _ = fit_recipe(train, before, config.recipe, notify=notify)
    margins = {OURS: model.margins(test), LEARNED: card_margins(card, train, test)}
    if given is not None:
        margins[GIVEN] = card_margins(given, train, test)
    notify("learning the card from all snapshots")
    return JudgedCard(
        learned=learn_card(table, moments, most_rules=most_rules, shares=shares, currency=currency, language=language),
        contest=contest(margins, moments.converted[split.test], moments.lead[split.test], seed=config.recipe.seed),
        test_from=split.test_from,
    )
