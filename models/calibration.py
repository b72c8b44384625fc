"""The blend that calibrates: how much of the linear part, how much of the trees, and a shift.

    log-odds(lead) = b + w_linear · linear(lead) + w_trees · trees(lead),      w >= 0

The three numbers are fitted on margins of rows that neither part had seen, from two kinds of folds at once:

- groups of leads (*other people, same time*): plentiful, but blind to a market that shifts;
- forward blocks (*other people, later time*): few and noisy, but they see which part survives a shift. The base rate
  of a block may have moved; a shift of its own, c_block, keeps that from being paid for with the weights.

    minimise  Σ_lead-folds loss(b + …) + s · Σ_blocks loss(b + c_block + …)
              + 0.02 · conversions · [b² + (w_linear − ½)² + (w_trees − ½)² + mean c²]

with s such that both kinds weigh the same and together as much as the lead folds alone. The penalty grows with the
number of distinct converting leads as the loss does, so it fades only where the parts differ clearly.
docs/decisions/0007 says what was measured.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from models.metrics import row_losses

PENALTY_PER_CONVERSION: Final = 0.02
START: Final = 0.5
"""Both weights begin here, and are drawn back here."""
CLEARLY: Final = 3.0
"""Standard errors by which the blend must fall below a part before that part is used alone."""
LEAST_LEADS: Final = 30
"""With fewer leads in the newest block their spread is guesswork, and the blend stays."""

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Blend:
    """The calibration: an offset and two weights, all in log-odds.

    Attributes:
        b: Added to every margin.
        w_linear: Weight of the linear part, >= 0.
        w_trees: Weight of the trees, >= 0.
    """

    b: float
    w_linear: float
    w_trees: float

    def margins(self, linear: Floats, trees: Floats) -> Floats:
        """Return ``b + w_linear·linear + w_trees·trees``, shape ``(n_rows,)``."""
        return self.b + self.w_linear * linear + self.w_trees * trees


@dataclass(frozen=True)
class HeldOut:
    """Margins of rows that the parts had not seen; every array has shape ``(n_rows,)``.

    Attributes:
        rows: Positions of the rows in the training table.
        linear, trees: The parts' margins, in log-odds.
        converted: The labels.
        block: 0 = from groups of leads alone; 1, 2, … = from the forward blocks, oldest first.
    """

    rows: npt.NDArray[np.int64]
    linear: Floats
    trees: Floats
    converted: npt.NDArray[np.bool_]
    block: npt.NDArray[np.int64]

    def take(self, places: npt.NDArray[np.bool_] | npt.NDArray[np.int64]) -> HeldOut:
        """Return the rows at *places*, a mask or positions."""
        return HeldOut(
            self.rows[places], self.linear[places], self.trees[places], self.converted[places], self.block[places]
        )


@dataclass(frozen=True)
class Calibration:
    """The blend and how it came about.

    Attributes:
        blend: What ships.
        block_shifts: c of each forward block: how far its base rate lay from what its past foretold, in log-odds.
        alone: ``linear`` or ``trees`` where the blend fell clearly below that part on the newest block, so that it
            is used alone; else empty.
        newest_loss: Log-loss on the newest block of linear, trees and blend, each with its best shift.
    """

    blend: Blend
    block_shifts: tuple[float, ...]
    alone: str
    newest_loss: tuple[float, float, float]


def fit_blend(held_out: HeldOut, lead: npt.NDArray[np.uint64], *, conversions: int) -> Calibration:
    """Fit b, w_linear and w_trees, and see that the blend holds its own against its parts.

    Args:
        held_out: Margins from both kinds of folds.
        lead: Hash of each margin's lead; doubt is counted over leads, not rows.
        conversions: Distinct converting leads in training; sets the penalty's strength.

    Returns:
        The blend; or one part alone where the blend ends clearly below it on the newest block.
    """
    fitted = _minimise(held_out, conversions, use=(True, True))
    newest = held_out.block == held_out.block.max()
    rows, people = held_out.take(newest), lead[newest]
    losses = [_losses(margins, rows.converted) for margins in (rows.linear, rows.trees, fitted.margins(rows))]
    means = tuple(float(loss.mean()) for loss in losses)
    better = int(np.argmin(means[:2]))
    alone = ""
    if _standard_errors_above(losses[2] - losses[better], people) > CLEARLY:
        alone = ("linear", "trees")[better]
        fitted = _minimise(held_out, conversions, use=(alone == "linear", alone == "trees"))
    return Calibration(fitted.blend, fitted.shifts, alone, (means[0], means[1], means[2]))


@dataclass(frozen=True)
class _Fitted:
    blend: Blend
    shifts: tuple[float, ...]

    def margins(self, rows: HeldOut) -> Floats:
        return self.blend.margins(rows.linear, rows.trees)


def _minimise(held_out: HeldOut, conversions: int, *, use: tuple[bool, bool]) -> _Fitted:
    """Minimise the penalised loss of the module's head over b, the weights in *use*, and the block shifts."""
    from scipy.optimize import minimize

    n_blocks = int(held_out.block.max())
    strength = PENALTY_PER_CONVERSION * conversions
    target = np.array([START if all(use) else float(one) for one in use])
    pull = np.concatenate([[1.0, 1.0, 1.0], np.full(n_blocks, 1.0 / max(n_blocks, 1))]) * strength
    goal = np.concatenate([target, np.zeros(1 + n_blocks)])
    weight = _row_weights(held_out.block)
    label = held_out.converted.astype(np.float64)

    def loss(at: Floats) -> tuple[float, Floats]:
        shift = at[2] + np.concatenate([[0.0], at[3:]])[held_out.block]
        margins = shift + at[0] * held_out.linear + at[1] * held_out.trees
        error = weight * (np.exp(-np.logaddexp(0.0, -margins)) - label)
        by_block = np.bincount(held_out.block, error, minlength=n_blocks + 1)
        slope = np.array(
            [(error * held_out.linear).sum(), (error * held_out.trees).sum(), by_block.sum(), *by_block[1:]]
        )
        total = (weight * (np.logaddexp(0.0, margins) - label * margins)).sum() + (pull * (at - goal) ** 2).sum()
        return float(total), slope + 2 * pull * (at - goal)

    bounds = [(0.0, None if one else 0.0) for one in use] + [(None, None)] * (1 + n_blocks)
    found = minimize(loss, goal, jac=True, method="L-BFGS-B", bounds=bounds, options={"ftol": 1e-12, "gtol": 1e-8})
    w_linear, w_trees, b, *shifts = (float(value) for value in found.x)
    return _Fitted(Blend(b, w_linear, w_trees), tuple(shifts))


