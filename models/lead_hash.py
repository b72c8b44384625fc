"""A 64-bit hash of each lead id, the same on every machine and in every version.

    hash(id) = mix(length, Σ_i (byte_i + 1) · key_i mod 2^64)

with fixed random keys: multilinear hashing (Carter and Wegman, 1979). Whoever is dealt into a group is chosen by it,
so that neither the order of rows nor the presence of other columns changes a split.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from models.mixing import GOLDEN, mixed

ROWS_PER_BLOCK = 262_144


def lead_hash(lead_ids: pa.ChunkedArray) -> npt.NDArray[np.uint64]:
    """Return the hash of each lead id, shape ``(n_rows,)``.

    Args:
        lead_ids: Strings; a null hashes like the empty string.
    """
    chunks = [
        _of_block(chunk.slice(start, ROWS_PER_BLOCK))
        for chunk in lead_ids.chunks
        for start in range(0, len(chunk), ROWS_PER_BLOCK)
    ]
    return np.concatenate(chunks) if chunks else np.empty(0, dtype=np.uint64)


def _of_block(lead_ids: pa.Array) -> npt.NDArray[np.uint64]:
    """Return the hashes of one block, straight from the bytes of its Arrow buffers."""
    text = lead_ids.cast(pa.large_string())
    offsets = np.frombuffer(text.buffers()[1], dtype=np.int64)[text.offset : text.offset + len(text) + 1]
    raw = text.buffers()[2]
    data = np.frombuffer(raw, dtype=np.uint8)[offsets[0] : offsets[-1]] if raw is not None else np.empty(0, np.uint8)
    starts = offsets[:-1] - offsets[0]
    lengths = np.diff(offsets)
    keys = _keys(int(lengths.max(initial=0)))
    place = np.arange(len(data)) - np.repeat(starts, lengths)
    # A running total wraps around modulo 2^64, and so do its differences: sums per id without a loop over ids.
    total = np.concatenate([np.zeros(1, np.uint64), np.cumsum((data.astype(np.uint64) + np.uint64(1)) * keys[place])])
    sums = total[starts + lengths] - total[starts]
    return sums ^ (sums >> np.uint64(29)) ^ (lengths.astype(np.uint64) << np.uint64(57))


def _keys(count: int) -> npt.NDArray[np.uint64]:
    """Return *count* fixed odd 64-bit keys (splitmix64 of 1, 2, 3 …)."""
    return mixed(np.arange(1, count + 1, dtype=np.uint64) * np.uint64(GOLDEN)) | np.uint64(1)
