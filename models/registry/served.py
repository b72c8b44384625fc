"""The model as a service sees it: a table of matrix rows in, probability, interval and score out."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from features.matrix import FeatureTable
from models import bundle

if TYPE_CHECKING:
    import pandas as pd

    from features.catalog import Feature
    from models.model import LeadModel

OUTPUTS = {"probability": "double", "low": "double", "high": "double", "score": "long"}
"""Columns of the answer, and MLflow's names of their types."""


def read(folder: Path) -> LeadModel:
    """Return the model in the bundle *folder*, ready to answer: its trees are parsed."""
    model = bundle.load(folder)
    _ = model.loaded_boosters
    return model


def answer(model: LeadModel, rows: pd.DataFrame) -> pd.DataFrame:
    """Return probability, low, high and score of each row.

    Args:
        model: The model.
        rows: One lead per row, one column per feature; what is absent or null is missing.

    Returns:
        The columns of `OUTPUTS`, in the order and with the index of *rows*.
    """
    import pandas as pd

    said = model.predict(matrix_rows(rows, model.features))
    columns = {"probability": said.probability, "low": said.low, "high": said.high, "score": said.score}
    return pd.DataFrame(columns, index=rows.index)


def matrix_rows(rows: pd.DataFrame, features: tuple[Feature, ...]) -> FeatureTable:
    """Return *rows* as the feature table that the model reads; columns it does not know are left out."""
    keys = pa.table(
        {
            "lead_id": pa.nulls(len(rows), pa.string()),
            "as_of": pa.nulls(len(rows), pa.timestamp("us", tz="UTC")),
            "trigger_id": pa.nulls(len(rows), pa.string()),
        }
    )
    columns = {feature.name: _column(rows, feature) for feature in features}
    return FeatureTable(keys=keys, columns=pa.table(columns), features=features)


def frame(table: FeatureTable, features: tuple[Feature, ...]) -> pd.DataFrame:
    """Return the columns of *features* as the table that `answer` takes: numbers, and texts or None."""
    columns = [
        table.columns[feature.name].cast(pa.float64() if feature.kind == "number" else pa.string())
        for feature in features
    ]
    plain = pa.table(columns, names=[feature.name for feature in features]).to_pandas()
    texts = [feature.name for feature in features if feature.kind == "category"]
    return plain.astype(dict.fromkeys(texts, object)).where(plain.notna() | ~plain.columns.isin(texts), None)


def _column(rows: pd.DataFrame, feature: Feature) -> pa.Array:
    there = feature.name in rows.columns
    if feature.kind == "number":
        values = np.asarray(rows[feature.name], dtype=np.float64) if there else np.full(len(rows), np.nan)
        return pa.array(values, pa.float64())
    texts = (
        pa.array(rows[feature.name].astype(object), pa.string(), from_pandas=True)
        if there
        else pa.nulls(len(rows), pa.string())
    )
    return texts.dictionary_encode()
