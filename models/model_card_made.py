"""The card's last sections: how to read a score, what the model reads, what was checked, how it was made."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from features.certified import FAILED
from models import grades
from models.model import LOG_2, sigmoid
from models.model_card_numbers import percent, words
from models.model_card_page import Block, Bullets, Notice, Section, Table, Text

if TYPE_CHECKING:
    from models.model_card_facts import CardFacts

SCORES_SHOWN: Final = (20, 30, 40, 50, 60, 70, 80, 90)
MOST_FEATURES: Final = 15


def reading_section(facts: CardFacts) -> Section:
    """Say what a score of 50 is, what ten points are, and where grades begin."""
    model, shares = facts.trained.model, facts.setting.shares
    reference = float(sigmoid(np.array([model.reference]))[0])
    base_rate = facts.trained.report.base_rate
    at = sigmoid(model.reference + (np.array(SCORES_SHOWN) - 50) / 10 * LOG_2)
    cuts = grades.cuts(model.newest_probabilities, shares)
    graded = [f"{name} from {percent(cut)}" for name, cut in zip("ABC", cuts.grades, strict=True)]
    fifty = f"A score of 50 is a lead with nothing for or against it: a probability of {percent(reference)}."
    ten = "Ten points more double the odds, ten points less halve them."
    interval = "The interval around a probability says how far the calibration itself is uncertain, not this one lead."
    points = (
        f"{fifty} Of all snapshots it learned from, {percent(base_rate)} converted.",
        f"{ten} The points beside the reasons add up to the score.",
        f"{interval} It always holds the probability.",
        f"Grades by probability: {', '.join(graded)}, D below. A lead's grade depends on that lead alone.",
    )
    table = Table(
        ("score", *(str(score) for score in SCORES_SHOWN)), (("probability", *(percent(float(one)) for one in at)),)
    )
    return Section("How to read a score", (Bullets(points), table))


def features_section(facts: CardFacts) -> Section:
    """Show what moves the scores most, and what the model does not read, and why."""
    described = {feature.name: feature.description for feature in facts.trained.model.features}
    rows = tuple(
        (str(row["feature"]), f"{row['mean_absolute_points']:.1f}", described.get(str(row["feature"]), ""))
        for row in facts.importance[:MOST_FEATURES]
    )
    count = len(facts.trained.model.features)
    blocks: list[Block] = [
        Text(f"The model reads {count} features; data_dictionary.md, beside this card's folder, explains every one.")
    ]
    if rows:
        caption = f"The {len(rows)} that move scores most"
        head = ("feature", "points, on average", "meaning")
        blocks.append(Table(head, rows, caption))
    left_out = [(one.feature, one.reason) for one in facts.trained.report.dropped]
    left_out += [(words(name), "marked as sensitive by the shop") for name in facts.setting.kept_out]
    if left_out:
        blocks.append(Table(("left out", "why"), tuple(left_out), "What it does not read"))
    return Section("What it reads", tuple(blocks))


def leaks_section(facts: CardFacts) -> Section:
    """Show what was checked for leaks of the future; say so where nothing was."""
    if facts.certificate is None:
        return Section("Leak certificate", (Text("No leak certificate was made for this version."),))
    checks = facts.certificate.get("checks", [])
    head = ("check", "asks", "threshold", "outcome")
    keys = ("name", "asks", "threshold", "outcome")
    rows = tuple(tuple(str(check.get(key, "")) for key in keys) for check in checks)
    failed = frozenset(place for place, check in enumerate(checks) if check.get("outcome") == FAILED)
    passed = bool(facts.certificate.get("passed"))
    told = "No leak of the future was found." if passed else "The future leaks into this model: do not use it."
    return Section("Leak certificate", (Notice(told, is_good=passed), Table(head, rows, "", failed)))


def made_section(facts: CardFacts) -> Section:
    """Say how the model was put together, and with what."""
    report = facts.trained.report
    blend, plan = report.calibration.blend, report.plan
    trees = sum(booster.num_trees() for booster in facts.trained.model.loaded_boosters)
    rows = [
        ("form", "log-odds = b + w₁ · linear part + w₂ · trees; every score is the sum of its features' points"),
        ("blend", f"b {blend.b:+.3f}, linear {blend.w_linear:.2f}, trees {blend.w_trees:.2f}"),
        ("linear part", f"regularised logistic regression, strength {plan.strength:g}"),
        (
            "trees",
            f"LightGBM, {trees} trees in {plan.bags} bags, {plan.settings.leaves} leaves, rate {plan.settings.rate:g}",
        ),
        ("checked on", f"groups of leads and {report.forward_blocks} forward blocks"),
        ("interval", "Venn–Abers on margins that no part had seen"),
    ]
    rows += [(name, version) for name, version in facts.software.items()]
    # What was not used stands in a table of its own.
    told = tuple(note for note in report.notes if not note.startswith("Not used"))
    notes = (Bullets(told),) if told else ()
    return Section("How it was made", (Table(("", ""), tuple(rows)), *notes))
