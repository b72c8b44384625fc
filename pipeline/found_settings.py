"""``tuning/best.json``: what tuning found, from which training takes its settings.

They are used for the same question and the same features; the data may have grown since. Where tuning found nothing
that clearly beats the default, the file says so and training goes on with the default.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from features.errors import LeadlightError, wrong_input
from features.matrix import FeatureTable
from models.training import TrainingConfig
from models.tuned import Tuned
from pipeline.row_words import day
from pipeline.settings import Settings
from pipeline.workspace import Workspace


@dataclass(frozen=True)
class FoundSettings:
    """What a study came to.

    Attributes:
        asks: Digest of question and features, as `asked_of` makes it.
        study: Name of the study.
        tuned: The settings to train with; None where the default stays.
        objective: What was measured, in words.
        default_value: The objective by default.
        best_value: The objective of the best trial.
        gain: By how much the best is better.
        bar: What the gain had to exceed.
        trials: Finished trials.
        found_on: Day on which they were found (ISO, on the shop's clock).
        newest_as_of: Newest as_of before the hold-out (ISO, on the shop's clock, or the row); empty without time.
        run_id: MLflow run of the study; empty until it is logged.
    """

    asks: str
    study: str
    tuned: Tuned | None
    objective: str
    default_value: float
    best_value: float
    gain: float
    bar: float
    trials: int
    found_on: str
    newest_as_of: str
    run_id: str = ""


def place_of_found(settings: Settings) -> Path:
    """Return where the file lies, or would."""
    return settings.shop.workspace / "tuning" / "best.json"


def asked_of(settings: Settings, table: FeatureTable) -> str:
    """Return a digest that is equal where question and features are; the question's wording does not count."""
    question = {point: said for point, said in settings.asked.items() if point != "name"}
    features = sorted(feature.name for feature in table.features)
    return hashlib.sha256(json.dumps([question, features], sort_keys=True).encode()).hexdigest()[:16]


def write_found(settings: Settings, found: FoundSettings) -> Path:
    """Write the file whole, in place of an older one, and return its path."""
    place = place_of_found(settings)
    with Workspace(settings.shop.workspace).writing(place) as path:
        path.write_text(json.dumps(asdict(found), indent=1) + "\n", encoding="utf-8")
    return place


def read_found(settings: Settings) -> FoundSettings | None:
    """Return what tuning found; None where nothing was tuned, or the config does not want it.

    Raises:
        LeadlightError: The file is there and cannot be read.
    """
    place = place_of_found(settings)
    if not settings.model.tuning.use or not place.is_file():
        return None
    try:
        return _from_plain(json.loads(place.read_text(encoding="utf-8")))
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise _damaged(place, error) from error


@dataclass(frozen=True)
class InUse:
    """How a model is trained, and where that comes from.

    Attributes:
        config: How; with the settings found, where they fit what is asked.
        notes: What a person should know of it.
        parameters: What the training's record says besides.
        tags: What the training's record is marked with: the MLflow run of the study.
    """

    config: TrainingConfig
    notes: tuple[str, ...] = ()
    parameters: Mapping[str, Any] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)


def with_found(settings: Settings, config: TrainingConfig, table: FeatureTable) -> InUse:
    """Return *config* with the settings that tuning found for this question and these features.

    Args:
        settings: The shop's config.
        config: How models are trained by default.
        table: The training table.

    Raises:
        LeadlightError: Tuning left a file that cannot be read.
    """
    found = read_found(settings)
    if found is None or found.tuned is None:
        return InUse(config)
    if found.asks != asked_of(settings, table):
        fact = f"The settings that tuning found on {found.found_on} belong to another question or other features"
        return InUse(config, (f"{fact}: the default is used. `leadlight tune` tunes for these.",))
    until = f" on what was asked until {day(found.newest_as_of)}" if found.newest_as_of else ""
    note = (
        f"Trees and linear part use the settings that tuning found on {found.found_on} ({found.trials} trials{until}; "
        f"{found.objective} {found.best_value:.4f}, by default {found.default_value:.4f})."
    )
    tuned = replace(config, recipe=replace(config.recipe, tuned=found.tuned))
    tags = {"leadlight.tuning_run": found.run_id} if found.run_id else {}
    return InUse(tuned, (note,), {"tuned": found.tuned.as_plain()}, tags)


def _from_plain(plain: Mapping[str, Any]) -> FoundSettings:
    tuned = plain["tuned"]
    return FoundSettings(**{**plain, "tuned": None if tuned is None else Tuned.from_plain(tuned)})


def _damaged(place: Path, error: Exception) -> LeadlightError:
    return wrong_input(
        f"'{place}' does not hold what tuning wrote.",
        [str(error)],
        hint="run `leadlight tune` to write it anew (its study goes on), or remove the file to train by default.",
    )
