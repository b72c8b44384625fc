"""The history of scores: every published run adds its rows once, and pieces are merged so that they stay few.

New pieces lie beside the old ones until the manifest names them, so a run that is killed has changed nothing.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from models.lead_hash import lead_hash
from pipeline.published.history_pieces import (
    HISTORY_SCHEMA,
    POINT_SCHEMA,
    ROWS,
    Blocks,
    Piece,
    RunOfPiece,
    merged,
    points_of,
    write_piece,
)
from pipeline.published.history_tiers import level_of, to_merge
from pipeline.published.rows import HistoryPoint
from pipeline.published.run_files import in_order_of_rank
from pipeline.whole_folder import writing_folder

FOREVER: Final = -(2**62)
"""A moment before all runs."""


@dataclass(frozen=True)
class History:
    """The pieces that a manifest names.

    Attributes:
        folder: Where pieces lie.
        pieces: In order of publication.
    """

    folder: Path
    pieces: tuple[Piece, ...] = ()

    def holds(self, run: RunOfPiece) -> bool:
        """Return whether the rows of *run* are in it."""
        return any(run in piece.runs for piece in self.pieces)

    def of_lead(self, key: int) -> list[HistoryPoint]:
        """Return what each run said of a lead, oldest first.

        Args:
            key: The lead's key; see `pipeline.published.keys`.
        """
        return points_of(self._open, key)

    @cached_property
    def _open(self) -> list[Blocks]:
        return [Blocks(self.folder / piece.name, POINT_SCHEMA) for piece in self.pieces]

    def with_run(self, run: RunOfPiece, part: Path, *, since: int = FOREVER) -> History:
        """Return the history with one more run, its pieces merged where there are too many.

        Args:
            run: Which run; one that is there already is not added again.
            part: Its ``part.parquet``.
            since: Runs of moments before it (microseconds, UTC) may go.

        Raises:
            NotFinishedError: The disk is full; the history is as it was.
        """
        if self.holds(run) or run.as_of < since:
            return self
        rows = _rows_of_run(run, part)
        name = _piece_name()
        with self._writing(name) as folder:
            count = write_piece(folder, iter([rows]))
        added = replace(self, pieces=(*self.pieces, Piece(name, 0, count, (run,))))
        return added.tidied(since=since)

    def tidied(self, *, since: int = FOREVER) -> History:
        """Return the same history in few pieces, without most of what is older than *since*."""
        chosen = to_merge(self.pieces, since=since)
        if not chosen:
            return self
        name = _piece_name()
        with self._writing(name) as folder:
            count = write_piece(folder, merged([self.folder / piece.name for piece in chosen], since=since))
        kept = tuple(run for piece in chosen for run in piece.runs if run.as_of >= since)
        made = Piece(name, level_of(chosen), count, kept)
        return replace(self, pieces=_in_place_of(self.pieces, chosen, made))

    def _writing(self, name: str) -> AbstractContextManager[Path]:
        return writing_folder(self.folder / name, needs=ROWS, root=self.folder.parent.parent)


def _in_place_of(pieces: Sequence[Piece], chosen: Sequence[Piece], made: Piece) -> tuple[Piece, ...]:
    """Return *pieces* with *made* where the last of the *chosen* stood; nothing where it holds no run."""
    put = [made if piece == chosen[-1] else piece for piece in pieces if piece == chosen[-1] or piece not in chosen]
    return tuple(piece for piece in put if piece.runs)


def _piece_name() -> str:
    return f"piece-{secrets.token_hex(8)}"


def _rows_of_run(run: RunOfPiece, part: Path) -> pa.Table:
    """Return the rows of a stored run as history keeps them, ascending by lead."""
    with pq.ParquetFile(part) as file:
        there = set(file.schema_arrow.names)
        table = file.read([name for name in (*HISTORY_SCHEMA.names, "rank") if name in there])
    positions = np.empty(len(table), dtype=np.int64)
    positions[in_order_of_rank(table).to_numpy()] = np.arange(len(table))
    keys = lead_hash(table["lead_id"])
    made = {
        "lead_key": pa.array(keys),
        "as_of": pa.repeat(pa.scalar(run.as_of, pa.int64()), len(table)),
        "model_version": pa.repeat(run.model_version, len(table)),
        "position": pa.array(positions),
    }
    columns = [
        made[name].cast(kind)
        if name in made
        else table[name].cast(kind)
        if name in there
        else pa.nulls(len(table), kind)
        for name, kind in zip(HISTORY_SCHEMA.names, HISTORY_SCHEMA.types, strict=True)
    ]
    by_lead = np.argsort(keys, kind="stable")
    return pa.table(columns, schema=HISTORY_SCHEMA).combine_chunks().take(pa.array(by_lead))
