"""Grade, temperature and matrix cell: a lead's place by fixed cuts, whoever else is scored.

A share ("the best 10 % are A") becomes a cut on the probability once, through the quantiles of the newest
ripe training snapshots that the bundle keeps; from then on a grade depends on the lead alone. A shop may give the cuts
itself ("A from 20 %"): these stay where they are when a model is trained anew. The matrix cell
crosses who the lead is (fit: A, B, C) with what it does (engagement: 1, 2, 3) by fixed points: 5 points =
odds times 1.41.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from features.errors import wrong_input

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True)
class GradeProbabilities:
    """Least probabilities of grades and temperatures, where a shop gives them itself.

    Attributes:
        a, b, c: Least probability of A, B and C, falling; D is below.
        hot, warm: Least probability of hot and warm, falling; cold is below.
    """

    a: float
    b: float
    c: float
    hot: float
    warm: float


@dataclass(frozen=True)
class GradeShares:
    """Which shares of the newest training leads get which grade, best first; the rest gets the last one.

    Attributes:
        a, b, c: Shares graded A, B and C, 0–1; D is the rest.
        hot, warm: Shares called hot and warm, 0–1; cold is the rest.
        cell_points: Points from which fit or engagement speaks for a lead, and below whose negative it speaks
            against it: the borders of the matrix cells, > 0.
        given: Probabilities that make the grades instead of the shares; None = the shares do.
    """

    a: float = 0.10
    b: float = 0.20
    c: float = 0.30
    hot: float = 0.10
    warm: float = 0.30
    cell_points: float = 5.0
    given: GradeProbabilities | None = None


@dataclass(frozen=True)
class Cuts:
    """Least probabilities of the grades, and the points that separate the cells; fixed with the model.

    Attributes:
        grades: Least probability of A, B and C.
        temperatures: Least probability of hot and warm.
        cell_hundredths: Border of the matrix cells, hundredths of a point, > 0.
    """

    grades: tuple[float, float, float]
    temperatures: tuple[float, float]
    cell_hundredths: int


def cuts(newest_probabilities: Sequence[float], shares: GradeShares | None = None) -> Cuts:
    """Return the cuts that give *shares* on the newest training snapshots.

    Args:
        newest_probabilities: Ascending quantiles of the probability there, evenly spaced from 0 to 1.
        shares: The shares wanted; None = the defaults.

    Returns:
        Cuts; among equal probabilities the better grade is given to all.

    Raises:
        LeadlightError: Shares outside 0–1, or more than 1 in sum; probabilities outside 0–1, or not falling.
    """
    shares = shares or GradeShares()
    _check(shares)
    if shares.given is not None:
        given = shares.given
        return Cuts((given.a, given.b, given.c), (given.hot, given.warm), round(shares.cell_points * 100))
    a, b, c = _at_shares(newest_probabilities, (shares.a, shares.b, shares.c))
    hot, warm = _at_shares(newest_probabilities, (shares.hot, shares.warm))
    return Cuts((a, b, c), (hot, warm), round(shares.cell_points * 100))


def grades(probability: npt.NDArray[np.float64], cuts: Cuts) -> pa.Array:
    """Return the grade A–D of each probability."""
    return _named(_steps_below(probability, cuts.grades), ("A", "B", "C", "D"))


def temperatures(probability: npt.NDArray[np.float64], cuts: Cuts) -> pa.Array:
    """Return ``hot``, ``warm`` or ``cold`` for each probability."""
    return _named(_steps_below(probability, cuts.temperatures), ("hot", "warm", "cold"))


def cells(fit: npt.NDArray[np.int64], engagement: npt.NDArray[np.int64], cuts: Cuts) -> pa.Array:
    """Return the matrix cell of each lead: A1 (both speak for it) to C3 (both against).

    Args:
        fit: Points of the axis fit, hundredths, shape ``(n,)``.
        engagement: Points of the axis engagement, hundredths, shape ``(n,)``.
        cuts: The model's cuts.
    """
    names = tuple(f"{letter}{digit}" for letter in "ABC" for digit in "123")
    return _named(3 * _third(fit, cuts) + _third(engagement, cuts), names)


def _third(hundredths: npt.NDArray[np.int64], cuts: Cuts) -> npt.NDArray[np.int64]:
    """Return 0 where the axis speaks for the lead, 2 where against, 1 between."""
    border = cuts.cell_hundredths
    return np.where(hundredths >= border, 0, np.where(hundredths <= -border, 2, 1))


def _steps_below(probability: npt.NDArray[np.float64], least: Sequence[float]) -> npt.NDArray[np.int64]:
    return np.sum([probability < cut for cut in least], axis=0, dtype=np.int64)


def _named(places: npt.NDArray[np.int64], names: tuple[str, ...]) -> pa.Array:
    import pyarrow as pa

    return pa.DictionaryArray.from_arrays(pa.array(places, pa.int32()), pa.array(names)).cast(pa.string())


def _at_shares(quantiles: Sequence[float], shares: Sequence[float]) -> list[float]:
    ranks = np.linspace(0.0, 1.0, len(quantiles))
    below = np.clip(1.0 - np.cumsum(shares), 0.0, 1.0)
    return [float(cut) for cut in np.interp(below, ranks, quantiles)]


def _check(shares: GradeShares) -> None:
    groups = {"a + b + c": (shares.a, shares.b, shares.c), "hot + warm": (shares.hot, shares.warm)}
    faults = [
        f"{name} = {sum(group):g}   (each from 0 to 1, together at most 1)"
        for name, group in groups.items()
        if not (all(0 <= share <= 1 for share in group) and sum(group) <= 1 + 1e-9)
    ]
    faults += probability_faults(shares.given) if shares.given is not None else []
    if not shares.cell_points > 0:
        faults.append(f"cell_points = {shares.cell_points:g}   (more than 0)")
    if faults:
        raise wrong_input(
            "The borders of the grades do not fit together:", faults, hint="mend score.grades in the config."
        )


def probability_faults(given: GradeProbabilities) -> list[str]:
    """Return what is wrong with probabilities as borders, one line each; nothing where they can be used."""
    ladders = {"a, b, c": (given.a, given.b, given.c), "hot, warm": (given.hot, given.warm)}
    return [
        f"cuts {names} = {', '.join(f'{value:g}' for value in ladder)}   (between 0 and 1, each below the one before)"
        for names, ladder in ladders.items()
        if not (all(0 < value < 1 for value in ladder) and all(x > y for x, y in pairwise(ladder)))
    ]
