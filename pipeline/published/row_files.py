"""The files of a run that rows are fetched from by their places, open for as long as somebody reads the run.

Threads take turns at each file: its reader keeps notes of its own. A turn lasts a few milliseconds.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from threading import Lock
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.published.list_columns import SHOWN_COLUMNS
from pipeline.published.rows import ListRow
from pipeline.published.run_files import rows_per_block

UNTOLD: Final = frozenset({"points", "log_odds", "data_until", "scored_at", "features_hash"})
"""Columns of a part that no page shows; the points of each feature are most of a row."""
_OTHERWISE: Final = frozenset({"reasons", "trigger_id"})
"""Of these the list has less than the part: the strongest, and the beginning."""
Positions = npt.NDArray[np.int64]


class ShownFile:
    """A ``list.arrow``.

    Args:
        path: The file.
    """

    def __init__(self, path: Path) -> None:
        options = pa.ipc.IpcReadOptions(use_threads=False)
        # Not mapped into memory: a file that somebody cuts off under a map ends the process.
        self._reader = pa.ipc.open_file(pa.OSFile(str(path)), options=options)
        self._per_block = rows_per_block(self._reader.schema)
        self._turn = Lock()

    def rows(self, positions: Positions) -> pa.Table:
        """Return rows in the order of *positions*, shape ``(n_rows,)``; each block is read once."""
        order = np.argsort(positions, kind="stable")
        ascending = positions[order]
        blocks = ascending // self._per_block
        starts = np.flatnonzero(np.diff(blocks, prepend=-1))
        stops = [*starts[1:], len(ascending)]
        with self._turn:
            read = [self._reader.get_batch(int(blocks[start])) for start in starts]
        pieces = [
            _picked(block, ascending[start:stop] % self._per_block)
            for block, start, stop in zip(read, starts, stops, strict=True)
        ]
        rows = pa.Table.from_batches(pieces, self._reader.schema)
        if (order == np.arange(len(order))).all():
            return rows
        back = np.empty_like(order)
        back[order] = np.arange(len(order))
        return rows.take(pa.array(back))


def _picked(block: pa.RecordBatch, at: Positions) -> pa.RecordBatch:
    """Return rows of a block; neighbours are cut out without being copied."""
    is_run = at[-1] - at[0] == len(at) - 1
    return block.slice(int(at[0]), len(at)) if is_run else block.take(pa.array(at))


class PartFile:
    """The part of a run that lies in the order of its list, without `UNTOLD`.

    What the list says as well is taken from there, where it is read in less time.

    Args:
        path: The file.
    """

    def __init__(self, path: Path) -> None:
        # Sixty features make a hundred columns, and to read what a file says of them takes longer than any row.
        self._file = pq.ParquetFile(path)
        names = [name for name in self._file.schema_arrow.names if name not in UNTOLD]
        self._listed = [name for name in names if name in SHOWN_COLUMNS and name not in _OTHERWISE]
        self._own = [name for name in names if name not in self._listed]
        described = self._file.metadata
        self._ends = np.cumsum([described.row_group(group).num_rows for group in range(described.num_row_groups)])
        self._turn = Lock()

    def rows(self, listed: Sequence[ListRow]) -> list[dict[str, Any]]:
        """Return the stored rows of some leads of the list, few; only their row groups are read."""
        return [{name: getattr(row, name) for name in self._listed} | self._own_of(row.position) for row in listed]

    def _own_of(self, position: int) -> dict[str, Any]:
        group = int(np.searchsorted(self._ends, position, side="right"))
        first = int(self._ends[group - 1]) if group else 0
        with self._turn:
            read = self._file.read_row_group(group, columns=self._own, use_threads=False)
        own: dict[str, Any] = read.slice(position - first, 1).to_pylist()[0]
        return own


def positions_of_lead(keys: npt.NDArray[np.uint64], key: int) -> Positions:
    """Return the places of a lead's rows, best rank first.

    Args:
        keys: A ``keys.npy``.
        key: The lead's key.
    """
    start = np.searchsorted(keys[0], np.uint64(key), side="left")
    stop = np.searchsorted(keys[0], np.uint64(key), side="right")
    return np.sort(keys[1, start:stop].astype(np.int64))
