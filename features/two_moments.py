"""One lead at two moments, with what became known between them let in part by part.

    then      what was known then, read then            (known before the old as_of, at the old as_of)
    aged      what was known then, read now             (the same rows, at the new as_of)
    acted     … and what the lead did, as known since   (every table but the attributes whole, at the new as_of)
    informed  … and what was learned about the lead     (all tables whole, at the new as_of)

Between two neighbours one thing differs: the moment, the activity, the facts. A late row, a cancellation and an
identity link are activity at the moment they became known, whenever the row occurred.

At a trigger both moments are one: the trigger's own. Nothing that became known later is ever read there, so all four
are the same and whatever moved the score was the model.

Example: an order of 1 May, asked about on 10 May and on 10 June. *Aged*, it is 40 days old and has left the window of
30 days; an order of 2 June is in *acted* alone; a new phone number of 3 June in *informed* alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa

from features import moments
from features.catalog import Feature
from features.deleting import without_future
from features.matrix import FeatureTable
from features.plan import columns_read
from features.snapshots import Snapshots
from features.sweeping import compute
from features.timeline import Int64Array, Timelines

FACTS = "attributes"
"""The timeline of what is known about a lead; every other one tells what it did."""


@dataclass(frozen=True)
class TwoMoments:
    """The same snapshots four times over, ``(n,)`` rows each, in one order; see the head of this module.

    Attributes:
        then: As it was read then; None where no history is kept.
        aged: The same rows, read now; None where no history is kept.
        acted: With what the lead did since; None where no history is kept.
        informed: With all that is known now.
        now: The same, with the features of the newer model.
    """

    then: FeatureTable | None
    aged: FeatureTable | None
    acted: FeatureTable | None
    informed: FeatureTable
    now: FeatureTable


def two_moments(
    timelines: Timelines,
    old: Snapshots,
    new: Snapshots,
    *,
    features: Sequence[Feature],
    newer: Sequence[Feature],
    zone: str,
) -> TwoMoments:
    """Return the features of snapshots at two moments, and between them.

    Args:
        timelines: The timelines of (at least) the leads asked about.
        old: The snapshots at the older moments, sorted by lead.
        new: The same leads and triggers in the same order at the newer moments.
        features: What the older model reads.
        newer: What the newer model reads.
        zone: The shop's time zone.
    """
    past = without_future(timelines, _cut(timelines, old, new))
    then, aged = _at_both(past, old, new, features, zone=zone)
    informed = compute(timelines, new, features, zone=zone)
    return TwoMoments(
        then=then,
        aged=aged,
        acted=_acted(timelines, past, new, aged=aged, informed=informed, zone=zone),
        informed=informed,
        now=_also(informed, timelines, new, newer, zone=zone),
    )


def _cut(timelines: Timelines, old: Snapshots, new: Snapshots) -> Int64Array:
    """Return, per lead, until when it was known then; a lead whose moment stayed has nothing to cut."""
    cut = np.full(len(timelines.leads), moments.NEVER, dtype=np.int64)
    moved = old.as_of != new.as_of
    cut[(old.lead_no - timelines.first_lead_no)[moved]] = old.as_of[moved]
    return cut


def _at_both(
    past: Timelines, old: Snapshots, new: Snapshots, features: Sequence[Feature], *, zone: str
) -> tuple[FeatureTable, FeatureTable]:
    """Return the features at the older and at the newer moments, from one walk over the rows."""
    twice = old.take(np.repeat(np.arange(len(old)), 2))
    twice.as_of[1::2], twice.ends_at[1::2] = new.as_of, new.ends_at
    both = compute(past, twice, features, zone=zone)
    return both.take(np.arange(0, len(both), 2)), both.take(np.arange(1, len(both), 2))


def _acted(
    timelines: Timelines, past: Timelines, new: Snapshots, *, aged: FeatureTable, informed: FeatureTable, zone: str
) -> FeatureTable:
    """Return what reads facts alone as it was, and what reads none of them as it is; the few others are computed."""
    read = {feature.name: columns_read([feature]).keys() for feature in informed.features}
    mixed = [feature for feature in informed.features if FACTS in read[feature.name] and len(read[feature.name]) > 1]
    tables = {**timelines.tables, **{name: table for name, table in past.tables.items() if name == FACTS}}
    columns = {name: (aged if FACTS in tables_read else informed).columns[name] for name, tables_read in read.items()}
    if mixed:
        found = compute(replace(timelines, tables=tables), new, mixed, zone=zone).columns
        columns |= {name: found[name] for name in found.column_names}
    return replace(informed, columns=pa.table(columns))


def _also(
    known: FeatureTable, timelines: Timelines, asked: Snapshots, features: Sequence[Feature], *, zone: str
) -> FeatureTable:
    """Return *features*; those that *known* holds, measured the same way, are not computed anew."""
    measured = {feature.name: feature.measure for feature in known.features}
    lacking = [one for one in features if one.name not in measured or measured[one.name] != one.measure]
    if not lacking:
        return replace(known, columns=known.columns.select([one.name for one in features]), features=tuple(features))
    more = compute(timelines, asked, lacking, zone=zone).columns
    columns = {one.name: (more if one.name in more.column_names else known.columns)[one.name] for one in features}
    return replace(known, columns=pa.table(columns), features=tuple(features))
