"""Whom people said to leave alone: the overrides that are in force, as the next run of scores reads them."""

from __future__ import annotations

from datetime import datetime

import pyarrow as pa
import pyarrow.compute as pc

from pipeline.settings import Settings

HOLD = "hold"
"""The kind of mark that holds a lead."""


def overridden(settings: Settings, *, at: datetime) -> pa.Array:
    """Return the ids of the leads that somebody holds at the moment *at* (aware); none before the first mark."""
    from pipeline.marks import marks_of

    active = marks_of(settings).active(at)
    return active.filter(pc.equal(active["kind"], HOLD))["lead_id"].combine_chunks().unique()
