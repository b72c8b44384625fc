"""What tuning aims at: one figure of calibrated margins.

log_loss            mean of −log P(what happened), natural logarithm; lower is better
brier               mean of (probability − label)²; lower is better
roc_auc             P(a converting row ranks above another one); higher is better
average_precision   Σ_k (recall_k − recall_{k−1}) · precision_k; higher is better
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from models.metrics import row_losses

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Objective:
    """A figure and the direction in which it is better.

    Attributes:
        name: As in the config.
        words: As people say it.
        higher_is_better: Whether more is better.
        figure: From margins and labels, both classes among them, to the figure.
    """

    name: str
    words: str
    higher_is_better: bool
    figure: Callable[[Floats, Bools], float]

    def of(self, margins: Floats, converted: Bools) -> float:
        """Return the figure; NaN where a ranking is asked of one class alone.

        Args:
            margins: Calibrated log-odds, shape ``(n_rows,)``.
            converted: The labels, shape ``(n_rows,)``.
        """
        if not len(converted) or (self.higher_is_better and (converted.all() or not converted.any())):
            return float("nan")
        return float(self.figure(margins, converted))

    def gain(self, old: float, new: float) -> float:
        """Return by how much *new* is better than *old*; negative where it is worse."""
        return new - old if self.higher_is_better else old - new


def _log_loss(margins: Floats, converted: Bools) -> float:
    return float(row_losses(margins, converted).mean())


def _brier(margins: Floats, converted: Bools) -> float:
    return float(((np.exp(-np.logaddexp(0.0, -margins)) - converted) ** 2).mean())


def _roc_auc(margins: Floats, converted: Bools) -> float:
    from sklearn.metrics import roc_auc_score

    return float(roc_auc_score(converted, margins))


def _average_precision(margins: Floats, converted: Bools) -> float:
    from sklearn.metrics import average_precision_score

    return float(average_precision_score(converted, margins))


OBJECTIVES: Final[Mapping[str, Objective]] = {
    one.name: one
    for one in (
        Objective("log_loss", "log-loss", False, _log_loss),
        Objective("average_precision", "average precision", True, _average_precision),
        Objective("roc_auc", "ROC-AUC", True, _roc_auc),
        Objective("brier", "Brier score", False, _brier),
    )
}
