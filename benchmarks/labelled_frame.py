"""A pandas frame with labels as the table that models learn from."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from features.catalog import Feature, Phrase
from features.matrix import FeatureTable


def labelled_table(
    frame: pd.DataFrame,
    converted: npt.NDArray[np.bool_],
    *,
    lead: npt.NDArray[np.generic],
    as_of: npt.NDArray[np.int64],
    decided_at: npt.NDArray[np.int64],
) -> FeatureTable:
    """Return *frame* as a table of ripe snapshots.

    Args:
        frame: One column per feature: numeric columns become numbers, all others categories; NaN is missing.
        converted: The labels, shape ``(n_rows,)``.
        lead: Each row's lead.
        as_of: When it was looked at, us.
        decided_at: When its label closed, us.
    """
    kinds = {name: "number" if pd.api.types.is_numeric_dtype(frame[name]) else "category" for name in frame}
    features = tuple(Feature(n, "purchase", kind, "number", n, Phrase("{n}"), "") for n, kind in kinds.items())
    columns = {
        name: pa.array(frame[name].to_numpy(np.float64))
        if kind == "number"
        else pa.array(frame[name].to_list(), pa.string()).dictionary_encode()
        for name, kind in kinds.items()
    }
    time = pa.timestamp("us", tz="UTC")
    n = len(frame)
    keys = {
        "lead_id": pa.array([str(one) for one in lead]),
        "as_of": pa.array(as_of.astype(np.int64)).cast(time),
        "trigger_id": pa.nulls(n, pa.string()),
    }
    labels = {
        "converted": converted,
        "converted_at": pa.nulls(n, time),
        "decided_at": pa.array(decided_at.astype(np.int64)).cast(time),
        "is_ripe": np.ones(n, dtype=bool),
    }
    return FeatureTable(pa.table(keys), pa.table(columns), features, pa.table(labels))
