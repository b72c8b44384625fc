"""From labelled snapshots to a judged model, and to the one that ships.

1. Keep ripe snapshots, in an order that depends on who and when alone.
2. Set the newest aside (`models.splits`): what is learned before them is judged on them.
3. Fit the recipe on the rest: features, encoder, linear part, trees, blend, interval.
4. Judge it. Then fit the same recipe, with the numbers of trees found, on all ripe snapshots: that model ships, and
   the metrics are those "of the recipe".
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from features.moments import from_us
from models import errors
from models.lead_hash import lead_hash
from models.metrics import Metrics, evaluate
from models.recipe import Recipe, RecipeReport, fit_recipe
from models.splits import Moments, Split, forward_split

if TYPE_CHECKING:
    from features.matrix import FeatureTable
    from models.model import LeadModel


@dataclass(frozen=True)
class TrainingConfig:
    """How a model is trained and judged.

    Attributes:
        recipe: How it is fitted.
        test_share: Share of the conversions that the hold-out holds at least; see `forward_split`.
        test_from: Begin the hold-out exactly here (us) instead.
        test_as_ofs: Or: hold out so many of the newest as_ofs.
        least_test_conversions: Distinct converting leads, and as many others, that the hold-out needs.
    """

    recipe: Recipe = field(default_factory=Recipe)
    test_share: float = 0.25
    test_from: int | None = None
    test_as_ofs: int | None = None
    least_test_conversions: int = 10

    @property
    def least_conversions(self) -> int:
        """Distinct converting leads needed in all, at least: to train, and in the hold-out."""
        return self.recipe.least_conversions + self.least_test_conversions


@dataclass(frozen=True)
class HoldOut:
    """The rows that the judged model had not seen, and what it said of them.

    Attributes:
        train_rows, test_rows: Positions in the table given to `train`, ascending in time and lead.
        test_from: The first as_of of the test (us); None where other leads were held out instead of later ones.
        log_odds: The judged model's margins of the test rows.
        converted: Their labels.
        lead: Hashes of their leads.
    """

    train_rows: npt.NDArray[np.int64]
    test_rows: npt.NDArray[np.int64]
    test_from: int | None
    log_odds: npt.NDArray[np.float64]
    converted: npt.NDArray[np.bool_]
    lead: npt.NDArray[np.uint64]


@dataclass(frozen=True)
class TrainedModel:
    """What training yields.

    Attributes:
        model: Fitted on all ripe snapshots; this one ships.
        judged: The same recipe, fitted on what had closed before the hold-out began.
        hold_out: What *judged* was judged on.
        metrics: Of the recipe: *judged* on the hold-out.
        report: How *model* was fitted.
        judged_report: How *judged* was fitted.
    """

    model: LeadModel
    judged: LeadModel
    hold_out: HoldOut
    metrics: Metrics
    report: RecipeReport
    judged_report: RecipeReport


def train(
    table: FeatureTable, *, config: TrainingConfig | None = None, notify: Callable[[str], None] = lambda _: None
) -> TrainedModel:
    """Train on the ripe snapshots of *table*, judge on the newest of them, and refit on all.

    Args:
        table: Snapshots with features and labels, in any order.
        config: How; None = the defaults.
        notify: Told what is being done, in a few words, each time something slow begins.

    Raises:
        LeadlightError: No labels, no ripe snapshot, one class only, or too few conversions.
    """
    config = config or TrainingConfig()
    table, moments, order = ripe_rows(table)
    split = checked_split(moments, config)
    judged, judged_report = fit_recipe(
        table.take(split.train),
        moments.take(split.train),
        config.recipe,
        notify=_prefixed(notify, "before the hold-out"),
    )
    notify("judging on the hold-out")
    hold_out = _hold_out(judged, table, moments, split)
    metrics = evaluate(hold_out.log_odds, hold_out.converted, hold_out.lead, seed=config.recipe.seed)
    model, report = fit_recipe(
        table, moments, config.recipe, plan=judged_report.plan, notify=_prefixed(notify, "on all snapshots")
    )
    in_given_order = replace(hold_out, train_rows=order[split.train], test_rows=order[split.test])
    return TrainedModel(model, judged, in_given_order, metrics, report, judged_report)


def ripe_rows(table: FeatureTable) -> tuple[FeatureTable, Moments, npt.NDArray[np.int64]]:
    """Return the ripe snapshots in canonical order (lead hash, as_of, trigger), and their positions in *table*.

    Raises:
        LeadlightError: The table has no labels, or no snapshot is ripe.
    """
    if table.labels is None:
        raise errors.no_labels()
    moments = moments_of(table)
    trigger = lead_hash(table.keys["trigger_id"].cast(pa.string()))
    ripe = np.flatnonzero(table.labels["is_ripe"].to_numpy())
    if not len(ripe):
        raise errors.nothing_ripe(len(table))
    order = ripe[np.lexsort((trigger[ripe], moments.as_of[ripe], moments.lead[ripe]))]
    return table.take(order), moments.take(order), order


def moments_of(table: FeatureTable) -> Moments:
    """Return the times, leads and labels of a labelled table.

    Raises:
        LeadlightError: The table has no labels.
    """
    if table.labels is None:
        raise errors.no_labels()
    return Moments(
        as_of=_microseconds(table.keys["as_of"]),
        decided_at=_microseconds(table.labels["decided_at"]),
        lead=lead_hash(table.keys["lead_id"]),
        converted=table.labels["converted"].to_numpy().astype(np.bool_),
    )


def _microseconds(times: pa.ChunkedArray) -> npt.NDArray[np.int64]:
    return np.asarray(times.cast(pa.timestamp("us", tz="UTC")).cast(pa.int64()).to_numpy(), dtype=np.int64)


def checked_split(moments: Moments, config: TrainingConfig) -> Split:
    """Return the split into what a model learns from and the hold-out.

    Args:
        moments: Ripe rows.
        config: How.

    Raises:
        LeadlightError: One class only, or too few conversions: how many there are and how many each part needs.
    """
    if moments.converted.all() or not moments.converted.any():
        raise errors.one_class(len(moments), converted=bool(moments.converted.all()))
    split = forward_split(
        moments,
        test_share=config.test_share,
        test_from=config.test_from,
        test_as_ofs=config.test_as_ofs,
        seed=config.recipe.seed,
    )
    least = config.recipe.least_conversions
    parts = (
        ("to train, closed before the hold-out", moments.converting_leads(split.train), "convert", least),
        ("to train, closed before the hold-out", moments.other_leads(split.train), "do not convert", least),
        ("in the hold-out", moments.converting_leads(split.test), "convert", config.least_test_conversions),
        ("in the hold-out", moments.other_leads(split.test), "do not convert", config.least_test_conversions),
    )
    faults = [f"{part}: {found} leads {what}, {needed} needed" for part, found, what, needed in parts if found < needed]
    if faults and config.test_from is not None and _are_enough(moments, config):
        begins, newest = (f"{from_us(at):%Y-%m-%d %H:%M} UTC" for at in (config.test_from, int(moments.as_of.max())))
        raise errors.hold_out_misplaced(faults, test_from=begins, newest=newest)
    if faults:
        missing = sum(max(needed - found, 0) for _, found, what, needed in parts if what == "convert")
        raise errors.too_few_conversions(faults, missing=missing)
    return split


def _are_enough(moments: Moments, config: TrainingConfig) -> bool:
    """Return whether there are leads of both kinds for both sides of a split that is well placed."""
    needed = config.least_conversions
    return min(moments.converting_leads(moments.converted), moments.other_leads(~moments.converted)) >= needed


def _hold_out(model: LeadModel, table: FeatureTable, moments: Moments, split: Split) -> HoldOut:
    return HoldOut(
        train_rows=split.train,
        test_rows=split.test,
        test_from=split.test_from,
        log_odds=model.margins(table.take(split.test)),
        converted=moments.converted[split.test],
        lead=moments.lead[split.test],
    )


def _prefixed(notify: Callable[[str], None], part: str) -> Callable[[str], None]:
    return lambda text: notify(f"{part}: {text}")
