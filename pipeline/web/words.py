"""How stored points and reasons are said: by the features of the model that scored, or the rules of the points card."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from threading import Lock
from typing import Any, Final

from features.catalog import Feature
from models.model import LeadModel
from models.wording import begun, sentence
from pipeline.card_store import KeptCard
from pipeline.languages import Language
from pipeline.scorers import kept_scorer
from pipeline.settings import Settings

MOST_SAID: Final = 20_000
"""Sentences of one scorer that are remembered."""
MOST_KEPT: Final = 3
"""Models in memory at once: the one that scores, and those that people look back at."""


@dataclass(frozen=True)
class Scorer:
    """Who scored, and the words for it.

    Attributes:
        by: The model, or the points card.
    """

    by: LeadModel | KeptCard
    _said: dict[tuple[str, str, float | str | None], str] = field(default_factory=dict, repr=False, compare=False)

    @cached_property
    def features(self) -> Mapping[str, Feature]:
        """What points are given for, by name."""
        said = self.by.words if isinstance(self.by, KeptCard) else self.by.features
        return {feature.name: feature for feature in said}

    def why(self, stored: Mapping[str, Any], *, currency: str, language: Language) -> str:
        """Return one stored reason in words; what many leads have in common is put into words once.

        Args:
            stored: A `models.reasons.REASON_TYPE`.
            currency: ISO code of amounts.
            language: In which it is said.
        """
        feature = self.features[stored["feature"]]
        value = stored["level"] if feature.kind == "category" else stored["value"]
        key = (language.locale, feature.name, value)
        text = self._said.get(key)
        if text is None:
            text = begun(sentence(feature, value, currency=currency, language=language))
            if len(self._said) >= MOST_SAID:
                self._said.clear()
            self._said[key] = text
        return text

    @property
    def start(self) -> int:
        """Where the sum of points begins."""
        return self.by.card.base if isinstance(self.by, KeptCard) else 50

    @property
    def top(self) -> int:
        """The top of the scale."""
        return self.by.card.caps.total if isinstance(self.by, KeptCard) else 100


@dataclass
class Words:
    """The scorers whose words were asked for of late.

    Attributes:
        settings: The shop's config.
    """

    settings: Settings
    _kept: OrderedDict[str, Scorer] = field(default_factory=OrderedDict)
    _lock: Lock = field(default_factory=Lock)

    def of(self, label: str) -> Scorer:
        """Return who gave the scores that carry *label*.

        Raises:
            LeadlightError: It is gone or damaged.
        """
        with self._lock:
            if label not in self._kept:
                self._kept[label] = Scorer(kept_scorer(self.settings, label))
            self._kept.move_to_end(label)
            while len(self._kept) > MOST_KEPT:
                self._kept.popitem(last=False)
            return self._kept[label]
