"""Snapshots + labels + features: the training table, bucket by bucket.

Two calls make one from timelines::

    features = families.catalog(available, families.Choice())
    table = training_table(timelines, question, features)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pyarrow as pa

from features import cohorts, conditions, labels, moments
from features.catalog import Feature
from features.cohorts import Cohort
from features.labels import Conversion
from features.matrix import FeatureTable
from features.plan import KEY_COLUMNS, columns_read
from features.snapshots import Grid, Snapshots, Trigger, at_triggers, grid_as_ofs, on_grid
from features.sweeping import compute
from features.timeline import Int64Array, Timelines, microseconds


@dataclass(frozen=True)
class Question:
    """What is predicted, about whom, when, and how far ahead.

    Attributes:
        conversion: What counts as a conversion.
        snapshots: A regular grid or a trigger.
        cohort: Who is asked about.
        horizon_days: Days of the label window; ignored where the trigger has its own end.
        settle_days: Days after the label window in which late news still counts.
        zone: The shop's time zone.
    """

    conversion: Conversion
    snapshots: Grid | Trigger
    cohort: Cohort = field(default_factory=Cohort)
    horizon_days: int = 30
    settle_days: int = 0
    zone: str = "UTC"

    def columns_read(self, features: Sequence[Feature]) -> dict[str, set[str]]:
        """Return the columns per table that snapshots, cohort, labels and *features* read."""
        read = self.columns_asked([*features, *cohorts.features_read(self.cohort, tuple(features))])
        labelled = read.setdefault(self.conversion.table, set())
        labelled |= {*KEY_COLUMNS, "row_id", "link_bits", "is_cancelled"} | conditions.columns_of(self.conversion.where)
        if isinstance(self.snapshots, Trigger):
            labelled |= {self.snapshots.match} if self.snapshots.match else set()
        return read

    def columns_asked(self, features: Sequence[Feature]) -> dict[str, set[str]]:
        """Return the columns per table that snapshots and *features* read, whoever the cohort is."""
        read = columns_read(features)
        if isinstance(self.snapshots, Trigger):
            pulled = read.setdefault(self.snapshots.table, set())
            pulled |= self.snapshots.columns_read() | _columns_of_trigger(features)
        return read


def _columns_of_trigger(features: Sequence[Feature]) -> set[str]:
    return {f.measure.column for f in features if f.measure is not None and f.measure.kind == "trigger"}


def training_table(
    timelines: Timelines, question: Question, features: Sequence[Feature], *, beside: Sequence[Feature] = ()
) -> FeatureTable:
    """Return every ripe snapshot of the cohort with its features and label.

    Args:
        timelines: The timelines of one bucket of leads.
        question: What is predicted.
        features: The catalog.
        beside: Features for judges alone; one that is in the catalog too is computed once.

    Returns:
        One row per ripe snapshot, sorted by (lead, as_of, trigger id). Unripe snapshots, which
        train and test nothing, are left out.
    """
    asked, found = ripe_snapshots(timelines, question)
    belongs = members(timelines, asked, question, features)
    asked = asked.take(belongs)
    names = {feature.name for feature in features}
    both = [*features, *(feature for feature in beside if feature.name not in names)]
    table = compute(timelines, asked, both, zone=question.zone)
    return replace(
        table,
        columns=table.columns.select([feature.name for feature in features]),
        features=tuple(features),
        labels=found.filter(belongs),
        beside=table.columns.select([feature.name for feature in beside]) if beside else None,
    )


def ripe_snapshots(timelines: Timelines, question: Question) -> tuple[Snapshots, pa.Table]:
    """Return the ripe snapshots of everyone, whoever the cohort is, and their labels (see `labels.label`)."""
    asked = _asked(timelines, question)
    found = labels.label(timelines, asked, question.conversion, settle_days=question.settle_days)
    ripe = np.asarray(found["is_ripe"].to_numpy(), dtype=np.bool_)
    return asked.take(ripe), found.filter(found["is_ripe"])


def scoring_table(
    timelines: Timelines,
    question: Question,
    features: Sequence[Feature],
    *,
    as_of: int,
    beside: Sequence[Feature] = (),
) -> FeatureTable:
    """Return the snapshots of the cohort that wait for an answer at *as_of*.

    On a grid that is every lead that exists at *as_of*; at a trigger it is every trigger pulled
    by then whose label window is still open, asked at the trigger's own as_of; who is known to
    have converted since is waited for no longer.

    Args:
        timelines: The timelines of one bucket of leads.
        question: What is predicted.
        features: The catalog that the model was trained on.
        as_of: The moment of scoring, microseconds (UTC).
        beside: Columns for rules that the model does not read, under names that no feature has. They say how things
            stand at the moment of scoring, also where the model is asked at an earlier trigger: what to do about a
            lead is decided now.

    Returns:
        One row per snapshot, without labels.
    """
    if isinstance(question.snapshots, Trigger):
        asked = at_triggers(timelines, question.snapshots, zone=question.zone, horizon_days=question.horizon_days)
        asked = asked.take(_waits(asked, now=as_of))
        so_far = labels.label(timelines, asked, question.conversion, known_by=as_of)
        asked = asked.take(~np.asarray(so_far["converted"].to_numpy(), dtype=np.bool_))
    else:
        asked = on_grid(timelines, np.asarray([as_of], dtype=np.int64), horizon_days=question.horizon_days)
    asked = asked.take(members(timelines, asked, question, features))
    if not beside:
        return compute(timelines, asked, features, zone=question.zone)
    if asked.trigger is not None:
        table = compute(timelines, asked, features, zone=question.zone)
        return replace(table, beside=_as_it_stands(timelines, asked, beside, now=as_of, zone=question.zone))
    table = compute(timelines, asked, [*features, *beside], zone=question.zone)
    return replace(
        table,
        columns=table.columns.select([feature.name for feature in features]),
        features=tuple(features),
        beside=table.columns.select([feature.name for feature in beside]),
    )


def standing_table(timelines: Timelines, facts: Sequence[Feature], *, as_of: int, zone: str) -> FeatureTable:
    """Return how every lead that exists at *as_of* stands then, whoever the cohort is.

    Args:
        timelines: The timelines of one bucket of leads.
        facts: What is asked of each.
        as_of: The moment, microseconds (UTC); what was known later is not read.
        zone: The shop's zone.

    Returns:
        One row per lead.
    """
    asked = on_grid(timelines, np.asarray([as_of], dtype=np.int64), horizon_days=0)
    return compute(timelines, asked, facts, zone=zone)


def _as_it_stands(
    timelines: Timelines, asked: Snapshots, features: Sequence[Feature], *, now: int, zone: str
) -> pa.Table:
    """Return *features* of each snapshot's lead at the moment *now*; each lead is computed once."""
    leads, places = np.unique(asked.lead_no, return_inverse=True)
    moment = np.full(len(leads), now, dtype=np.int64)
    once = compute(timelines, Snapshots(leads, moment, moment), features, zone=zone)
    return once.columns.take(pa.array(places))


