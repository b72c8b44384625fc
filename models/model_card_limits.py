"""What a model does not know, drawn from its own figures: the part of a card that people should read first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from features.moments import DAY, from_us
from models.model_card_numbers import listed, percent, words
from models.reliability import reliability
from models.segment_words import all_badly_calibrated, error_gap_sentences
from models.segments import calibration_gap
from models.training import moments_of, ripe_rows

if TYPE_CHECKING:
    from models.model_card_facts import CardFacts

CHANCE: Final = 0.5
FEW_CONVERSIONS: Final = 100
"""Converting leads in the hold-out below which its figures are rough."""
WIDE: Final = 0.10
"""Width of the interval of the ROC-AUC from which two models are hard to tell apart."""
FEW_MOMENTS: Final = 2
OLD_DAYS: Final = 90
YEAR_DAYS: Final = 365


def limits(facts: CardFacts) -> tuple[str, ...]:
    """Return what to keep in mind, one sentence each, the gravest first."""
    found = [*_about_quality(facts), *_about_probabilities(facts), *_about_people(facts), *_about_time(facts)]
    found.append(
        "A score says who is likely to convert, not whom a call would win over: some would convert without it, "
        "and some would not with it."
    )
    return tuple(found)


def _about_quality(facts: CardFacts) -> list[str]:
    metrics = facts.trained.metrics
    auc, found = metrics.roc_auc, []
    if auc.low <= CHANCE:
        found.append(
            f"On the hold-out this model cannot be told from chance (ROC-AUC from {auc.low:.2f}): "
            "do not act on its scores."
        )
    if metrics.conversions < FEW_CONVERSIONS:
        found.append(f"Only {metrics.conversions} leads of the hold-out converted, so every figure here is rough.")
    if auc.high - auc.low > WIDE:
        found.append(
            f"The ROC-AUC may be anything from {auc.low:.2f} to {auc.high:.2f}: a model that looks a little better or "
            "worse need not be."
        )
    if facts.trained.hold_out.test_from is None:
        found.append(
            "The hold-out is other leads at the same time, not later ones: how the model does when the market moves "
            "was not tested."
        )
    return found


def _about_probabilities(facts: CardFacts) -> list[str]:
    held_out, found = facts.trained.hold_out, []
    judged = reliability(held_out.log_odds, held_out.converted)
    gap = calibration_gap(held_out.log_odds, held_out.converted, held_out.lead)
    if gap.low > 0 or gap.high < 0:
        found.append(
            f"Its probabilities were too {'high' if gap.value > 0 else 'low'} on the hold-out: "
            f"{judged.expected:,.0f} conversions expected, {judged.observed:,} came."
        )
    if not judged.holds:
        found.append(
            f"Probabilities are off by {percent(judged.ece)} on average, more than chance explains: "
            "trust the order of leads more than the probabilities."
        )
    return found + (all_badly_calibrated(facts.segments) if facts.segments else [])


def _about_people(facts: CardFacts) -> list[str]:
    found = error_gap_sentences(facts.segments) if facts.segments else []
    if facts.setting.kept_out:
        names = listed([words(name) for name in facts.setting.kept_out])
        found.append(
            f"The model does not read {names}. What it reads may still hint at it, so look at the error gaps all "
            "the same."
        )
    if facts.segments and facts.segments.unavailable:
        names = listed([words(name) for name in facts.segments.unavailable])
        found.append(f"By {names} nothing is reported: no values were known in time.")
    return found


def _about_time(facts: CardFacts) -> list[str]:
    if facts.setting.place is not None:
        return ["It knows the order of its leads, and no day: seasons and the age of its data are unknown to it."]
    day = facts.setting.day
    _, learned, _ = ripe_rows(facts.table)
    asked, closed = np.unique(learned.as_of), int(learned.decided_at.max())
    days, found = int(asked[-1] - asked[0]) // DAY, []
    if 0 < days < YEAR_DAYS:
        found.append(f"It learned from moments within {days} days: less than a year, so some seasons are new to it.")
    tested = np.unique(moments_of(facts.table).as_of[facts.trained.hold_out.test_rows])
    if len(tested) <= FEW_MOMENTS:
        when = listed([day(int(moment)) for moment in tested])
        found.append(
            f"It was judged at {len(tested)} moment{'s' * (len(tested) > 1)} only ({when}): others may be unlike."
        )
    if facts.trained_at is not None:
        age = (facts.trained_at - from_us(closed)).days
        if age > OLD_DAYS:
            found.append(
                f"The newest outcome it learned from was {age:,} days old when it was trained "
                f"({day(closed)}): what has changed since is unknown to it."
            )
    return found
