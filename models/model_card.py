"""The model card: one page per version that says what it is for, how good it is, for whom, and where it ends.

After Mitchell et al., *Model Cards for Model Reporting* (2019): what is predicted, the data, the figures beside plain
baselines, quality by segment, limits, how to read a score, and how the model was made. Equal facts make equal pages.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from models.model_card_limits import limits
from models.model_card_made import features_section, leaks_section, made_section, reading_section
from models.model_card_numbers import percent, whole
from models.model_card_page import Bullets, Notice, Page, Section, Text, Tile, Tiles
from models.model_card_quality import charts_section, data_section, figures_section
from models.model_card_segments import segments_section
from models.plots_curves import MARKED_SHARE

if TYPE_CHECKING:
    from models.model_card_facts import CardFacts


def model_card(facts: CardFacts) -> Page:
    """Return the card of one training."""
    sections = [
        _summary(facts),
        _asked(facts),
        Section("Limits", (Bullets(limits(facts)),)),
        data_section(facts),
        figures_section(facts),
        charts_section(facts),
        segments_section(facts),
        reading_section(facts),
        features_section(facts),
        leaks_section(facts),
        made_section(facts),
    ]
    title = f"Model card: {facts.setting.shop}" if facts.setting.shop else "Model card"
    return Page(title, _lines(facts), tuple(section for section in sections if section.blocks))


def _lines(facts: CardFacts) -> tuple[str, ...]:
    trained = f"Trained {facts.trained_at:%Y-%m-%d %H:%M} UTC" if facts.trained_at else "Trained"
    run = f", run {facts.run_id[:8]}: its version ends with these characters" if facts.run_id else ""
    return tuple(line for line in (facts.setting.question, f"{trained}{run}.") if line)


def _summary(facts: CardFacts) -> Section:
    """Say first what a person would ask first: is it any good?"""
    metrics, found = facts.trained.metrics, facts.curves.gains.found_at(MARKED_SHARE)
    setting = facts.setting
    notice = (Notice(setting.verdict, is_good=bool(setting.beats_all)),) if setting.verdict else ()
    tiles = (
        Tile(f"Best {whole(MARKED_SHARE)} of leads", whole(found), "of all conversions are among them"),
        Tile("Ranking (ROC-AUC)", f"{metrics.roc_auc.value:.2f}", "1 is perfect, 0.5 is chance"),
        Tile("Probabilities are off by", percent(metrics.ece.value), "on average, over tenths of the leads"),
        Tile("Judged on", f"{metrics.conversions:,}", "converting leads, in snapshots it had never seen"),
    )
    return Section("In short", (*notice, Tiles(tiles)))


def _asked(facts: CardFacts) -> Section:
    asked = tuple(f"{name}: {meaning}" for name, meaning in facts.setting.asked.items())
    use = Text(
        "It is meant for deciding whom to contact first. It is not meant for decisions about what a person may have, "
        "pay or owe."
    )
    return Section("What is predicted", (*((Bullets(asked),) if asked else ()), use))
