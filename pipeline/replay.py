"""Leads read again as they were scored: at an older and a newer moment, from the tables as they are now."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol, TypeAlias

import numpy as np

from features.asked_again import asked_again
from features.catalog import Feature
from features.two_moments import TwoMoments, two_moments
from pipeline import asking
from pipeline.settings import Settings
from pipeline.workspace import Workspace

if TYPE_CHECKING:
    import pyarrow as pa

    from features.timeline import Int64Array, Timelines

ReadAgain: TypeAlias = "tuple[TwoMoments, Int64Array]"
"""What was read, and the place of each of its rows among the keys: what the tables no longer hold is left out."""


class Replay(Protocol):
    """Reads leads again.

    *Keys* are ``lead_id``, ``trigger_id``, ``old_as_of`` and ``new_as_of``. Every method refuses, with a
    `LeadlightError`, features that the tables no longer serve.
    """

    @property
    def parts(self) -> int:
        """In how many parts to read: a lead is in part ``lower half of MD5(lead_id) mod parts``."""

    def read(self, part: int, keys: pa.Table, *, features: Sequence[Feature], newer: Sequence[Feature]) -> ReadAgain:
        """Return the leads of one part with the *features* of the older and the *newer* scorer."""

    def read_lead(self, keys: pa.Table, *, features: Sequence[Feature], newer: Sequence[Feature]) -> ReadAgain | None:
        """Return the one lead that all *keys* name, reading little else; None where there is no such lead."""


def replay_of(settings: Settings) -> Replay:
    """Return how the config's leads are read again.

    Raises:
        LeadlightError: Nothing is ingested, or something of another kind.
    """
    if settings.lead_table is not None:
        from pipeline.lead_table.replay import ReplayedRows

        return ReplayedRows(settings)
    return ReplayedHistories(settings)


class ReplayedHistories:
    """The leads of a shop of timelines, bucket by bucket."""

    def __init__(self, settings: Settings) -> None:
        self._tables = Workspace(settings.shop.workspace).tables()
        self._question = asking.question(settings)

    @property
    def parts(self) -> int:
        """The buckets of the timelines."""
        return self._tables.buckets

    def read(self, part: int, keys: pa.Table, *, features: Sequence[Feature], newer: Sequence[Feature]) -> ReadAgain:
        """Return the leads of one bucket."""
        columns = self._question.columns_asked([*features, *newer])
        return self._read(self._tables.timelines(part, columns=columns), keys, features, newer)

    def read_lead(self, keys: pa.Table, *, features: Sequence[Feature], newer: Sequence[Feature]) -> ReadAgain | None:
        """Return one lead, from the groups of rows that hold it."""
        columns = self._question.columns_asked([*features, *newer])
        timelines = self._tables.timelines_of(keys["lead_id"][0].as_py(), columns=columns)
        return None if timelines is None else self._read(timelines, keys, features, newer)

    def _read(
        self, timelines: Timelines, keys: pa.Table, features: Sequence[Feature], newer: Sequence[Feature]
    ) -> ReadAgain:
        old, new, places = asked_again(timelines, self._question, keys)
        zone = self._question.zone
        return two_moments(timelines, old, new, features=features, newer=newer, zone=zone), np.asarray(places)
