"""One fit of the whole model: features, encoder, linear part, bagged trees, blend, interval and reference."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from models import errors, trees
from models.base_rate import reach_of_drift
from models.calibration import Blend, Calibration, HeldOut, fit_blend
from models.cross_fit import Plan, TrainingRows, choose_plan, joined, margins_by_plan
from models.explain import base_log_odds
from models.familiarity import fit_familiarity
from models.intervals import fit_venn_abers
from models.linear_fit import STRENGTHS, fit_linear
from models.model import LeadModel, sigmoid
from models.screening import Dropped, only, usable
from models.splits import Moments, forward_folds, lead_folds, lead_groups

if TYPE_CHECKING:
    from features.matrix import FeatureTable
    from models.linear import LinearPart
    from models.tuned import Tuned

JUDGED_BY_CONVERSIONS: Final = ((3_000, 5), (10_000, 2))
"""Groups of leads asked by number of conversions: one group of a large shop holds as many as all of a small one."""
BAGS_BY_CONVERSIONS: Final = ((3_000, 5), (20_000, 3))
NEWEST_ROWS: Final = 1000
"""Grades are cut on the newest as_ofs that hold so many rows."""


@dataclass(frozen=True)
class Recipe:
    """How a model is fitted; the defaults suit shops of any size.

    Attributes:
        seed: Deals leads into groups and seeds the trees.
        max_trees: Most trees of a model over all its bags: explaining costs by tree.
        bags: Bags of trees; None = by the number of conversions.
        groups: Groups of leads for folds and bags.
        blocks: Most forward blocks.
        least_conversions: Distinct converting leads, and as many others, needed to train at all.
        threads: Threads LightGBM may use; None = by the size of the data. They change no bit.
        tuned: What tuning found (`models.tuning`); None = by the size of the data.
    """

    seed: int = 0
    max_trees: int = 300
    bags: int | None = None
    groups: int = 5
    blocks: int = 4
    least_conversions: int = 30
    threads: int | None = None
    tuned: Tuned | None = None

    def bags_for(self, conversions: int) -> int:
        """Return how many bags of trees a model of so many distinct converting leads gets."""
        return self.bags or _by_size(BAGS_BY_CONVERSIONS, conversions, beyond=2)

    def judged_for(self, conversions: int) -> int:
        """Return how many groups of leads are asked in each fold's moment."""
        return min(_by_size(JUDGED_BY_CONVERSIONS, conversions, beyond=1), self.groups)

    def most_trees_for(self, conversions: int) -> int:
        """Return the most trees of one bag."""
        return max(self.max_trees // self.bags_for(conversions), 1)


@dataclass(frozen=True)
class RecipeReport:
    """How one fit came out.

    Attributes:
        recipe: How it was asked for.
        rows: Rows learned from.
        conversions: Distinct converting leads among them.
        base_rate: Share of converting rows.
        closed_by: When the last label learned from had closed (us): what came before is no test for this fit.
        dropped: Features not read, and why.
        plan: Strength, trees and bags.
        forward_blocks: Forward blocks that took part in the blend; 0 = groups of leads alone.
        calibration: The blend and how it came about.
        notes: What a person should know, one sentence each.
    """

    recipe: Recipe
    rows: int
    conversions: int
    base_rate: float
    closed_by: int
    dropped: tuple[Dropped, ...]
    plan: Plan
    forward_blocks: int
    calibration: Calibration
    notes: tuple[str, ...]


def fit_recipe(
    table: FeatureTable, moments: Moments, recipe: Recipe, *, plan: Plan | None = None, notify: Callable[[str], None]
) -> tuple[LeadModel, RecipeReport]:
    """Fit the model on *table*.

    Args:
        table: Ripe snapshots in canonical order.
        moments: Their times, leads and labels.
        recipe: How.
        plan: Strength and number of trees where already chosen; None = choose them.
        notify: Told what is being done.
    """
    features, dropped = usable(table, moments.as_of)
    if not features:
        raise errors.no_features()
    rows = TrainingRows.of(only(table, features), moments)
    conversions = moments.converting_leads(moments.converted)
    plan, held_out = held_out_margins(rows, recipe, plan, conversions=conversions, notify=notify)
    calibration = fit_blend(held_out, moments.lead[held_out.rows], conversions=conversions)
    notify("fitting what ships")
    model = _assembled(rows, fit_parts(rows, recipe, plan), calibration.blend, held_out)
    report = RecipeReport(
        recipe=recipe,
        rows=len(moments),
        conversions=conversions,
        base_rate=float(moments.converted.mean()),
        closed_by=int(moments.decided_at.max()),
        dropped=dropped,
        plan=plan,
        forward_blocks=len(calibration.block_shifts),
        calibration=calibration,
        notes=_notes(calibration, dropped),
    )
    return model, report


def held_out_margins(
    rows: TrainingRows, recipe: Recipe, plan: Plan | None, *, conversions: int, notify: Callable[[str], None]
) -> tuple[Plan, HeldOut]:
    """Return the margins of both kinds of folds, and the plan they follow.

    Args:
        rows: The training rows.
        recipe: How they are folded.
        plan: Strength and number of trees; None = choose them.
        conversions: Distinct converting leads among *rows*.
        notify: Told what is being done.
    """
    judged = recipe.judged_for(conversions)
    by_group = lead_folds(rows.moments, groups=recipe.groups, judged=judged, seed=recipe.seed)
    if plan is None:
        settings = trees.settings_for(
            len(rows.moments), conversions=conversions, seed=recipe.seed, threads=recipe.threads
        )
        plan, by_lead = choose_plan(
            rows,
            by_group,
            settings=rows.obeying(settings, recipe.tuned),
            bags=recipe.bags_for(conversions),
            most_trees=recipe.most_trees_for(conversions),
            notify=notify,
            strengths=(recipe.tuned.strength,) if recipe.tuned else STRENGTHS,
        )
    else:
        # The columns of these rows need not be those of the rows on which the plan was made.
        plan = replace(plan, settings=rows.obeying(plan.settings, recipe.tuned))
        by_lead = margins_by_plan(rows, by_group, plan, notify=notify)
    forward = forward_folds(
        rows.moments,
        groups=recipe.groups,
        judged=judged,
        blocks=recipe.blocks,
        least_conversions=recipe.least_conversions,
        seed=recipe.seed,
    )
    if not forward:
        return plan, by_lead
    return plan, joined([by_lead, margins_by_plan(rows, forward, plan, notify=notify)])


def fit_parts(rows: TrainingRows, recipe: Recipe, plan: Plan) -> tuple[LinearPart, str]:
    """Fit the linear part on all rows, and the bags, each without one group of leads.

    Returns:
        The linear part, and all bags as one LightGBM model text.
    """
    converted = rows.moments.converted
    sample = rows.linear_sample(np.arange(len(converted)))
    linear = fit_linear(
        rows.table.take(sample),
        converted[sample],
        strengths=(plan.strength,),
        directions=rows.slopes_beside(plan.settings),
    )[0]
    return linear, _grow_bags(rows, recipe, plan)


def _assembled(rows: TrainingRows, parts: tuple[LinearPart, str], blend: Blend, held_out: HeldOut) -> LeadModel:
    """Put the model together; interval and grade quantiles come from rows no part had seen."""
    unseen = held_out.take(held_out.block == 0)
    margins = blend.margins(unseen.linear, unseen.trees)
    linear, booster = parts
    model = LeadModel(
        features=rows.table.features,
        encoder=rows.encoder,
        linear=linear,
        boosters=(booster,) if blend.w_trees > 0 else (),
        blend=blend,
        interval=fit_venn_abers(margins, unseen.converted, drift=_drift(held_out, blend)),
        reference=0.0,
        newest_probabilities=_newest_quantiles(sigmoid(margins), rows.moments.as_of[unseen.rows]),
        familiarity=fit_familiarity(rows.table, rows.moments),
    )
    return model.with_reference(base_log_odds(model))


def _drift(held_out: HeldOut, blend: Blend) -> float:
    """Return how far the base rate moves from one stretch of time to the next: the interval must leave room for it."""
    return reach_of_drift(blend.margins(held_out.linear, held_out.trees), held_out.converted, held_out.block)


def _grow_bags(rows: TrainingRows, recipe: Recipe, plan: Plan) -> str:
    """Grow each bag without one group of leads, and write them as one booster."""
    group = lead_groups(rows.moments, count=max(recipe.groups, plan.bags), seed=recipe.seed)
    boosters = []
    for bag in range(plan.bags):
        kept = group != bag if plan.bags > 1 else np.ones(len(group), dtype=bool)
        settings = replace(plan.settings, seed=plan.settings.seed + bag)
        boosters.append(trees.grow(rows.matrix[kept], rows.moments.converted[kept], settings, trees=plan.trees))
    return trees.merge_bags(boosters)


def _newest_quantiles(probability: npt.NDArray[np.float64], as_of: npt.NDArray[np.int64]) -> tuple[float, ...]:
    """Return quantiles 0, 1/1000 … 1 of the probability on the newest as_ofs that hold `NEWEST_ROWS` rows."""
    newest_first = np.sort(as_of)[::-1]
    since = newest_first[min(NEWEST_ROWS, len(newest_first)) - 1]
    return tuple(float(value) for value in np.quantile(probability[as_of >= since], np.linspace(0, 1, 1001)))


def _by_size(steps: tuple[tuple[int, int], ...], size: int, *, beyond: int) -> int:
    return next((value for limit, value in steps if size < limit), beyond)


def _notes(calibration: Calibration, dropped: tuple[Dropped, ...]) -> tuple[str, ...]:
    notes = [f"Not used: {one.feature} ({one.reason})." for one in dropped]
    if calibration.alone:
        linear, tree, blend = calibration.newest_loss
        notes.append(
            f"The blend fell clearly below the {calibration.alone} part on the newest block (log-loss: linear "
            f"{linear:.4f}, trees {tree:.4f}, blend {blend:.4f}), so that part is used alone."
        )
    if not calibration.block_shifts:
        notes.append("No label closed before a later snapshot: the blend was fitted on groups of leads alone.")
    return tuple(notes)
