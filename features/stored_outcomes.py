"""What became of leads that were scored: the label of each stored (lead, as_of, trigger id), once it is ripe.

The label is that of `features.labels`, so a score is judged by the very rule that taught the model.

Example: a lead scored on 1 March with a horizon of 30 days that ordered on 20 March converted; before 31 March (plus
the days to settle) that is not ripe, whatever is known already.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from features import labels, moments
from features.snapshots import Snapshots, Trigger, at_triggers
from features.timeline import Int64Array, Timelines, microseconds
from features.training_table import Question

Bools = npt.NDArray[np.bool_]


def stored_outcomes(timelines: Timelines, question: Question, keys: pa.Table) -> tuple[Bools, Bools, Bools]:
    """Return what became of the leads in *keys* that live in this bucket.

    Args:
        timelines: The timelines of one bucket of leads.
        question: What was predicted.
        keys: ``lead_id``, ``as_of`` and ``trigger_id`` (null on a grid) of stored scores, in any order.

    Returns:
        Three arrays of shape ``(n_keys,)``: whether the lead lives here, whether it converted, whether that is ripe.
        A trigger that is no longer known is here, and not ripe.
    """
    lead_no, is_here = _lead_numbers(timelines, keys)
    converted, ripe = np.zeros(len(keys), dtype=np.bool_), np.zeros(len(keys), dtype=np.bool_)
    rows = np.flatnonzero(is_here)
    if not len(rows):
        return is_here, converted, ripe
    as_of = microseconds(keys["as_of"])
    if isinstance(question.snapshots, Trigger):
        asked, rows = _pulled(timelines, question, keys, lead_no, rows)
    else:
        order = rows[np.lexsort((as_of[rows], lead_no[rows]))]
        ends_at = as_of[order] + question.horizon_days * moments.DAY
        asked, rows = Snapshots(lead_no[order], as_of[order], ends_at), order
    found = labels.label(timelines, asked, question.conversion, settle_days=question.settle_days)
    converted[rows] = np.asarray(found["converted"].to_numpy(), dtype=np.bool_)
    ripe[rows] = np.asarray(found["is_ripe"].to_numpy(), dtype=np.bool_)
    return is_here, converted, ripe


def _lead_numbers(timelines: Timelines, keys: pa.Table) -> tuple[Int64Array, Bools]:
    """Return the lead number of each key, and which keys have one here."""
    place = pc.index_in(keys["lead_id"], value_set=timelines.leads["lead_id"].combine_chunks())
    is_here = np.asarray(pc.is_valid(place), dtype=np.bool_)
    numbers = np.asarray(pc.fill_null(place, 0), dtype=np.int64) + timelines.first_lead_no
    return numbers, is_here


def _pulled(
    timelines: Timelines, question: Question, keys: pa.Table, lead_no: Int64Array, rows: Int64Array
) -> tuple[Snapshots, Int64Array]:
    """Return the snapshots of the triggers that *rows* of the keys name, and the row of each."""
    if not isinstance(question.snapshots, Trigger):
        raise TypeError("the question has no trigger")
    asked = at_triggers(timelines, question.snapshots, zone=question.zone, horizon_days=question.horizon_days)
    if asked.trigger is None:
        raise ValueError("triggers come with their rows")
    named = pa.table(
        {"lead_no": lead_no[rows], "trigger_id": keys["trigger_id"].take(pa.array(rows)), "row": pa.array(rows)}
    )
    there = pa.table(
        {
            "lead_no": asked.lead_no,
            "trigger_id": asked.trigger["row_id"].cast(pa.string()),
            "place": pa.array(np.arange(len(asked))),
        }
    )
    both = named.join(there, ["lead_no", "trigger_id"], join_type="inner").sort_by("place")
    return asked.take(np.asarray(both["place"].to_numpy(), dtype=np.int64)), np.asarray(both["row"].to_numpy())
