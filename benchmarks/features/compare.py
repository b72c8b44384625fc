"""Whether two finished frames say the same: every row, every column, one column at a time.

A frame is laid out as one float64 array per column, in the order (lead, as_of), with NaN where a
value is missing and sources as their place in `data.SOURCES`. The first contestant writes its
arrays to disk; each later one is compared with them, so that no two frames lie in memory at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from benchmarks.features import oracle
from benchmarks.features.cases import COUNTS, Case, feature_names
from benchmarks.features.data import SOURCES

if TYPE_CHECKING:
    from pathlib import Path

TOLERANCE = 1e-6
ORACLE_LEADS = 20
_BLOCK = 1_000_000


class Finished(Protocol):
    """A contestant's frame: where each row belongs, and its columns."""

    def lead_no(self) -> npt.NDArray[np.int64]:
        """Return the lead number per row, shape ``(n,)``."""

    def as_of_us(self) -> npt.NDArray[np.int64]:
        """Return the as_of per row in microseconds, shape ``(n,)``."""

    def column(self, name: str) -> pa.ChunkedArray:
        """Return a feature, ``(n,)`` values in the frame's own row order."""


@dataclass(frozen=True)
class Difference:
    """How far a column lies from the reference.

    Attributes:
        column: The feature.
        rows: Rows that differ by more than the tolerance, or in being missing.
        largest: Largest absolute difference among values that both have.
    """

    column: str
    rows: int
    largest: float


def places(finished: Finished, case: Case) -> npt.NDArray[np.int64]:
    """Return each row's place in the order (lead, as_of), shape ``(n_leads * n_snapshots,)``.

    Raises:
        ValueError: A (lead, as_of) is absent, doubled or unasked for.
    """
    as_of = np.asarray(case.as_of_us, dtype=np.int64)
    asked = finished.as_of_us()
    number = np.searchsorted(as_of, asked).clip(max=len(as_of) - 1)
    place = finished.lead_no() * len(as_of) + number
    inside = (place >= 0) & (place < case.rows)
    is_whole = len(place) == case.rows and bool(inside.all()) and bool((as_of[number] == asked).all())
    if not is_whole or np.bincount(place, minlength=case.rows).max(initial=0) > 1:
        message = f"{case.name}: the frame is not one row per (lead, as_of): {len(place)} rows, {case.rows} asked for"
        raise ValueError(message)
    return place


def write(finished: Finished, case: Case, folder: Path) -> None:
    """Write every column of *finished* as the reference, one ``.npy`` file each."""
    place = places(finished, case)
    folder.mkdir(parents=True, exist_ok=True)
    for name in feature_names():
        np.save(folder / f"{name}.npy", _laid_out(finished, name, place))


def differences(finished: Finished, case: Case, folder: Path) -> list[Difference]:
    """Return the columns in which *finished* differs from the reference in *folder*."""
    place = places(finished, case)
    found = [_difference(name, _laid_out(finished, name, place), folder) for name in feature_names()]
    return [difference for difference in found if difference.rows]


def differences_from_oracle(finished: Finished, case: Case, files: Path) -> list[Difference]:
    """Return the columns in which *finished* differs from the slow loop for a few leads."""
    place = places(finished, case)
    leads = range(0, min(case.leads, case.bucket_leads), max(1, case.bucket_leads // ORACLE_LEADS))
    truth = oracle.features(files, case, leads)
    asked = np.array([lead * len(case.as_of) + case.as_of_us.index(as_of) for lead, as_of in truth])
    found = []
    for name in feature_names():
        expected = np.array([_as_number(values[name]) for values in truth.values()])
        mine = _laid_out(finished, name, place)[asked]
        found.append(_apart(f"oracle: {name}", mine, expected, exact=_is_exact(name)))
    return [difference for difference in found if difference.rows]


def _as_number(value: oracle.Value) -> float:
    if isinstance(value, str):
        return float(SOURCES.index(value))
    return np.nan if value is None else value


def _laid_out(finished: Finished, name: str, place: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    out = np.empty(len(place))
    out[place] = _numbers(finished.column(name))
    return out


def _numbers(column: pa.ChunkedArray) -> npt.NDArray[np.float64]:
    if pa.types.is_dictionary(column.type):
        parts = [_source_codes(chunk) for chunk in column.chunks]
        return np.concatenate(parts) if parts else np.empty(0)
    return np.asarray(column.cast(pa.float64()).to_numpy(), dtype=np.float64)


def _source_codes(chunk: pa.DictionaryArray) -> npt.NDArray[np.float64]:
    levels = pc.index_in(chunk.dictionary.cast(pa.string()), pa.array(SOURCES)).to_numpy(zero_copy_only=False)
    codes = np.append(np.asarray(levels, dtype=np.float64), np.nan)
    indices = chunk.indices.cast(pa.int64()).fill_null(len(levels)).to_numpy(zero_copy_only=False)
    return codes[indices]


def _difference(name: str, values: npt.NDArray[np.float64], folder: Path) -> Difference:
    reference = np.load(folder / f"{name}.npy", mmap_mode="r")
    rows, largest = 0, 0.0
    for begin in range(0, len(values), _BLOCK):
        block = slice(begin, begin + _BLOCK)
        found = _apart(name, values[block], np.asarray(reference[block]), exact=_is_exact(name))
        rows, largest = rows + found.rows, max(largest, found.largest)
    return Difference(name, rows, largest)


def _apart(name: str, mine: npt.NDArray[np.float64], other: npt.NDArray[np.float64], *, exact: bool) -> Difference:
    apart = np.abs(mine - other)
    apart[np.isnan(mine) & np.isnan(other)] = 0.0
    rows = int((~(apart <= (0.0 if exact else TOLERANCE))).sum())
    return Difference(name, rows, float(np.nan_to_num(apart).max(initial=0.0)))


def _is_exact(name: str) -> bool:
    return name.startswith((*COUNTS, "first_source", "last_source"))
