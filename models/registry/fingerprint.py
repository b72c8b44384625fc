"""Which data a model was trained on, as one short text: equal where the training table is equal, row order aside."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from models.lead_hash import lead_hash
from models.row_hash import row_hashes

if TYPE_CHECKING:
    from features.matrix import FeatureTable


def fingerprint(table: FeatureTable) -> str:
    """Return 32 hexadecimal digits for the snapshots of *table*: keys, feature values and labels.

    Args:
        table: Snapshots, in any order; a column by another name is other data.
    """
    names = tuple(sorted(feature.name for feature in table.features))
    parts = [lead_hash(pa.chunked_array([row_hashes(table, names)])), lead_hash(table.keys["lead_id"])]
    parts += [lead_hash(table.keys["trigger_id"].cast(pa.string())), _bits(table.keys["as_of"].cast(pa.int64()))]
    if table.labels is not None:
        parts.append(_bits(table.labels["converted"].cast(pa.int64())))
    rows = np.stack(parts, axis=1)
    digest = hashlib.sha256("\0".join(names).encode())
    digest.update(np.ascontiguousarray(rows[np.lexsort(rows.T)]).tobytes())
    return digest.hexdigest()[:32]


def _bits(column: pa.ChunkedArray) -> np.ndarray[tuple[int], np.dtype[np.uint64]]:
    return np.asarray(column.fill_null(-1).to_numpy(), dtype=np.int64).view(np.uint64)
