"""What a training left for people: the model card, the certificate, the pictures."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from models import registry
from models.points_card import LABEL
from models.registry import ModelVersion, Promotion
from pipeline.champion import card_of, certificate_of, place_of, plots_of
from pipeline.settings import Settings

PLOTS: Final = ("gains", "calibration", "roc", "precision_recall", "shap_summary")
FIGURES: Final = ("roc_auc", "average_precision", "log_loss", "conversions")
_STYLE: Final = re.compile(rb"<style>(.*?)</style>", re.DOTALL)


@dataclass(frozen=True)
class ModelPage:
    """What is told of the models.

    Attributes:
        scored_by: The label of who gave the scores that are shown.
        is_card: Whether that is a points card.
        champion: The version that scores from the next run on; None where none does.
        shown: The version that scored, else the champion; None where there is neither.
        versions: All versions, newest first.
        reigns: Who was champion when, the present one first.
        certificate: The leak certificate of `shown`, as `models.certificate` writes it; empty where there is none.
        has_card: Whether its model card is at hand.
        plots: Names of its pictures that are at hand.
    """

    scored_by: str
    is_card: bool
    champion: ModelVersion | None
    shown: ModelVersion | None
    versions: tuple[ModelVersion, ...]
    reigns: tuple[Promotion, ...]
    certificate: dict[str, Any]
    has_card: bool
    plots: tuple[str, ...]


def model_page(settings: Settings, scored_by: str) -> ModelPage:
    """Return what is told of the models of a shop.

    Args:
        settings: The shop's config.
        scored_by: The label of the scores that are shown.
    """
    place = place_of(settings)
    versions = registry.versions(place)
    champion = next((one for one in versions if registry.CHAMPION in one.aliases), None)
    shown = next((one for one in versions if one.label == scored_by), champion)
    files = shown.run_id if shown else ""
    return ModelPage(
        scored_by=scored_by,
        is_card=scored_by.startswith(LABEL),
        champion=champion,
        shown=shown,
        versions=versions,
        reigns=registry.history(place) if versions else (),
        certificate=_certificate(settings, files),
        has_card=bool(files) and card_of(settings, files) is not None,
        plots=tuple(name for name in PLOTS if _plot(settings, files, name) is not None),
    )


def run_of(settings: Settings, label: str) -> str:
    """Return the run of the version called *label*; empty where there is none."""
    return next((one.run_id for one in registry.versions(place_of(settings)) if one.label == label), "")


def card_page(settings: Settings, label: str) -> bytes | None:
    """Return the page of a version's model card, or None where it is not at hand."""
    run = run_of(settings, label)
    path = card_of(settings, run) if run else None
    return path.read_bytes() if path else None


def certificate_page(settings: Settings, label: str) -> bytes | None:
    """Return the page of a version's leak certificate, or None where it is not at hand."""
    run = run_of(settings, label)
    path = certificate_of(settings, run, "html") if run else None
    return path.read_bytes() if path else None


def plot(settings: Settings, label: str, name: str) -> bytes | None:
    """Return a picture of a version, or None where it is not at hand."""
    run = run_of(settings, label)
    path = _plot(settings, run, name) if run and name in PLOTS else None
    return path.read_bytes() if path else None


def style_policy(page: bytes) -> str:
    """Return the policy under which a page of ours may be shown: its own styles by their hash, and nothing else."""
    hashes = [base64.b64encode(hashlib.sha256(style).digest()).decode() for style in _STYLE.findall(page)]
    styles = " ".join(f"'sha256-{one}'" for one in hashes) or "'none'"
    return f"default-src 'none'; style-src {styles}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"


def _certificate(settings: Settings, run: str) -> dict[str, Any]:
    path = certificate_of(settings, run, "json") if run else None
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path else {}
    return found


def _plot(settings: Settings, run: str, name: str) -> Path | None:
    folder = plots_of(settings, run) if run else None
    path = folder / f"{name}.png" if folder else None
    return path if path and path.is_file() else None
