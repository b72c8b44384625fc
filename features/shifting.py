"""A wrong clock on purpose: all times of one source moved, to see which features follow it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from features import moments
from features.catalog import Feature
from features.timeline import Timelines, microseconds, timestamps

CLOCKS = ("occurred_at", "known_at", "superseded_at")


def shifted(timelines: Timelines, table: str, *, by: int) -> Timelines:
    """Return the timelines with all three clocks of one table moved.

    Args:
        timelines: A bucket.
        table: The source whose clock is moved.
        by: Microseconds; positive = later.
    """
    moved = timelines.tables[table]
    for name in CLOCKS:
        times = microseconds(moved[name])
        there = timestamps(np.where(times == moments.NEVER, times, times + by))
        moved = moved.set_column(moved.schema.get_field_index(name), name, there)
    return replace(timelines, tables={**timelines.tables, table: moved})


def sources(feature: Feature) -> frozenset[str]:
    """Return the tables whose rows *feature* is declared to read.

    The calendar, the lead's age and what the trigger's own row says read the snapshot, and no table's rows.
    """
    measure = feature.measure
    return frozenset() if measure is None else frozenset({measure.table, measure.since_table} - {""})
