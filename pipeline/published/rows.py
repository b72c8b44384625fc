"""Rows as readers get them, and how any of them are fetched from the files of a run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.published import keys
from pipeline.published.asks import Cursor
from pipeline.published.run_files import ROWS_PER_SHOWN_BLOCK


@dataclass(frozen=True)
class ListRow:
    """One lead as the list shows it; the fields are those of `list_columns.SHOWN_COLUMNS`.

    Points are hundredths; `reasons` are the strongest three as stored (`models.reasons.REASON_TYPE`); what is not
    known, or may not be shown, is None.
    """

    position: int
    rank: int | None
    lead_key: int
    lead_id: str
    trigger_id: str | None
    as_of: datetime | None
    display_name: str | None
    company: str | None
    owner: str | None
    email: str | None
    phone: str | None
    source: str | None
    campaign: str | None
    score: int | None
    probability: float | None
    probability_low: float | None
    probability_high: float | None
    grade: str | None
    temperature: str | None
    cell: str | None
    fit: int | None
    engagement: int | None
    stage: str | None
    play: str | None
    action: str | None
    channel: str | None
    segments: list[str] | None
    held: list[str] | None
    reason_code: str | None
    reasons: list[Mapping[str, Any]] | None
    previous_score: int | None
    previous_grade: str | None
    previous_temperature: str | None

    @property
    def key(self) -> str:
        """The lead's address, for URLs."""
        return keys.text_of(self.lead_key)

    @property
    def change(self) -> int | None:
        """Points that the score has moved since the run before; None where one of the two is missing."""
        return None if self.score is None or self.previous_score is None else self.score - self.previous_score


@dataclass(frozen=True)
class HistoryPoint:
    """What one published run said of a lead.

    Attributes:
        as_of: The moment of the run.
        trigger_id: The trigger it was asked about, or None.
        model_version: The model that scored.
        score, points_total, probability, probability_low, probability_high, grade, stage: As stored; points are
            hundredths; None where there was no score.
        position: Place of the row in its run.
    """

    as_of: datetime
    trigger_id: str | None
    model_version: str
    score: int | None
    points_total: int | None
    probability: float | None
    probability_low: float | None
    probability_high: float | None
    grade: str | None
    stage: str | None
    position: int


@dataclass(frozen=True)
class Page:
    """One page of the list.

    Attributes:
        rows: Its leads, in order.
        next: Where the next page begins, or None on the last.
        previous: Where the page before ends, or None on the first.
        total: Leads that the filters leave, on all pages.
    """

    rows: list[ListRow]
    next: Cursor | None
    previous: Cursor | None
    total: int


def shown_rows(path: Path, positions: npt.NDArray[np.int64]) -> pa.Table:
    """Return rows of a ``list.arrow`` in the order of *positions*; each block is read once.

    Args:
        path: The file.
        positions: Places of the rows, ``(n_rows,)``.
    """
    with pa.memory_map(str(path)) as source:
        reader = pa.ipc.open_file(source, options=pa.ipc.IpcReadOptions(use_threads=False))
        order = np.argsort(positions, kind="stable")
        ascending = positions[order]
        blocks = ascending // ROWS_PER_SHOWN_BLOCK
        starts = np.flatnonzero(np.diff(blocks, prepend=-1))
        pieces = [
            _picked(reader.get_batch(int(blocks[start])), ascending[start:stop] % ROWS_PER_SHOWN_BLOCK)
            for start, stop in zip(starts, [*starts[1:], len(ascending)], strict=True)
        ]
        rows = pa.Table.from_batches(pieces, reader.schema)
    if (order == np.arange(len(order))).all():
        return rows
    back = np.empty_like(order)
    back[order] = np.arange(len(order))
    return rows.take(pa.array(back))


def _picked(block: pa.RecordBatch, at: npt.NDArray[np.int64]) -> pa.RecordBatch:
    """Return rows of a block; neighbours are cut out without being copied."""
    is_run = at[-1] - at[0] == len(at) - 1
    return block.slice(int(at[0]), len(at)) if is_run else block.take(pa.array(at))


def positions_of_lead(keys: npt.NDArray[np.uint64], key: int) -> npt.NDArray[np.int64]:
    """Return the places of a lead's rows, best rank first.

    Args:
        keys: A ``keys.npy``.
        key: The lead's key.
    """
    start = np.searchsorted(keys[0], np.uint64(key), side="left")
    stop = np.searchsorted(keys[0], np.uint64(key), side="right")
    return np.sort(keys[1, start:stop].astype(np.int64))


def part_rows(path: Path, metadata: pq.FileMetaData, positions: npt.NDArray[np.int64]) -> list[dict[str, Any]]:
    """Return rows of a part by their places, without the points of each feature; only their row groups are read.

    Those points are most of a row, and no page shows them: what is told of a lead are its reasons.

    Args:
        path: The file.
        metadata: Its metadata, which are long: 60 features make a hundred columns.
        positions: Places of the rows, few.
    """
    ends = np.cumsum([metadata.row_group(group).num_rows for group in range(metadata.num_row_groups)])
    told = [name for name in metadata.schema.to_arrow_schema().names if name != "points"]
    rows = []
    with pq.ParquetFile(path, metadata=metadata) as file:
        for position in positions.tolist():
            group = int(np.searchsorted(ends, position, side="right"))
            first = int(ends[group]) - metadata.row_group(group).num_rows
            rows += file.read_row_group(group, columns=told, use_threads=False).slice(position - first, 1).to_pylist()
    return rows
