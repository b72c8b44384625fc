"""The columns of a stored score that say what to do about the lead, beside those that say what it is worth."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

import pyarrow as pa

DECISION_COLUMNS: Final[Mapping[str, pa.DataType]] = MappingProxyType(
    {
        "stage": pa.string(),
        "play": pa.string(),
        "action": pa.string(),
        "channel": pa.string(),
        "segments": pa.list_(pa.string()),
        "held": pa.list_(pa.string()),
    }
)
"""Names of the stage, the play with its action and channel, the segments, and codes why the lead is left alone."""


def with_decision_columns(scores: pa.Table) -> pa.Table:
    """Return stored *scores* with every column of `DECISION_COLUMNS`: null where an older run lacks it."""
    for name, kind in DECISION_COLUMNS.items():
        if name not in scores.column_names:
            scores = scores.append_column(name, pa.nulls(len(scores), kind))
    return scores
