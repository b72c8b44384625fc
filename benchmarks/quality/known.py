"""Figures that others reached on the same tasks: a peer that does clearly worse here is set up wrongly here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from benchmarks.quality.comparison import LESS_IS_BETTER

TOLERANCE: Final = 0.005

KNOWN: Final[Mapping[tuple[str, str], Mapping[str, float]]] = {
    ("cdnow", "logistic"): {"auc": 0.809, "ap": 0.528, "log_loss": 0.344},
    ("cdnow", "lightgbm_15_leaves"): {"auc": 0.807, "ap": 0.525, "log_loss": 0.349},
    ("cdnow", "bg_nbd"): {"auc": 0.798, "ap": 0.522, "log_loss": 0.352},
    ("online_shoppers_without_page_values", "logistic"): {"auc": 0.760, "ap": 0.340, "log_loss": 0.371},
    ("online_shoppers_without_page_values", "lightgbm_15_leaves"): {"auc": 0.784, "ap": 0.363, "log_loss": 0.359},
    ("online_shoppers_without_page_values", "lightgbm_native_early_stopping"): {
        "auc": 0.786, "ap": 0.362, "log_loss": 0.359,
    },
    ("bank_in_time_order", "random_forest"): {"auc": 0.738, "log_loss": 0.519},
}  # fmt: skip


def defects(figures: Mapping[str, Mapping[str, Mapping[str, float]]]) -> list[str]:
    """Return one sentence per figure of a peer that is worse than known by more than `TOLERANCE`.

    Args:
        figures: Per task, model and metric.
    """
    found = []
    for (task, model), known in KNOWN.items():
        for metric, value in known.items():
            reached = figures.get(task, {}).get(model, {}).get(metric)
            sign = 1 if metric in LESS_IS_BETTER else -1
            if reached is not None and sign * (reached - value) > TOLERANCE:
                found.append(f"{task}: {model} reached {metric} {reached:.3f}, known is {value:.3f}.")
    return found
