"""The one space in which tuning looks, and the way between its parameters and settings of a recipe.

strength_step       linear part: strength 10^step, 0.0001 to 10
leaves              4–31 leaves per tree, log
least_rows          5–500 rows in a leaf, log
rate                0.02–0.3, log
feature_fraction    0.3–1 of the columns per tree
bagging_fraction    0.4–1 of the rows per tree
l2                  0.01–100, log
monotone            whether the catalog's directions bind the model; only where the catalog names any
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from models.trees import MOST_LEAVES
from models.tuned import Tuned
from models.tuning_judge import STRENGTH_STEPS, step_of, strength_of

if TYPE_CHECKING:
    from optuna import Trial

VERSION: Final = 1
"""Trials of another space are not comparable: raise this when a bound moves."""


def suggested(trial: Trial, *, has_directions: bool) -> Tuned:
    """Return the settings that *trial* proposes.

    Args:
        trial: Optuna's, running.
        has_directions: Whether the catalog binds any feature to a direction.
    """
    return Tuned(
        strength=strength_of(trial.suggest_int("strength_step", STRENGTH_STEPS[0], STRENGTH_STEPS[-1])),
        leaves=trial.suggest_int("leaves", 4, MOST_LEAVES, log=True),
        least_rows=trial.suggest_int("least_rows", 5, 500, log=True),
        rate=trial.suggest_float("rate", 0.02, 0.3, log=True),
        feature_fraction=trial.suggest_float("feature_fraction", 0.3, 1.0),
        bagging_fraction=trial.suggest_float("bagging_fraction", 0.4, 1.0),
        l2=trial.suggest_float("l2", 0.01, 100.0, log=True),
        monotone=trial.suggest_categorical("monotone", [False, True]) if has_directions else False,
    )


def tuned_of(parameters: dict[str, Any]) -> Tuned:
    """Return the settings that a stored trial's *parameters* stand for."""
    others = {name: value for name, value in parameters.items() if name != "strength_step"}
    return Tuned(**{"monotone": False, **others}, strength=strength_of(parameters["strength_step"]))


def parameters_of(tuned: Tuned, *, has_directions: bool) -> dict[str, Any]:
    """Return what a trial must be told to try exactly *tuned*."""
    parameters: dict[str, Any] = tuned.as_plain()
    parameters["strength_step"] = step_of(parameters.pop("strength"))
    if not has_directions:
        del parameters["monotone"]
    return parameters
