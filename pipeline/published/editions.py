"""Editions: published scores as one manifest names them, for readers on many threads."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.published.asks import Ask, Cursor
from pipeline.published.conditions import condition
from pipeline.published.finder import Finder
from pipeline.published.manifest import Manifest
from pipeline.published.rows import HistoryPoint, ListRow, Page, part_rows, shown_rows
from pipeline.published.run_files import INFO, LIST, PART, SHOWN
from pipeline.published.run_info import Choice, RunInfo, read_info
from pipeline.published.sorts import positions_of
from pipeline.published.tallies import Group, Movers, groups, moved
from pipeline.score_store import ScoreStore
from pipeline.workspace import Workspace

_EXPORTED_AT_ONCE: Final = 65_536


class Published:
    """The published scores of a workspace; one object serves all threads of a process.

    Args:
        workspace: The shop's workspace.
    """

    def __init__(self, workspace: Workspace) -> None:
        self._store = ScoreStore(workspace)
        self._finder = Finder()
        self._lock = threading.Lock()
        self._newest: Edition | None = None

    def open(self) -> Edition:
        """Return what is published now; whoever holds it reads on in it, whatever is published meanwhile.

        Raises:
            LeadlightError: Nothing was scored yet.
        """
        manifest = self._store.manifest()
        self._store.complete(manifest.run)
        name = _edition(manifest, self._store.folder_of(manifest.run))
        with self._lock:
            if self._newest is None or self._newest.id != name:
                self._newest = Edition(name, manifest, self._store, self._finder)
            return self._newest


class Edition:
    """One published run.

    Args:
        name: What tells it from every other edition.
        manifest: What is published.
        store: The stored scores.
        finder: DuckDB.
    """

    def __init__(self, name: str, manifest: Manifest, store: ScoreStore, finder: Finder) -> None:
        self.id = name
        self.stored = manifest.run
        self._folder, self._history = store.folder_of(manifest.run), store.history_of(manifest)
        self._store, self._finder = store, finder
        self._movers: dict[int, Movers] = {}
        self._groups: dict[str, list[Group]] = {}

    @cached_property
    def run(self) -> RunInfo:
        """The run as a whole."""
        return read_info((self._folder / INFO).read_text(encoding="utf-8"))

    def page(self, ask: Ask) -> Page:
        """Return one page of the list."""
        keys = self._keys(ask)
        if ask.before is not None:
            stop = int(np.searchsorted(keys, ask.before.key, side="left"))
            start = max(stop - ask.size, 0)
        else:
            start = 0 if ask.after is None else int(np.searchsorted(keys, ask.after.key, side="right"))
            stop = min(start + ask.size, len(keys))
        return Page(
            rows=self._rows(positions_of(keys[start:stop])),
            # A page without rows lies beyond an end, and the way back leads to what is nearest.
            next=Cursor(ask.sort, int(keys[stop - 1] if stop > start else keys[stop] - 1))
            if stop < len(keys)
            else None,
            previous=Cursor(ask.sort, int(keys[start] if stop > start else keys[start - 1] + 1)) if start > 0 else None,
            total=len(keys),
        )

    def export(self, ask: Ask) -> Iterator[pa.RecordBatch]:
        """Yield all that *ask* shows on all of its pages, as `list_columns.SHOWN_COLUMNS`."""
        positions = positions_of(self._keys(replace(ask, after=None, before=None)))
        for start in range(0, len(positions), _EXPORTED_AT_ONCE):
            yield from shown_rows(self._folder / SHOWN, positions[start : start + _EXPORTED_AT_ONCE]).to_batches()

    def lead(self, key: int) -> list[dict[str, Any]]:
        """Return the full stored rows (`models.scoring.score_schema`) of a lead, best rank first; empty = not there.

        Args:
            key: The lead's key; see `pipeline.published.keys`.
        """
        positions = self._positions_of(key)
        if not positions:
            return []
        if self.run.is_in_order:
            return part_rows(self._folder / PART, self._part_metadata, positions)
        lead_id = self._rows(np.array(positions))[0].lead_id
        return self._store.read_lead(self.stored, lead_id).sort_by("rank").to_pylist()

    def listed(self, key: int) -> list[ListRow]:
        """Return the rows of the list about a lead, best rank first; empty = not there."""
        return self._rows(np.array(self._positions_of(key), dtype=np.int64))

    def history(self, key: int) -> list[HistoryPoint]:
        """Return what each published run said of a lead, oldest first; empty = it was never scored.

        Args:
            key: The lead's key.
        """
        return self._history.of_lead(key)

    def choices(self) -> Mapping[str, tuple[Choice, ...]]:
        """Return what each filter of `Ask` offers, most leads first."""
        return self.run.choices

    def movers(self, most: int = 10) -> Movers:
        """Return who moved most since the run before, at most *most* of each kind."""
        if most not in self._movers:
            found = moved(self._finder, self._folder / LIST, most)
            self._movers[most] = Movers(**{name: self._rows(positions) for name, positions in found.items()})
        return self._movers[most]

    def by(self, column: str) -> list[Group]:
        """Return leads and expected conversions by a column of `tallies.GROUPS`, most leads first.

        Raises:
            LeadlightError: There is no such column.
        """
        if column not in self._groups:
            self._groups[column] = groups(self._finder, self._folder / LIST, column)
        return self._groups[column]

    @cached_property
    def _part_metadata(self) -> pq.FileMetaData:
        return pq.read_metadata(self._folder / PART)

    def _keys(self, ask: Ask) -> npt.NDArray[np.int64]:
        asked = condition(ask)
        if ask.sort == "rank" and not asked.sql:
            return np.arange(self.run.rows)
        return self._finder.keys(self._folder / LIST, asked, ask.sort, edition=self.id)

    def _rows(self, positions: npt.NDArray[np.int64]) -> list[ListRow]:
        if not len(positions):
            return []
        return [ListRow(**row) for row in shown_rows(self._folder / SHOWN, positions).to_pylist()]

    def _positions_of(self, key: int) -> list[int]:
        query = "SELECT position FROM read_parquet(?) WHERE lead_key = ? ORDER BY position"
        return [position for (position,) in self._finder.rows(self._folder / LIST, query, key)]


def _edition(manifest: Manifest, folder: Path) -> str:
    """Return the name of what is published now: a run that was removed and scored anew is another edition."""
    stands = (folder / LIST).stat()
    told = f"{manifest.as_json()} {stands.st_ino} {stands.st_mtime_ns}"
    return hashlib.sha256(told.encode()).hexdigest()[:16]
