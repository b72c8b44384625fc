"""What gave a stored score, asked again: a model or a points card, by the same three questions.

Points are hundredths, as `models.scoring` and `models.points_card_scoring` store them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

import numpy as np
import numpy.typing as npt

from models.points import total_hundredths
from models.points_card_scoring import HUNDREDTHS, hashed
from models.points_card_totals import card_points
from models.row_hash import row_hashes

if TYPE_CHECKING:
    import pyarrow as pa

    from features.catalog import Feature
    from features.matrix import FeatureTable
    from models.model import LeadModel
    from models.points_card_columns import BoundCard

MIDDLE: Final = 50
TOP: Final = 100


class Scorer(Protocol):
    """Gives a lead the points that are stored."""

    @property
    def features(self) -> tuple[Feature, ...]:
        """What it reads of a lead."""

    @property
    def start(self) -> int:
        """The score of a lead without points."""

    @property
    def top(self) -> int:
        """The highest score."""

    def hundredths(self, table: FeatureTable) -> npt.NDArray[np.int64]:
        """Return ``points_total`` of every row, shape ``(n_rows,)``."""

    def hashes(self, table: FeatureTable) -> pa.StringArray:
        """Return ``features_hash`` of every row."""


@dataclass(frozen=True)
class ByModel:
    """A model, asked again."""

    model: LeadModel
    start: int = MIDDLE
    top: int = TOP

    @property
    def features(self) -> tuple[Feature, ...]:
        """What the model reads."""
        return self.model.features

    def hundredths(self, table: FeatureTable) -> npt.NDArray[np.int64]:
        """Return the points of every row."""
        return total_hundredths(self.model.margins(table), self.model)

    def hashes(self, table: FeatureTable) -> pa.StringArray:
        """Return the fingerprint of every row."""
        return row_hashes(table, self.model.feature_names)


@dataclass(frozen=True)
class ByCard:
    """A points card, asked again."""

    bound: BoundCard

    @property
    def features(self) -> tuple[Feature, ...]:
        """What the card reads."""
        return self.bound.features

    @property
    def start(self) -> int:
        """The card's base."""
        return self.bound.card.base

    @property
    def top(self) -> int:
        """The top of the card's scale."""
        return self.bound.card.caps.total

    def hundredths(self, table: FeatureTable) -> npt.NDArray[np.int64]:
        """Return the points of every row beyond the base."""
        return (card_points(self.bound.card, table).total - self.bound.card.base) * HUNDREDTHS

    def hashes(self, table: FeatureTable) -> pa.StringArray:
        """Return the fingerprint of every row."""
        return hashed(self.bound, table)
