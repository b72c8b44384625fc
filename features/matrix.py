"""One row per (lead, as_of): what was known about each lead at each moment."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from features.catalog import Feature


@dataclass(frozen=True)
class FeatureTable:
    """Snapshots with their features and, where asked for, their labels.

    Attributes:
        keys: ``lead_id`` (string), ``as_of`` (timestamp), ``trigger_id`` (string, null on grids).
        columns: One column per feature, in the catalog's order: float64 (NaN = missing) or
            dictionary of strings (null = missing).
        features: The catalog entry of each column.
        labels: ``converted`` (bool), ``converted_at`` (timestamp, null where not),
            ``decided_at`` (timestamp: as_of + horizon + settle), ``is_ripe`` (bool); or None.
        beside: Columns that judges read and the model does not (what baselines and points cards count, by which
            attributes quality is reported), known by as_of like any feature; or None.
    """

    keys: pa.Table
    columns: pa.Table
    features: tuple[Feature, ...]
    labels: pa.Table | None = None
    beside: pa.Table | None = None

    def __len__(self) -> int:
        """Return the number of snapshots."""
        return int(self.keys.num_rows)

    def take(self, rows: npt.NDArray[np.int64]) -> FeatureTable:
        """Return the snapshots at positions *rows*, in that order."""
        places = pa.array(rows)
        labels = None if self.labels is None else self.labels.take(places)
        beside = None if self.beside is None else self.beside.take(places)
        return FeatureTable(self.keys.take(places), self.columns.take(places), self.features, labels, beside)


def concat(parts: Sequence[FeatureTable]) -> FeatureTable:
    """Return the snapshots of all *parts*, which share one catalog, in order."""
    labels = [part.labels for part in parts if part.labels is not None]
    beside = [part.beside for part in parts if part.beside is not None]
    return FeatureTable(
        keys=pa.concat_tables([part.keys for part in parts]),
        columns=pa.concat_tables([part.columns for part in parts]).unify_dictionaries(),
        features=parts[0].features,
        labels=pa.concat_tables(labels) if labels else None,
        beside=pa.concat_tables(beside).unify_dictionaries() if beside else None,
    )
