"""A fingerprint of what the model read of each lead, so that a score can be replayed and compared.

    hash(row) = mix(Σ_feature mix(bits(value) xor key(feature name)) mod 2^64)

A number's bits are its float64 bits (one NaN, one zero), a category's bits are a hash of its level's text.
Sums do not depend on the order of features, and a row's hash on no other row.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from models.mixing import mixed

if TYPE_CHECKING:
    from features.matrix import FeatureTable

_MISSING: Final = np.uint64(0x7FF8000000000000)
_HEX: Final = "0123456789abcdef"


def row_hashes(table: FeatureTable, names: tuple[str, ...]) -> pa.StringArray:
    """Return 16 hexadecimal digits per row: equal where all features *names* are equal, bit by bit.

    Args:
        table: Rows with at least the columns *names*.
        names: The features that count.
    """
    total = np.zeros(len(table), dtype=np.uint64)
    for name in names:
        total += mixed(_bits(table.columns[name]) ^ _text_hash(name))
    return _as_hexadecimal(mixed(total))


def _bits(column: pa.ChunkedArray) -> npt.NDArray[np.uint64]:
    if not pa.types.is_dictionary(column.type):
        values = np.asarray(column.to_numpy(), dtype=np.float64)
        # Adding 0 makes -0 and 0 one; all NaN become one.
        return np.where(np.isnan(values), _MISSING, (values + 0.0).view(np.uint64))
    parts = [_level_bits(chunk) for chunk in column.chunks]
    return np.concatenate(parts) if parts else np.empty(0, dtype=np.uint64)


def _level_bits(chunk: pa.DictionaryArray) -> npt.NDArray[np.uint64]:
    levels = [_text_hash(level) for level in chunk.dictionary.to_pylist()]
    codes = chunk.indices.fill_null(len(levels)).to_numpy(zero_copy_only=False)
    return np.array([*levels, _MISSING], dtype=np.uint64)[codes]


def _text_hash(text: str) -> np.uint64:
    return np.uint64(int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "little"))


def _as_hexadecimal(hashes: npt.NDArray[np.uint64]) -> pa.StringArray:
    digits = np.frombuffer(_HEX.encode(), dtype=np.uint8)
    octets = hashes.astype(">u8").view(np.uint8)
    text = np.stack([digits[octets >> 4], digits[octets & 15]], axis=1)
    offsets = np.arange(0, 16 * len(hashes) + 1, 16, dtype=np.int32)
    return pa.StringArray.from_buffers(len(hashes), pa.py_buffer(offsets), pa.py_buffer(np.ascontiguousarray(text)))
