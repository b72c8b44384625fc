"""One lead's timelines, quickly enough for a page: only the groups of rows that may hold the lead are read."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from threading import Lock
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from features.timeline import Coverage, Timelines
from pipeline.same_file import stands
from pipeline.timeline_files import LEADS, asked_of, bucket_file, bucket_of, read_sorted, words_of

_FILES_KEPT: Final = 128
"""So many files of buckets stay open: what Parquet says of itself is read once."""
_INDEXES_KEPT: Final = 64
"""Of as many buckets the ids of leads stay in memory, some hundred kilobytes each."""


def read_lead(
    folder: Path,
    lead_id: str,
    *,
    buckets: int,
    available: Mapping[str, Sequence[str]],
    columns: Mapping[str, set[str]] | None,
    coverage: Mapping[str, Coverage],
) -> Timelines | None:
    """Return one lead's timelines; None where there is none such.

    Args:
        folder: The folder of timelines.
        lead_id: The lead.
        buckets: How many buckets there are.
        available: Columns per table, in order.
        columns: Which columns of which tables to read beside the keys; None = all.
        coverage: The span of each table.
    """
    bucket, files = bucket_of(lead_id, buckets=buckets), _files_of(folder, stands(folder))
    index = files.index(bucket_file(folder, LEADS, bucket))
    place = pc.index(index["lead_id"], pa.scalar(lead_id, index.schema.field("lead_id").type)).as_py()
    if place < 0:
        return None
    lead = index.slice(place, 1)
    lead_no = lead["lead_no"][0].as_py()
    tables = {
        name: files.table(bucket_file(folder, name, bucket)).rows(lead_no, asked)
        for name, asked in asked_of(available, columns).items()
    }
    return Timelines(lead, tables, coverage)


class _SortedFile:
    """An open file that is sorted by lead; threads take turns, for its reader keeps notes of its own."""

    def __init__(self, path: Path) -> None:
        self._file = pq.ParquetFile(path, read_dictionary=words_of(pq.read_schema(path)))
        place = self._file.schema_arrow.get_field_index("lead_no")
        described = self._file.metadata
        spans = [described.row_group(group).column(place).statistics for group in range(described.num_row_groups)]
        self._lowest = np.array([span.min for span in spans], dtype=np.int64)
        self._highest = np.array([span.max for span in spans], dtype=np.int64)
        self._turn = Lock()

    def rows(self, lead_no: int, columns: Sequence[str]) -> pa.Table:
        """Return one lead's rows."""
        groups = range(np.searchsorted(self._highest, lead_no), np.searchsorted(self._lowest, lead_no, side="right"))
        with self._turn:
            rows = self._file.read_row_groups(list(groups), columns, use_threads=False)
        begin, end = np.searchsorted(rows["lead_no"].to_numpy(), [lead_no, lead_no + 1])
        return rows.slice(begin, end - begin)


class _Files:
    """The files of one generation that were asked for of late; a generation never changes."""

    def __init__(self) -> None:
        self.table: Callable[[Path], _SortedFile] = lru_cache(_FILES_KEPT)(_SortedFile)
        self.index: Callable[[Path], pa.Table] = lru_cache(_INDEXES_KEPT)(read_sorted)


@lru_cache(maxsize=1)
def _files_of(_folder: Path, _stands: tuple[int, ...]) -> _Files:
    # One alone: open files of a generation that was removed would still fill the disk.
    return _Files()
