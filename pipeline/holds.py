"""Whom people said to leave alone: the holds that are in force, as the next run of scores reads them."""

from __future__ import annotations

from datetime import datetime

import pyarrow as pa

from pipeline.settings import Settings


def overridden(settings: Settings, *, at: datetime) -> pa.Array:
    """Return the ids of the leads that somebody holds at the moment *at* (aware); none before the first mark."""
    from pipeline.marks import marks_of

    return marks_of(settings).held(at)["lead_id"].combine_chunks()
