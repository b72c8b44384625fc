"""Features that need no walk: the trigger's own columns, the lead's age, the calendar."""

from __future__ import annotations

from datetime import date

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from features import columns, moments
from features.catalog import Feature, Measure
from features.errors import LeadlightError, wrong_input
from features.snapshots import Snapshots
from features.timeline import Timelines, microseconds


def column(feature: Feature, timelines: Timelines, snapshots: Snapshots, *, zone: str) -> pa.Array:
    """Return one directly known feature, one value per snapshot."""
    measure = feature.measure or Measure("")
    if measure.kind == "trigger":
        return _of_trigger(feature, measure.column, snapshots)
    if measure.kind == "trigger_days":
        return pa.array((snapshots.ends_at - snapshots.as_of) / moments.DAY)
    if measure.kind == "lead_age":
        created = microseconds(timelines.leads["exists_from"])[snapshots.lead_no - timelines.first_lead_no]
        # A trigger may be what first made the lead known: its age is then zero, never negative.
        return pa.array(np.maximum(snapshots.as_of - created, 0) / moments.DAY)
    return pa.array(_calendar(measure.kind, snapshots.as_of, zone))


def _of_trigger(feature: Feature, name: str, snapshots: Snapshots) -> pa.Array:
    if snapshots.trigger is None or name not in snapshots.trigger.column_names:
        raise _no_trigger_column(feature.name, name)
    values = snapshots.trigger[name]
    if feature.kind == "category":
        return columns.encoded(values)
    return pa.array(columns.floats(name, values))


def _calendar(kind: str, as_of: npt.NDArray[np.int64], zone: str) -> npt.NDArray[np.float64]:
    """Return a part of the local date; as_ofs are few, so each is converted once."""
    distinct, places = np.unique(as_of, return_inverse=True)
    days = [moments.local_date(int(moment), zone) for moment in distinct]
    return np.asarray([_part(kind, day) for day in days], dtype=np.float64)[places]


def _part(kind: str, day: date) -> int:
    return {"weekday": day.isoweekday(), "month": day.month, "day_of_month": day.day}[kind]


def _no_trigger_column(feature: str, name: str) -> LeadlightError:
    hint = "map the column on the trigger's table, or ask the question at a trigger instead of a grid."
    return wrong_input(f"Feature '{feature}' reads the trigger's column '{name}', which is not there.", hint=hint)