def _row_weights(block: npt.NDArray[np.int64]) -> Floats:
    """Return weights under which both kinds of folds weigh the same, and together as much as the lead folds alone."""
    forward = block > 0
    if not forward.any():
        return np.ones(len(block))
    from_leads = float((~forward).sum())
    return np.where(forward, from_leads / forward.sum(), 1.0) / 2


def _losses(margins: Floats, converted: npt.NDArray[np.bool_]) -> Floats:
    """Return each row's log-loss after the one shift that suits these rows best: ranking and spread, not base rate."""
    return row_losses(margins + best_shift(margins, converted), converted)


def best_shift(margins: Floats, converted: npt.NDArray[np.bool_]) -> float:
    """Return what added to all *margins* makes them promise as many conversions as there were, in log-odds."""
    from scipy.optimize import brentq

    rate = min(max(float(converted.mean()), 1e-6), 1 - 1e-6)
    edge = float(np.abs(margins).max(initial=0.0)) + 20.0
    return float(brentq(lambda b: np.exp(-np.logaddexp(0.0, -(margins + b))).mean() - rate, -edge, edge))


def _standard_errors_above(difference: Floats, lead: npt.NDArray[np.uint64]) -> float:
    """Return how many standard errors *difference* lies above zero, its rows summed per lead; 0 for few leads."""
    _, place = np.unique(lead, return_inverse=True)
    per_lead = np.bincount(place, difference)
    spread = float(per_lead.std()) * np.sqrt(len(per_lead))
    return float(per_lead.sum()) / spread if spread > 0 and len(per_lead) >= LEAST_LEADS else 0.0
