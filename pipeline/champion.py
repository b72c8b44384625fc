"""The models of a shop's workspace: where they are kept, and the one that scores."""

from __future__ import annotations

from pathlib import Path

from models import bundle, registry
from models.model import LeadModel
from models.registry import Place
from pipeline.settings import Settings


def place_of(settings: Settings) -> Place:
    """Return where the shop's trainings and models are kept."""
    name = settings.model.experiment or settings.shop.name
    return registry.in_workspace(settings.shop.workspace, name=name, uri=settings.model.tracking_uri)


def champion(settings: Settings) -> tuple[LeadModel, str]:
    """Return the model that scores, and the label that its scores carry.

    Raises:
        LeadlightError: No model has been trained, or its files are damaged or gone.
    """
    found = registry.champion(place_of(settings))
    return bundle.load(found.bundle), found.label


def scores_still(settings: Settings, label: str) -> bool:
    """Return whether the version with *label* is (still) the champion."""
    return registry.champion(place_of(settings)).label == label


def has_champion(settings: Settings) -> bool:
    """Return whether a model scores; where none does, the shop's points card may."""
    return any(registry.CHAMPION in one.aliases for one in registry.versions(place_of(settings)))


def labelled(settings: Settings, label: str) -> LeadModel:
    """Return the model whose scores carry *label*.

    Raises:
        LeadlightError: There is no such model, or its files are damaged or gone.
    """
    return bundle.load(registry.version(place_of(settings), label).bundle)


def plots_of(settings: Settings, run_id: str) -> Path | None:
    """Return the folder of a training's pictures, or None where a server keeps them."""
    return _artifact(settings, run_id, "plots")


def card_of(settings: Settings, run_id: str) -> Path | None:
    """Return the page of a training's model card, or None where a server keeps it."""
    return _artifact(settings, run_id, "card/model_card.html")


def certificate_of(settings: Settings, run_id: str, ending: str) -> Path | None:
    """Return a training's leak certificate, ``html`` or ``json``, or None where a server keeps it or there is none."""
    return _artifact(settings, run_id, f"certificate.{ending}")


def _artifact(settings: Settings, run_id: str, name: str) -> Path | None:
    kept = settings.shop.workspace / "mlartifacts"
    return next(kept.glob(f"**/{run_id}/artifacts/{name}"), None)
