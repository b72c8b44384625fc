"""Labels counted again, row by row: slow, and so plain that one can see it is right.

A conversion counts for a snapshot when it occurred in ``[as_of, ends_at)``, was known before the label was decided, was
not taken back before, has the trigger's key where the question asks for one, and did not pull the trigger itself.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from features import moments
from features.labels import Conversion, conversion_rows
from features.snapshots import Snapshots
from features.timeline import LINK_MADE_KNOWN, LINK_TOOK_AWAY, Timelines, microseconds


def converted(
    timelines: Timelines, snapshots: Snapshots, conversion: Conversion, *, settle_days: int
) -> npt.NDArray[np.bool_]:
    """Return whether each snapshot converted, shape ``(n,)``.

    Args:
        timelines: The bucket.
        snapshots: A few of its snapshots.
        conversion: What counts.
        settle_days: Days after the label window in which late news still counts.
    """
    rows = _by_lead(timelines, conversion, snapshots)
    triggers = [{}] * len(snapshots) if snapshots.trigger is None else snapshots.trigger.to_pylist()
    own = snapshots.trigger_table == conversion.table
    found = []
    asked = zip(snapshots.lead_no.tolist(), snapshots.as_of.tolist(), snapshots.ends_at.tolist(), triggers, strict=True)
    for lead, begin, end, trigger in asked:
        of_lead = rows.get(lead, [])
        if snapshots.match:
            key = trigger[snapshots.match]
            of_lead = [row for row in of_lead if key is not None and row[snapshots.match] == str(key)]
        if own:
            of_lead = [row for row in of_lead if row["row_id"] != str(trigger["row_id"])]
        closes = end + settle_days * moments.DAY
        found.append(any(_counts(row, begin=begin, end=end, closes=closes) for row in of_lead))
    return np.asarray(found, dtype=np.bool_)


def _counts(row: dict[str, Any], *, begin: int, end: int, closes: int) -> bool:
    if not moments.happened_within(row["occurred"], begin, end):
        return False
    if not moments.is_known_before(row["known"], closes):
        return False
    return not moments.is_known_before(row["superseded"], closes)


def _by_lead(timelines: Timelines, conversion: Conversion, snapshots: Snapshots) -> dict[int, list[dict[str, Any]]]:
    table = conversion_rows(timelines, conversion, match=snapshots.match)
    bits = np.asarray(table["link_bits"].to_numpy(), dtype=np.int64)
    superseded = microseconds(table["superseded_at"])
    # Labels ask "known before", strictly: the microsecond granted to links at as_of is taken back.
    times = {
        "occurred": microseconds(table["occurred_at"]).tolist(),
        "known": (microseconds(table["known_at"]) + ((bits & LINK_MADE_KNOWN) != 0)).tolist(),
        "superseded": np.where(
            superseded == moments.NEVER, superseded, superseded + ((bits & LINK_TOOK_AWAY) != 0)
        ).tolist(),
    }
    wanted = ["row_id", *([snapshots.match] if snapshots.match else [])]
    plain = {name: table[name].cast(pa.string()).to_pylist() for name in wanted} | times
    grouped: dict[int, list[dict[str, Any]]] = {}
    for place, lead in enumerate(table["lead_no"].to_pylist()):
        grouped.setdefault(lead, []).append({name: values[place] for name, values in plain.items()})
    return grouped
