"""One training as it is remembered: its parts, and the parameters, figures and report drawn from them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, is_dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from features.errors import without_secrets
from models.model_card_facts import Setting
from models.registry.fingerprint import fingerprint

if TYPE_CHECKING:
    from features.matrix import FeatureTable
    from models.certificate import Certificate
    from models.metrics import Metrics
    from models.segments import SegmentReport
    from models.training import TrainedModel

CARD_FOLDER: Final = "card"
"""Where the model card lies among a run's files."""


@dataclass(frozen=True)
class Training:
    """Everything that one training leaves behind.

    Attributes:
        trained: What `models.training.train` returned.
        table: The table it was given.
        parameters: What a person would ask later: question, horizon, recipe. Nested mappings are flattened.
        others: Metrics of other models on the same hold-out, by name (``logistic``, ``lightgbm``).
        config: The shop's config as YAML; empty = there is none.
        fingerprint: Which data these were; empty = the fingerprint of *table*.
        segments: Quality by segment and error gaps, where the shop asked for them.
        setting: What the shop's config says of the question, for the model card.
        run_id: MLflow's id of the run; `log_training` fills it in.
        trained_at: When the run was opened (UTC); likewise.
        tags: What the run is marked with besides.
        certificate: What was checked for leaks, where it was.
    """

    trained: TrainedModel
    table: FeatureTable
    parameters: Mapping[str, Any] = field(default_factory=dict)
    others: Mapping[str, Metrics] = field(default_factory=dict)
    config: str = ""
    fingerprint: str = ""
    segments: SegmentReport | None = None
    setting: Setting = field(default_factory=Setting)
    run_id: str = ""
    trained_at: datetime | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    certificate: Certificate | None = None

    def __post_init__(self) -> None:
        if not self.fingerprint:
            object.__setattr__(self, "fingerprint", fingerprint(self.table))


def metric_values(training: Training) -> dict[str, float]:
    """Return every figure and its bounds by name: ``test.roc_auc``, ``test.roc_auc.low``, ``logistic.roc_auc``."""
    named: dict[str, float] = {}
    for model, metrics in {"test": training.trained.metrics, **training.others}.items():
        for name, estimate in metrics.estimates().items():
            named[f"{model}.{name}"] = estimate.value
            named[f"{model}.{name}.low"] = estimate.low
            named[f"{model}.{name}.high"] = estimate.high
    judged = training.trained.metrics
    counts = {
        "rows": judged.rows,
        "leads": judged.leads,
        "conversions": judged.conversions,
        "base_rate": judged.base_rate,
    }
    return named | {f"test.{name}": float(value) for name, value in counts.items()}


def flat_parameters(training: Training) -> dict[str, Any]:
    """Return the parameters of the run: the caller's, and those that the recipe found."""
    shipped = training.trained.report
    found = {
        "rows": shipped.rows,
        "conversions": shipped.conversions,
        "features": len(training.trained.model.features),
        "plan": plain(shipped.plan),
        "blend": plain(shipped.calibration.blend),
        "forward_blocks": shipped.forward_blocks,
    }
    return flat(plain(training.parameters)) | {f"found.{key}": value for key, value in flat(found).items()}


def flat(nested: Mapping[str, Any], before: str = "") -> dict[str, Any]:
    """Return nested mappings as one, its names joined by dots, secrets taken out."""
    found: dict[str, Any] = {}
    for key, value in nested.items():
        if isinstance(value, Mapping):
            found |= flat(value, f"{before}{key}.")
        else:
            found[f"{before}{key}"] = without_secrets(value) if isinstance(value, str) else value
    return found


def report(training: Training) -> dict[str, Any]:
    """Return how the model was trained and how it did, as plain data for JSON."""
    trained = training.trained
    return {
        "data_fingerprint": training.fingerprint,
        "parameters": flat(plain(training.parameters)),
        "hold_out": {
            "test_from_us": trained.hold_out.test_from,
            "train_rows": len(trained.hold_out.train_rows),
            "test_rows": len(trained.hold_out.test_rows),
        },
        "metrics_of_the_recipe": plain(trained.metrics),
        "metrics_of_others": plain(training.others),
        "segments": plain(training.segments),
        "model_that_was_judged": plain(trained.judged_report),
        "model_that_ships": plain(trained.report),
    }


def plain(value: Any) -> Any:  # noqa: ANN401 - any value of a report
    """Return *value* as what JSON knows: dataclasses as objects, arrays as lists, what is not finite as null."""
    if is_dataclass(value) and not isinstance(value, type):
        return plain(asdict(value))
    if isinstance(value, Mapping):
        return {str(key): plain(one) for key, one in value.items()}
    if isinstance(value, np.ndarray | np.generic):
        return plain(value.tolist())
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        return [plain(one) for one in value]
    if isinstance(value, float):
        return value if np.isfinite(value) else None
    return value if isinstance(value, str | int | bool | None) else str(value)
