"""Arrow columns as the plain arrays that the sweep reads, and back."""

from __future__ import annotations

from typing import TypeVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from features.errors import LeadlightError, wrong_input
from features.units import MONEY_SCALE, scale_of

_TEXT = (pa.string(), pa.large_string(), pa.string_view())
_TOO_MUCH = float(2**63 - 1024)
_Scalar = TypeVar("_Scalar", bound=np.generic)


def frozen(array: npt.NDArray[_Scalar]) -> npt.NDArray[_Scalar]:
    """Return a contiguous read-only view: the kernel is compiled once, for this one layout."""
    view = np.ascontiguousarray(array).view()
    view.flags.writeable = False
    return view


def stacked(arrays: list[npt.NDArray[_Scalar]], *, rows: int, dtype: type[_Scalar]) -> npt.NDArray[_Scalar]:
    """Return columns as one read-only array of shape ``(len(arrays), rows)``."""
    if len(arrays) == 1:
        return frozen(arrays[0].reshape(1, rows))
    return frozen(np.stack(arrays) if arrays else np.empty((0, rows), dtype=dtype))


def fresh(shape: tuple[int, int], dtype: type[_Scalar]) -> npt.NDArray[_Scalar]:
    """Return an array to write to, its content undefined, in memory of plain pages.

    numpy and Arrow's own pool ask for huge pages; where a virtual machine must fetch those from its
    host they cost four times what plain ones do (docs/performance.md).
    """
    size = shape[0] * shape[1]
    buffer = pa.allocate_buffer(size * np.dtype(dtype).itemsize, memory_pool=pa.system_memory_pool())
    return np.frombuffer(buffer, dtype=dtype, count=size).reshape(shape)


def encoded(column: pa.ChunkedArray) -> pa.DictionaryArray:
    """Return a text column as one dictionary array."""
    if not pa.types.is_dictionary(column.type):
        column = column.cast(pa.string()).dictionary_encode()
    whole = column.unify_dictionaries().combine_chunks()
    return whole.chunk(0) if isinstance(whole, pa.ChunkedArray) else whole


def codes(column: pa.DictionaryArray) -> npt.NDArray[np.int32]:
    """Return the codes of a dictionary array, -1 where missing."""
    indices = column.indices.cast(pa.int32())
    return np.asarray(indices.fill_null(-1) if indices.null_count else indices, dtype=np.int32)


def decoded(values: npt.NDArray[np.int32], levels: pa.Array) -> pa.DictionaryArray:
    """Return codes (-1 = missing) over *levels* as a dictionary array, without copying them."""
    is_known = values >= 0
    n_missing = len(values) - int(np.count_nonzero(is_known))
    valid = pa.py_buffer(np.packbits(is_known, bitorder="little")) if n_missing else None
    indices = pa.Array.from_buffers(pa.int32(), len(values), [valid, pa.py_buffer(values)], null_count=n_missing)
    return pa.DictionaryArray.from_arrays(indices, levels, safe=False)


def floats(name: str, column: pa.ChunkedArray) -> npt.NDArray[np.float64]:
    """Return a number column in the user's units, NaN where missing.

    Raises:
        LeadlightError: The column does not hold numbers.
    """
    _refuse_other_than_numbers(name, column)
    numbers = np.asarray(pc.cast(column, pa.float64(), safe=False).to_numpy(), dtype=np.float64)
    return numbers / scale_of(name) if scale_of(name) > 1 else numbers


def stored_integers(name: str, column: pa.ChunkedArray) -> npt.NDArray[np.int64]:
    """Return a column in its stored integer units, 0 where missing: absence adds nothing.

    A shop's own numbers (float64) are kept in 1/10,000, rounded.

    Raises:
        LeadlightError: The column does not hold numbers, or their sum could overflow 64 bits.
    """
    _refuse_other_than_numbers(name, column)
    if not pa.types.is_floating(column.type):
        values = np.asarray(column.cast(pa.int64()).fill_null(0).to_numpy(), dtype=np.int64)
        _refuse_overflow(name, values)
        return values
    scaled = np.rint(np.nan_to_num(np.asarray(column.to_numpy(), dtype=np.float64), nan=0.0) * MONEY_SCALE)
    _refuse_overflow(name, scaled)
    return scaled.astype(np.int64)


def divisor(name: str, column: pa.ChunkedArray) -> int:
    """Return by how much a sum of `stored_integers` is divided to give the user's unit."""
    return MONEY_SCALE if pa.types.is_floating(column.type) else scale_of(name)


def _refuse_other_than_numbers(name: str, column: pa.ChunkedArray) -> None:
    kind = column.type
    is_number = pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_boolean(kind)
    if not (is_number or pa.types.is_null(kind)):
        raise _not_numbers(name, "text" if kind in _TEXT or pa.types.is_dictionary(kind) else str(kind))


def _refuse_overflow(name: str, values: npt.NDArray[np.int64] | npt.NDArray[np.float64]) -> None:
    """Refuse what could overflow a running total; sums are exact int64 from here on."""
    largest = max(float(values.max(initial=0)), -float(values.min(initial=0)))
    if largest * len(values) >= _TOO_MUCH and float(np.abs(values.astype(np.float64)).sum()) >= _TOO_MUCH:
        raise _overflows(name)


def _not_numbers(name: str, kind: str) -> LeadlightError:
    hint = "measure it with distinct, first or last as a category, or map it as a number."
    return wrong_input(f"A feature measures column '{name}' as a number, but it holds {kind}.", hint=hint)


def _overflows(name: str) -> LeadlightError:
    hint = "sums are kept exact to 1/10,000 in 64 bits: are these ids, or times, rather than quantities?"
    return wrong_input(f"The values of column '{name}' are too large to be summed.", hint=hint)
