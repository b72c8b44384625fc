"""Snapshots that were asked about before, found again by their keys at an older and a newer moment.

Whether the cohort would hold a lead at either moment does not matter: it was scored, so it is looked at.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from features import moments
from features.snapshots import Snapshots, Trigger, at_triggers
from features.timeline import Int64Array, Timelines, microseconds
from features.training_table import Question


def asked_again(timelines: Timelines, question: Question, keys: pa.Table) -> tuple[Snapshots, Snapshots, Int64Array]:
    """Return snapshots at the two moments at which they were asked about.

    Args:
        timelines: The timelines of (at least) the leads asked about.
        question: What was asked; its cohort and its conversion are not.
        keys: ``lead_id``, ``trigger_id`` (null on a grid), ``old_as_of`` and ``new_as_of``; a lead may stand
            here with several moments.

    Returns:
        The snapshots at the older moments, the same at the newer ones, both sorted by lead, and the place of each in
        *keys*. What the tables no longer hold is left out.
    """
    if isinstance(question.snapshots, Trigger):
        found, places = _triggers(timelines, question, question.snapshots, keys)
    else:
        found, places = _leads(timelines, question, keys)
    old = microseconds(keys["old_as_of"])[places]
    return replace(found, as_of=old, ends_at=old + (found.ends_at - found.as_of)), found, places


def _leads(timelines: Timelines, question: Question, keys: pa.Table) -> tuple[Snapshots, Int64Array]:
    at, places = _found(keys["lead_id"].cast(pa.string()), timelines.leads["lead_id"].cast(pa.string()))
    # A key of a trigger has no meaning where the config asks on a grid by now.
    on_grid = np.asarray(pc.is_null(keys["trigger_id"]), dtype=np.bool_)[places]
    at, places = at[on_grid], places[on_grid]
    as_of = microseconds(keys["new_as_of"])[places]
    asked = Snapshots(at + timelines.first_lead_no, as_of, as_of + question.horizon_days * moments.DAY)
    order = np.argsort(at, kind="stable")
    return asked.take(order), places[order]


def _triggers(
    timelines: Timelines, question: Question, trigger: Trigger, keys: pa.Table
) -> tuple[Snapshots, Int64Array]:
    asked = at_triggers(timelines, trigger, zone=question.zone, horizon_days=question.horizon_days)
    pulled = pa.table({"row_id": pa.array([], pa.string())}) if asked.trigger is None else asked.trigger
    lead_id = timelines.leads["lead_id"].take(pa.array(asked.lead_no - timelines.first_lead_no))
    at, places = _found(_key(keys["lead_id"], keys["trigger_id"]), _key(lead_id, pulled["row_id"]))
    order = np.argsort(at, kind="stable")
    return asked.take(at[order]), places[order]


def _key(lead_id: pa.ChunkedArray, trigger_id: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return one text per lead and trigger; the length of the id keeps two keys apart that join to one text."""
    lead, trigger = lead_id.cast(pa.string()), trigger_id.cast(pa.string())
    return pc.binary_join_element_wise(pc.binary_length(lead).cast(pa.string()), lead, trigger, ":")


def _found(wanted: pa.ChunkedArray, there: pa.ChunkedArray) -> tuple[Int64Array, Int64Array]:
    """Return where each value of *wanted* that is *there* lies in it, and its place in *wanted*."""
    at = pc.index_in(wanted, value_set=pa.chunked_array(there).combine_chunks())
    places = np.flatnonzero(np.asarray(pc.is_valid(at), dtype=np.bool_))
    return np.asarray(at.drop_null().to_numpy(), dtype=np.int64), places
