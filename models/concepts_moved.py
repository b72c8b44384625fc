"""What moved most inside a change: the points of each concept in two runs, and what its strongest feature said.

Points are the stored ones, so they tell of everything at once: of what the lead did, and of a model that weighs it
differently by now. They do not split the four steps, and are not shown as if they did.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from models.languages import ENGLISH, Language
from models.wording import sentence

if TYPE_CHECKING:
    from features.catalog import Feature
    from features.matrix import FeatureTable

MOST: Final = 5
LEAST_HUNDREDTHS: Final = 50
"""Smaller moves are left out: nobody would see them in a score."""


@dataclass(frozen=True)
class Moved:
    """One concept whose points moved.

    Attributes:
        concept: What its features have in common.
        feature: The feature that moved most the same way.
        hundredths: By how much the concept's points moved, not 0.
        then: What the feature said in the older run, in words; empty where that is not known.
        now: What it says in the newer run; empty where the newer model does not read it.
    """

    concept: str
    feature: str
    hundredths: int
    then: str
    now: str


@dataclass(frozen=True)
class Told:
    """One lead in one run.

    Attributes:
        points: Stored hundredths per feature.
        values: One row with the features' values; None where they are not known.
    """

    points: Mapping[str, int]
    values: FeatureTable | None


def concepts_moved(
    old: Told, new: Told, features: Mapping[str, Feature], *, currency: str = "", language: Language = ENGLISH
) -> tuple[Moved, ...]:
    """Return the concepts that moved most, the strongest first, at most `MOST`.

    Args:
        old: The lead in the older run.
        new: The same lead in the newer run.
        features: Every feature of either, by name.
        currency: ISO code of amounts.
        language: In which it is said.
    """
    by_feature = {name: new.points.get(name, 0) - old.points.get(name, 0) for name in features}
    by_concept: dict[str, int] = {}
    for name, hundredths in by_feature.items():
        concept = features[name].concept
        by_concept[concept] = by_concept.get(concept, 0) + hundredths
    strongest = sorted(by_concept, key=lambda concept: (-abs(by_concept[concept]), concept))[:MOST]
    found = []
    for concept in strongest:
        hundredths = by_concept[concept]
        if abs(hundredths) >= LEAST_HUNDREDTHS:
            members = [name for name in features if features[name].concept == concept]
            # It pulls the way the concept does, so its words cannot contradict the points.
            carrier = max(members, key=lambda name: by_feature[name] if hundredths > 0 else -by_feature[name])
            then, now = (_said(features[carrier], one.values, currency, language) for one in (old, new))
            found.append(Moved(concept, carrier, hundredths, then, now))
    return tuple(found)


def _said(feature: Feature, values: FeatureTable | None, currency: str, language: Language) -> str:
    if values is None or feature.name not in values.columns.column_names:
        return ""
    return sentence(feature, values.columns[feature.name][0].as_py(), currency=currency, language=language)
