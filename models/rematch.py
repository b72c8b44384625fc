"""The champion on the window of its challenger, without having seen it.

A champion whose labels had closed before the window answers as it is. One that learned from the window is fitted anew
from its recipe, on the rows whose labels had closed before: features, strength and number of trees stay those of its
own training, which chose them on rows older than its own hold-out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from models.cross_fit import Plan
from models.recipe import Recipe, fit_recipe
from models.training import moments_of
from models.trees import TreeSettings
from models.tuned import Tuned

if TYPE_CHECKING:
    from features.matrix import FeatureTable
    from models.model import LeadModel
    from models.training import HoldOut


@dataclass(frozen=True)
class Reign:
    """What is remembered of a champion.

    Attributes:
        model: The model that scores.
        recipe: How it was asked for.
        plan: Strength, trees and bags, as its own training chose them.
        closed_by: When the last label it learned from had closed (us).
    """

    model: LeadModel
    recipe: Recipe
    plan: Plan
    closed_by: int


@dataclass(frozen=True)
class Rematch:
    """What the champion said.

    Attributes:
        log_odds: Of each row of the window, shape ``(n_test,)``.
        was_refitted: Whether it had seen the window and was fitted anew.
    """

    log_odds: npt.NDArray[np.float64]
    was_refitted: bool


def remembered(model: LeadModel, notes: Mapping[str, Any]) -> Reign:
    """Return the champion as its training noted it.

    Args:
        model: Its model.
        notes: ``training.json`` of its bundle: the report of its training.
    """
    shipped = notes["model_that_ships"]
    settings = TreeSettings(**_known(TreeSettings, shipped["plan"]["settings"]))
    plan = Plan(**{**_known(Plan, shipped["plan"]), "settings": settings})
    asked = _known(Recipe, shipped["recipe"])
    tuned = asked.pop("tuned", None)
    recipe = Recipe(**asked, tuned=None if tuned is None else Tuned.from_plain(tuned))
    return Reign(model, recipe, plan, int(shipped["closed_by"]))


def rematch(reign: Reign, table: FeatureTable, hold_out: HoldOut) -> Rematch:
    """Return what the champion says of its challenger's window.

    Args:
        reign: The champion.
        table: Labelled snapshots with the champion's features, rows as in the challenger's table.
        hold_out: The challenger's.
    """
    window = table.take(hold_out.test_rows)
    if hold_out.test_from is not None and reign.closed_by <= hold_out.test_from:
        return Rematch(reign.model.margins(window), was_refitted=False)
    learned = table.take(hold_out.train_rows)
    model, _ = fit_recipe(learned, moments_of(learned), reign.recipe, plan=reign.plan, notify=lambda _: None)
    return Rematch(model.margins(window), was_refitted=True)


def _known(kind: type, plain: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of *kind* among *plain*, lists as tuples: an older version may have noted fewer, or others."""
    names = {field.name for field in fields(kind)}
    return {name: tuple(value) if isinstance(value, list) else value for name, value in plain.items() if name in names}
