"""Whether what tuning found beats the default by more than noise.

Both were judged on the same rows, so their difference is judged, not each alone, and leads are the unit, not rows: a
delete-a-group jackknife (Kott, "The delete-a-group jackknife", 2001) over G = 50 groups of leads,

    error² = (G − 1)/G · Σ_g (gain without group g − their mean)²,

which holds for a log-loss as for a ranking. The best of n trials is the best of n draws, so the bar rises with their
number: the gain must exceed z errors with P(normal > z) = 0.05 / (n − 1), Bonferroni's bound over all rivals of the
default. What is not clearly better is not used.
"""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist
from typing import Final

import numpy as np
import numpy.typing as npt

from models.objectives import Objective
from models.splits import scramble

GROUPS: Final = 50
DOUBT: Final = 0.05
"""How often settings that are no better than the default may pass as better."""
GROUP_SEED: Final = 404

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Gain:
    """How much better than the default, on the judged rows of all rounds.

    Attributes:
        value: The difference; positive is better, whichever way the objective goes.
        error: Its standard error over leads.
        bar: What it must exceed to count as more than noise.
    """

    value: float
    error: float
    bar: float

    @property
    def is_clear(self) -> bool:
        """Whether it is more than noise."""
        return self.value > self.bar


def judge_gain(
    objective: Objective, default: tuple[float, Floats], found: tuple[float, Floats], *, rivals: int
) -> Gain:
    """Return the gain of *found* over *default*.

    Args:
        objective: What was measured.
        default: The value, and the value without each group of leads, shape ``(GROUPS,)``.
        found: Likewise.
        rivals: How many trials took part beside the default.
    """
    value = objective.gain(default[0], found[0])
    without = np.array([objective.gain(*pair) for pair in zip(default[1], found[1], strict=True)])
    error = float(np.sqrt((GROUPS - 1) / GROUPS * ((without - without.mean()) ** 2).sum()))
    return Gain(value, error, NormalDist().inv_cdf(1 - DOUBT / max(rivals, 1)) * error)


def jackknife_groups(lead: npt.NDArray[np.uint64], *, seed: int) -> Ints:
    """Return each row's group, 0 … `GROUPS` − 1, the same for all rows of one lead."""
    return (scramble(lead, GROUP_SEED + seed) % np.uint64(GROUPS)).astype(np.int64)


def without_each_group(objective: Objective, margins: Floats, converted: npt.NDArray[np.bool_], group: Ints) -> Floats:
    """Return the objective without each group of leads, shape ``(GROUPS,)``.

    A group without which one class is missing cannot be left out of a ranking: it counts as leaving out nobody.
    """
    whole = objective.of(margins, converted)
    left = np.array([objective.of(margins[group != one], converted[group != one]) for one in range(GROUPS)])
    return np.where(np.isnan(left), whole, left)
