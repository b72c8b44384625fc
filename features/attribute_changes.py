"""Which attributes change because a lead converts: their versions, beside the conversions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from features import moments
from features.labels import Conversion
from features.lags import ATTRIBUTES, Signal, conversions, lags
from features.timeline import Timelines


@dataclass(frozen=True)
class Changes:
    """How often one attribute changes after conversions, and otherwise.

    Attributes:
        attribute: Its name.
        versions: How often it changed in all.
        converting: Leads with a conversion that was looked after for the whole span.
        changed: Those among them that changed within the span after one.
        others: Leads that never convert.
        others_changed: Changes among them.
        others_days: Days that they were looked after, added up.
    """

    attribute: str
    versions: int
    converting: int
    changed: int
    others: int
    others_changed: int
    others_days: float

    def expected(self, days: float) -> float:
        """Return the share of leads that would change in so many days if conversions had no part in it."""
        rate = (self.others_changed + 1.0) / max(self.others_days, 1.0)
        return float(1.0 - np.exp(-rate * days))


def changes_after_conversion(
    timelines: Timelines, attributes: Sequence[str], conversion: Conversion, *, days: float
) -> tuple[Changes, ...]:
    """Return, for each attribute, how often it changes within *days* after a conversion."""
    lead, at = conversions(timelines, conversion)
    until = timelines.coverage[conversion.table].data_until
    followed = moments.is_collected(at + int(days * moments.DAY), data_from=moments.ALWAYS, data_until=until)
    converting = np.unique(lead[followed])
    n_leads = len(timelines.leads)
    others = np.setdiff1d(np.arange(n_leads) + timelines.first_lead_no, lead)
    exists = np.asarray(timelines.leads["exists_from"].cast("int64").to_numpy(), dtype=np.int64)
    looked_after = float(np.maximum(until - exists[others - timelines.first_lead_no], 0).sum() / moments.DAY)
    found = []
    for name in attributes:
        rows = lags(timelines, Signal(name, ATTRIBUTES, (), name), conversion)
        # A change at the very moment of the conversion is its work as well.
        after = (rows.since_last <= days) | (rows.to_next == 0.0)
        changed = np.intersect1d(rows.lead[after], converting)
        of_others = int(np.isin(rows.lead, others).sum())
        found.append(Changes(name, len(rows.lead), len(converting), len(changed), len(others), of_others, looked_after))
    return tuple(found)


def added(parts: Sequence[tuple[Changes, ...]]) -> tuple[Changes, ...]:
    """Return the counts of several buckets together."""
    return tuple(
        Changes(
            of_one[0].attribute,
            *(sum(getattr(change, name) for change in of_one) for name in _COUNTS),
        )
        for of_one in zip(*parts, strict=True)
    )


_COUNTS = ("versions", "converting", "changed", "others", "others_changed", "others_days")
