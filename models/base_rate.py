"""How far the base rate moves from one stretch of time to the next: what no model of the past can know.

Each forward block was answered by models of what had closed before it. The shift c that makes those answers promise as
many conversions as came is what moved meanwhile, plus the chance of a finite block. With the standard errors s of the
shifts, c² − s² estimates the squared movement of one block (method of moments, DerSimonian and Laird, 1986). A young
shop has one block, or none: it is taken to move as shops do, with a weight of one block,

    spread² = max(0, (USUAL² + Σ(c² − s²)) / (1 + blocks)),        reach = 1.96 · spread

so a lead's odds in the next stretch lie within exp(±reach) of what was foretold, 19 times in 20.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from models.calibration import best_shift
from models.model import sigmoid

USUAL: Final = 0.2
"""How far base rates usually move, in log-odds; docs/decisions/0018 says where that comes from."""
QUANTILE: Final = 1.96

Floats = npt.NDArray[np.float64]


def reach_of_drift(margins: Floats, converted: npt.NDArray[np.bool_], block: npt.NDArray[np.int64]) -> float:
    """Return how far odds may move until the next stretch of time, in log-odds, >= 0.

    Args:
        margins: Calibrated log-odds of rows that no part had seen, shape ``(n_rows,)``.
        converted: Their labels.
        block: 1, 2, … = the forward block each row lies in; rows of block 0 are not read.

    Blocks with one kind of rows alone say nothing.
    """
    moved = [USUAL**2]
    for one in range(1, int(block.max(initial=0)) + 1):
        rows = block == one
        if not 0 < converted[rows].sum() < rows.sum():
            continue
        shift = best_shift(margins[rows], converted[rows])
        probability = sigmoid(margins[rows] + shift)
        by_chance = 1.0 / float((probability * (1.0 - probability)).sum())
        moved.append(shift**2 - by_chance)
    return QUANTILE * float(np.sqrt(max(float(np.mean(moved)), 0.0)))
