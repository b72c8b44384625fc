"""What gave stored scores, found by their label and kept ready: a model is read once, not once per lead."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.lead_data import lead_data
from pipeline.settings import Settings
from pipeline.workspace import Workspace

if TYPE_CHECKING:
    from models.model import LeadModel
    from models.registry import Place
    from models.rescoring import Scorer
    from pipeline.card_store import KeptCard

_MOST_KEPT = 8
"""Models that stay in memory: those of the runs that people compare."""


def scorer_of(settings: Settings, label: str) -> Scorer:
    """Return the model or the points card whose scores carry *label*.

    Raises:
        LeadlightError: It is gone or damaged, or a card reads what the tables no longer have.
    """
    from models.points_card import LABEL
    from models.rescoring import ByCard, ByModel
    from pipeline.card_store import kept
    from pipeline.champion import place_of

    if label.startswith(LABEL):
        card = kept(Workspace(settings.shop.workspace), label).card
        return ByCard(lead_data(settings).bound(card))
    return ByModel(_model(place_of(settings), label))


def kept_scorer(settings: Settings, label: str) -> LeadModel | KeptCard:
    """Return the model, or the card as it was kept, whose scores carry *label*: enough to say what they mean.

    Unlike `scorer_of` it asks nothing of the tables, so a card is told though they no longer serve it.

    Raises:
        LeadlightError: It is gone or damaged.
    """
    from models.points_card import LABEL
    from pipeline.card_store import kept
    from pipeline.champion import labelled

    if label.startswith(LABEL):
        return kept(Workspace(settings.shop.workspace), label)
    return labelled(settings, label)


def _model(place: Place, label: str) -> LeadModel:
    from models import bundle

    # A label names one training for ever; its files may be removed all the same, and then nothing is remembered.
    manifest = _folder(place, label) / bundle.MANIFEST
    if not manifest.is_file():
        _folder.cache_clear()
        manifest = _folder(place, label) / bundle.MANIFEST
    written_at = manifest.stat().st_mtime_ns if manifest.is_file() else 0
    return _loaded(manifest.parent, written_at)


@lru_cache(maxsize=_MOST_KEPT)
def _folder(place: Place, label: str) -> Path:
    from models import registry

    return registry.version(place, label).bundle


@lru_cache(maxsize=_MOST_KEPT)
def _loaded(folder: Path, written_at: int) -> LeadModel:  # noqa: ARG001 - a bundle written anew is another
    from models import bundle

    return bundle.load(folder)
