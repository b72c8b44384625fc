"""Scores by lead over time, in pieces that are sorted by lead: one lead's nights lie side by side in each.

::

    scores/history/<piece>/rows.arrow    the rows of some runs, ascending by lead_key, in blocks
    scores/history/<piece>/starts.npy    the first lead_key of each block, uint64

A lead is found in ``starts`` by bisection, and one block, seldom two, is read. Within a lead, rows are in the order in
which their runs were published. The manifest of the published scores names the pieces that belong to it; a piece never
changes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from threading import Lock
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from features.moment_type import MOMENT
from features.moments import from_us
from features.timeline import microseconds
from pipeline.published.rows import HistoryPoint

ROWS: Final = "rows.arrow"
STARTS: Final = "starts.npy"
ROWS_PER_BLOCK: Final = 1_024
_BLOCKS_AT_ONCE: Final = 512

HISTORY_SCHEMA: Final = pa.schema(
    {
        "lead_key": pa.uint64(),
        "lead_id": pa.string(),
        "as_of": MOMENT,
        "trigger_id": pa.string(),
        "model_version": pa.string(),
        "score": pa.int32(),
        "points_total": pa.int32(),
        # Seven digits are more than anyone is shown, and these three are most of what does not compress.
        "probability": pa.float32(),
        "probability_low": pa.float32(),
        "probability_high": pa.float32(),
        "grade": pa.string(),
        "stage": pa.string(),
        "position": pa.int32(),
    }
)
_POINT: Final = [field.name for field in fields(HistoryPoint)]
"""``as_of`` comes first."""
POINT_SCHEMA: Final = pa.schema([field for field in HISTORY_SCHEMA if field.name in {"lead_key", *_POINT}])


@dataclass(frozen=True)
class RunOfPiece:
    """A run whose rows a piece holds."""

    as_of: int
    model_version: str


@dataclass(frozen=True)
class Piece:
    """A piece of the history, as the manifest names it.

    Attributes:
        name: Its folder.
        level: How often its rows were merged.
        rows: How many they are.
        runs: Whose rows they are, in order of publication.
    """

    name: str
    level: int
    rows: int
    runs: tuple[RunOfPiece, ...]


def write_piece(folder: Path, tables: Iterator[pa.Table]) -> int:
    """Write rows as a piece into *folder*, which exists, and return how many they are.

    Args:
        folder: Where to.
        tables: `HISTORY_SCHEMA`, ascending by ``lead_key`` within and from one to the next.
    """
    starts, rows = [], 0
    options = pa.ipc.IpcWriteOptions(compression="lz4", use_threads=False)
    with pa.ipc.new_file(folder / ROWS, HISTORY_SCHEMA, options=options) as file:
        for table in tables:
            file.write_table(table.combine_chunks(), max_chunksize=ROWS_PER_BLOCK)
            starts.append(table["lead_key"].to_numpy()[::ROWS_PER_BLOCK])
            rows += len(table)
    np.save(folder / STARTS, np.concatenate(starts) if starts else np.empty(0, np.uint64))
    return rows


class Blocks:
    """A piece that is open: whoever reads one lead after another finds the places of its blocks once.

    Args:
        folder: The piece.
        schema: The columns that are read, in order of `HISTORY_SCHEMA`, ``lead_key`` among them.
    """

    def __init__(self, folder: Path, schema: pa.Schema = HISTORY_SCHEMA) -> None:
        self.starts: npt.NDArray[np.uint64] = np.load(folder / STARTS, allow_pickle=False)
        self._schema = schema
        columns = [HISTORY_SCHEMA.get_field_index(name) for name in schema.names]
        options = pa.ipc.IpcReadOptions(use_threads=False, included_fields=columns)
        # Not mapped into memory: a file that somebody cuts off under a map ends the process.
        self._file = pa.ipc.open_file(pa.OSFile(str(folder / ROWS)), options=options)
        # Threads take turns: the reader keeps notes of its own.
        self._turn = Lock()

    def rows(self, low: int, high: int | None) -> pa.Table:
        """Return the rows with ``low <= lead_key < high``; None = to the end."""
        first = max(int(np.searchsorted(self.starts, np.uint64(low), side="left")) - 1, 0)
        behind = len(self.starts) if high is None else int(np.searchsorted(self.starts, np.uint64(high), side="left"))
        with self._turn:
            table = pa.Table.from_batches([self._file.get_batch(n) for n in range(first, behind)], self._schema)
        keys = table["lead_key"].to_numpy()
        begin = int(np.searchsorted(keys, np.uint64(low), side="left"))
        end = len(keys) if high is None else int(np.searchsorted(keys, np.uint64(high), side="left"))
        return table.slice(begin, end - begin)


def merged(folders: Sequence[Path], *, since: int) -> Iterator[pa.Table]:
    """Yield the rows of several pieces as one, range by range of leads.

    Args:
        folders: The pieces, those published first before the others.
        since: Rows of moments before it (microseconds, UTC) are left out.
    """
    pieces = [Blocks(folder) for folder in folders]
    bounds = np.unique(np.concatenate([piece.starts for piece in pieces]))[::_BLOCKS_AT_ONCE][1:].tolist()
    for low, high in zip([0, *bounds], [*bounds, None], strict=True):
        table = pa.concat_tables([piece.rows(low, high) for piece in pieces]).combine_chunks()
        table = table.filter(pa.array(table["as_of"].cast(pa.int64()).to_numpy() >= since))
        if len(table):
            # Stable: within a lead the order of publication stays.
            yield table.take(pa.array(np.argsort(table["lead_key"].to_numpy(), kind="stable")))


def points_of(pieces: Sequence[Blocks], key: int) -> list[HistoryPoint]:
    """Return what the pieces say of a lead, oldest first.

    Args:
        pieces: The pieces, open with `POINT_SCHEMA`.
        key: The lead's key.
    """
    after = key + 1 if key < 2**64 - 1 else None
    rows = pa.concat_tables([POINT_SCHEMA.empty_table(), *(piece.rows(key, after) for piece in pieces)])
    # A stable sort: of one moment, what was published last comes last.
    rows = rows.take(pa.array(np.argsort(microseconds(rows["as_of"]), kind="stable")))
    # Arrow asks the time zone's rules for each moment, which takes longer than all else here.
    moments = map(from_us, microseconds(rows["as_of"]).tolist())
    values = [rows[name].to_pylist() for name in _POINT[1:]]
    return [HistoryPoint(*row) for row in zip(moments, *values, strict=True)]
