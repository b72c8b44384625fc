"""Whom people said to leave alone: the overrides that are in force, as the next run of scores reads them."""

from __future__ import annotations

from datetime import datetime
from importlib import import_module
from importlib.util import find_spec
from typing import Protocol

import pyarrow as pa
import pyarrow.compute as pc

from pipeline.settings import Settings

HOLD = "hold"
"""The kind of mark that holds a lead."""


class ActiveMarks(Protocol):
    """What people said of leads."""

    def active(self, moment: datetime) -> pa.Table:
        """Return the marks in force at *moment*: ``lead_id``, ``kind`` and more."""


def overridden(settings: Settings, *, at: datetime) -> pa.Array:
    """Return the ids of the leads that somebody holds at the moment *at* (aware); none before the first mark."""
    marks = _marks(settings)
    if marks is None:
        return pa.array([], pa.string())
    active = marks.active(at)
    return active.filter(pc.equal(active["kind"], HOLD))["lead_id"].combine_chunks().unique()


def _marks(settings: Settings) -> ActiveMarks | None:
    """Return the marks of the shop; None where this Leadlight has no app in which to make them."""
    if find_spec("pipeline.marks") is None:
        return None
    found: ActiveMarks = import_module("pipeline.marks").marks_of(settings)
    return found