def _waits(asked: Snapshots, *, now: int) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Whether triggers have been pulled, as far as is known at *now*, and still have time to convert."""
    if asked.trigger is None:
        return np.ones(len(asked), dtype=np.bool_)
    known = microseconds(asked.trigger["known_at"])
    return moments.is_open(asked.as_of, asked.ends_at, now=now) & moments.is_pulled(known, asked.as_of, now=now)


def _asked(timelines: Timelines, question: Question) -> Snapshots:
    if isinstance(question.snapshots, Trigger):
        return at_triggers(timelines, question.snapshots, zone=question.zone, horizon_days=question.horizon_days)
    span = labels.span_of(timelines, question.conversion)
    as_ofs: Int64Array = grid_as_ofs(question.snapshots, zone=question.zone, coverage=span)
    return on_grid(timelines, as_ofs, horizon_days=question.horizon_days)


def members(
    timelines: Timelines, asked: Snapshots, question: Question, features: Sequence[Feature]
) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Return which snapshots belong to the cohort, shape ``(n,)``.

    It is decided first, from the few features it reads, so that nobody else is computed.
    """
    read = cohorts.features_read(question.cohort, tuple(features))
    if not read:
        return np.ones(len(asked), dtype=np.bool_)
    return cohorts.members(question.cohort, compute(timelines, asked, read, zone=question.zone))
