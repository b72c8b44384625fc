"""The logistic regression of `models.linear_fit` under the directions of `models.monotone`.

    minimise  Σ log(1 + exp(-y·m)) + ‖coefficients‖² / (2·strength),      coefficient · direction >= 0

The problem is convex and its bounds are a box: where the free optimum keeps to the bounds, it is the answer; else
L-BFGS-B finds the one optimum inside them, where wrong-way slopes are exactly zero and the others make up for it.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


def keeps_to(coefficients: Floats, directions: Floats) -> bool:
    """Return whether no coefficient goes against its direction (0 = free); both have shape ``(n_columns,)``."""
    return bool((coefficients * directions >= 0).all())


def fit_bounded(
    design: Floats,
    converted: npt.NDArray[np.bool_],
    *,
    strength: float,
    directions: Floats,
    start: tuple[Floats, float],
) -> tuple[Floats, float]:
    """Return the coefficients and the intercept of the optimum within the bounds.

    Args:
        design: Standardised columns, shape ``(n_rows, n_columns)``.
        converted: The labels, shape ``(n_rows,)``.
        strength: Inverse penalty.
        directions: Per column 1, -1, or 0 for free.
        start: Coefficients and intercept of the free optimum.
    """
    from scipy.optimize import minimize

    rows = len(design)
    label = converted.astype(np.float64)

    def loss(at: Floats) -> tuple[float, Floats]:
        margins = design @ at[1:] + at[0]
        error = (np.exp(-np.logaddexp(0.0, -margins)) - label) / rows
        pull = at[1:] / (strength * rows)
        total = float((np.logaddexp(0.0, margins) - label * margins).mean() + pull @ at[1:] / 2)
        return total, np.concatenate([[error.sum()], error @ design + pull])

    inside = np.where(start[0] * directions >= 0, start[0], 0.0)
    bounds = [(None, None), *((0.0 if d > 0 else None, 0.0 if d < 0 else None) for d in directions)]
    found = minimize(
        loss,
        np.concatenate([[start[1]], inside]),
        jac=True,
        method="L-BFGS-B",
        bounds=bounds,
        options={"ftol": 1e-13, "gtol": 1e-8, "maxiter": 1000},
    ).x
    return found[1:], float(found[0])
