"""What became of leads that were scored: the label of each stored (lead, as_of, trigger id), once it is ripe.

The label is that of `features.labels`, so a score is judged by the very rule that taught the model.

Example: a lead scored on 1 March with a horizon of 30 days that ordered on 20 March converted; before 31 March (plus
the days to settle) that is not ripe, whatever is known already.
"""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from features import labels
from features.asked_again import asked_again
from features.timeline import Int64Array, Timelines
from features.training_table import Question


def stored_outcomes(timelines: Timelines, question: Question, keys: pa.Table) -> tuple[Int64Array, pa.Table]:
    """Return what became of the leads in *keys* that live in this bucket.

    Args:
        timelines: The timelines of one bucket of leads.
        question: What was predicted; whom its cohort asks for now does not matter.
        keys: ``lead_id``, ``as_of`` and ``trigger_id`` (null on a grid) of stored scores, in any order.

    Returns:
        The place of each outcome in *keys*, and ``converted`` and ``is_ripe`` (bool); who did not convert, or not yet,
        has false. A lead or a trigger that is not known here is left out.
    """
    asked_at = dict.fromkeys(("old_as_of", "new_as_of"), keys["as_of"])
    at_once = pa.table({"lead_id": keys["lead_id"], "trigger_id": keys["trigger_id"], **asked_at})
    _, asked, places = asked_again(timelines, question, at_once)
    found = labels.label(timelines, asked, question.conversion, settle_days=question.settle_days)
    converted = pc.and_(found["converted"], found["is_ripe"])
    return places, pa.table({"converted": converted, "is_ripe": found["is_ripe"]})
