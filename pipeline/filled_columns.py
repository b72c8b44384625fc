"""Where could a feature's column have been filled: the snapshots at which its signal had rows at all.

"No campaign known" is honest where there was no visit, and a question where there was one: a shop that writes the
campaign into visits only once they have led to an order tells the outcome by the gap.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from features.catalog import Feature, Measure
from features.lags import ATTRIBUTES
from features.sampled import Sampled
from features.sweeping import compute

_OF_A_COLUMN = ("first", "last", "mean", "sum", "distinct", "open_sum")


def looked_at(one: Sampled, features: Sequence[Feature], *, zone: str) -> dict[str, npt.NDArray[np.bool_]]:
    """Return, per feature that reads a column of rows with times, where there were rows to read it from.

    Args:
        one: Some leads.
        features: The catalog.
        zone: The shop's time zone.

    Returns:
        Shape ``(n_rows_in_the_training_table,)`` each: the snapshots of *one* that are in it, in their order.
    """
    read = [feature for feature in features if _reads_a_column(feature)]
    counts = [replace(feature, kind="number", measure=_rows_of(feature.measure)) for feature in read if feature.measure]
    asked = one.asked.take(one.in_table)
    table = compute(one.timelines, asked, counts, zone=zone)
    return {feature.name: table.columns[feature.name].to_numpy() > 0 for feature in read}


def _reads_a_column(feature: Feature) -> bool:
    measure = feature.measure
    return measure is not None and measure.kind in _OF_A_COLUMN and measure.table != ATTRIBUTES


def _rows_of(measure: Measure) -> Measure:
    """Return the count of the rows, whether or not they have the column."""
    where = tuple(one for one in measure.where if one.column != measure.column)
    kind = "open_count" if measure.kind == "open_sum" else "count"
    return replace(measure, kind=kind, where=where, column="")
