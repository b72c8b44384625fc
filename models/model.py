"""The model that ships: log-odds that add up.

    log-odds(lead) = b + w_linear · linear(lead) + w_trees · trees(lead),      w >= 0

All bags of trees lie in one LightGBM booster whose leaves are already divided by the number of bags, so one pass
walks them all and one pass explains them all. Where the blend gives the trees no weight, there is no booster.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    import lightgbm as lgb

    from features.catalog import Feature
    from features.matrix import FeatureTable
    from models.calibration import Blend
    from models.encoding import Encoder
    from models.familiarity import Familiarity
    from models.intervals import VennAbers
    from models.linear import LinearPart


ROWS_PER_BLOCK: Final = 65_536
LOG_2: Final = float(np.log(2.0))


@dataclass(frozen=True)
class Predictions:
    """What the model says of each row; every array has shape ``(n_rows,)``.

    Attributes:
        log_odds: The calibrated margin.
        probability: P(convert within the horizon), ``1 / (1 + exp(-log_odds))``.
        low, high: The Venn–Abers interval; it always holds the probability.
        score: 0–100, ``50 + 10·log2(odds / reference odds)``, rounded and clipped.
    """

    log_odds: npt.NDArray[np.float64]
    probability: npt.NDArray[np.float64]
    low: npt.NDArray[np.float64]
    high: npt.NDArray[np.float64]
    score: npt.NDArray[np.int64]


@dataclass(frozen=True)
class LeadModel:
    """One trained model: everything a score needs, nothing that runs code when loaded.

    Attributes:
        features: The features it reads, in catalog order (unusable columns were dropped in training).
        encoder: Features to tree columns.
        linear: The additive linear part; its terms follow *features*, one each.
        boosters: LightGBM model text: one booster, or none where ``w_trees`` is 0.
        blend: b, w_linear and w_trees.
        interval: The Venn–Abers steps, by calibrated log-odds.
        reference: SHAP base in calibrated log-odds: a lead with nothing for or against it scores 50.
        newest_probabilities: Quantiles 0, 1/1000 … 1 of the probability on the newest ripe training snapshots;
            a share ("the best 5 %") becomes a fixed cut through them.
        familiarity: What the leads it learned from looked like; None in bundles of older versions.
    """

    features: tuple[Feature, ...]
    encoder: Encoder
    linear: LinearPart
    boosters: tuple[str, ...]
    blend: Blend
    interval: VennAbers
    reference: float
    newest_probabilities: tuple[float, ...]
    familiarity: Familiarity | None = None

    @cached_property
    def loaded_boosters(self) -> tuple[lgb.Booster, ...]:
        """The boosters, parsed once."""
        import lightgbm as lgb

        return tuple(lgb.Booster(model_str=text) for text in self.boosters)

    @property
    def feature_names(self) -> tuple[str, ...]:
        """Names of the features it reads, in catalog order."""
        return tuple(feature.name for feature in self.features)

    def margins(self, table: FeatureTable) -> npt.NDArray[np.float64]:
        """Return the calibrated log-odds of every row, shape ``(n_rows,)``."""
        out = np.empty(len(table))
        for start in range(0, len(table), ROWS_PER_BLOCK):
            block = rows_of(table, start, ROWS_PER_BLOCK)
            out[start : start + ROWS_PER_BLOCK] = self.blend.margins(
                self.linear.margins(block), self.tree_margins(block)
            )
        return out

    def tree_margins(self, table: FeatureTable) -> npt.NDArray[np.float64]:
        """Return the trees' raw log-odds, shape ``(n_rows,)``: zero where there is no booster."""
        margins = np.zeros(len(table))
        matrix = self.encoder.tree_matrix(table) if self.boosters else None
        for booster in self.loaded_boosters:
            margins += booster.predict(matrix, raw_score=True)
        return margins

    def predict(self, table: FeatureTable) -> Predictions:
        """Return probability, interval and score of every row of *table*.

        Args:
            table: Rows with at least the columns of *features*; labels are not read.

        Returns:
            One value per row, in the table's order. A lead scored alone gets the bits it gets in a batch.
        """
        log_odds = self.margins(table)
        low, high = self.interval.around(log_odds)
        score = np.clip(np.rint(50 + 10 * (log_odds - self.reference) / LOG_2), 0, 100).astype(np.int64)
        return Predictions(log_odds=log_odds, probability=sigmoid(log_odds), low=low, high=high, score=score)

    def with_reference(self, reference: float) -> LeadModel:
        """Return the same model with another *reference* (log-odds)."""
        return replace(self, reference=reference)


def sigmoid(log_odds: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return ``1 / (1 + exp(-log_odds))``, without overflow at either end."""
    small = np.exp(-np.abs(log_odds))
    return np.where(log_odds >= 0, 1.0, small) / (1.0 + small)


def logit(probability: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Return ``log(p / (1 - p))`` of probabilities of any shape; -inf and inf (with numpy's warning) at 0 and 1."""
    p = np.asarray(probability, dtype=np.float64)
    return np.log(p) - np.log1p(-p)


def rows_of(table: FeatureTable, start: int, count: int) -> FeatureTable:
    """Return *count* rows of *table* from *start* on, without labels and without a copy."""
    return replace(table, keys=table.keys.slice(start, count), columns=table.columns.slice(start, count), labels=None)
