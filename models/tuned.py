"""What tuning may find, as plain data: how strongly the linear part is held back, and how trees are grown.

The number of trees is not among it: early stopping finds it anew on the folds of each training, within the most trees
that a model may have.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from models.trees import TreeSettings


@dataclass(frozen=True)
class Tuned:
    """Settings of one recipe.

    Attributes:
        strength: Inverse penalty of the linear part.
        leaves: Most leaves per tree.
        least_rows: Fewest rows in a leaf.
        rate: Learning rate.
        feature_fraction: Share of the columns that each tree may split.
        bagging_fraction: Share of the rows that each tree learns from.
        l2: Penalty on the squared outputs of leaves.
        monotone: Whether the directions of the catalog bind the model (`models.monotone`).
    """

    strength: float
    leaves: int
    least_rows: int
    rate: float
    feature_fraction: float
    bagging_fraction: float
    l2: float
    monotone: bool

    @classmethod
    def of(cls, settings: TreeSettings, *, strength: float) -> Tuned:
        """Return what *settings* amount to beside a linear part of *strength*."""
        return cls(
            strength=strength,
            leaves=settings.leaves,
            least_rows=settings.least_rows,
            rate=settings.rate,
            feature_fraction=settings.feature_fraction,
            bagging_fraction=settings.bagging_fraction,
            l2=settings.l2,
            monotone=any(settings.monotone),
        )

    def grown(self, settings: TreeSettings, *, directions: tuple[int, ...]) -> TreeSettings:
        """Return *settings* with these in place of their own; seed and threads stay.

        Args:
            settings: What the trees would be grown with otherwise.
            directions: Per tree column of the rows at hand (`models.monotone`).
        """
        return replace(
            settings,
            leaves=self.leaves,
            least_rows=self.least_rows,
            rate=self.rate,
            feature_fraction=self.feature_fraction,
            bagging_fraction=self.bagging_fraction,
            l2=self.l2,
            monotone=directions if self.monotone else (),
        )

    def as_plain(self) -> dict[str, float | int | bool]:
        """Return the settings as plain data for JSON; `from_plain` reads them back equal."""
        return asdict(self)

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> Tuned:
        """Return the settings that `as_plain` wrote.

        Raises:
            ValueError: A setting is missing, unknown, or out of the range in which it means something.
            TypeError: A setting is no number.
        """
        names = [field.name for field in fields(cls)]
        if sorted(plain) != sorted(names):
            raise ValueError(f"settings are {', '.join(sorted(plain))} in place of {', '.join(sorted(names))}")
        found = cls(**{name: _KINDS[name](plain[name]) for name in names})
        _check(found)
        return found


_KINDS: Mapping[str, Any] = {
    "strength": float,
    "leaves": int,
    "least_rows": int,
    "rate": float,
    "feature_fraction": float,
    "bagging_fraction": float,
    "l2": float,
    "monotone": bool,
}


def _check(found: Tuned) -> None:
    """Refuse what neither part could be fitted with, such as a file that was edited by hand."""
    sound = {
        "strength": 0 < found.strength < math.inf,
        "leaves": found.leaves > 1,
        "least_rows": found.least_rows > 0,
        "rate": 0 < found.rate < math.inf,
        "feature_fraction": 0 < found.feature_fraction <= 1,
        "bagging_fraction": 0 < found.bagging_fraction <= 1,
        "l2": 0 <= found.l2 < math.inf,
    }
    wrong = [f"{name} = {getattr(found, name)}" for name, is_sound in sound.items() if not is_sound]
    if wrong:
        raise ValueError(f"out of range: {', '.join(wrong)}")
