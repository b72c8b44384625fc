"""A lead with several open triggers has several rows; one call answers them all."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa


def first_of_each_lead(lead_id: pa.ChunkedArray | pa.Array) -> npt.NDArray[np.int64]:
    """Return the places of each lead's first row, ascending, shape ``(n_leads,)``.

    Args:
        lead_id: Whose row it is, shape ``(n_rows,)``.
    """
    ids = lead_id.combine_chunks() if isinstance(lead_id, pa.ChunkedArray) else lead_id
    # Numbered first: a million texts take long to sort.
    _, first = np.unique(ids.dictionary_encode().indices.to_numpy(), return_index=True)
    return np.sort(first)
