"""Editions: published scores as one manifest names them, for readers on many threads."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import cached_property, lru_cache
from typing import Any, Final, cast

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from models.poisson_binomial import central_95
from pipeline.published.asks import Ask
from pipeline.published.conditions import condition
from pipeline.published.cuts import Cut, cut, cut_of_all
from pipeline.published.damage import DamagedError, reading
from pipeline.published.finder import Finder
from pipeline.published.folding import folded_question
from pipeline.published.manifest import Manifest
from pipeline.published.row_files import UNTOLD, PartFile, ShownFile, positions_of_lead
from pipeline.published.rows import HistoryPoint, ListRow, Page
from pipeline.published.run_files import INFO, KEYS, LIST, PART, SEARCH, SHOWN
from pipeline.published.run_info import Choice, RunInfo, read_info
from pipeline.published.sorts import positions_of
from pipeline.published.tallies import Group, Movers, ScoreColumn, groups, moved, spread
from pipeline.same_file import stands
from pipeline.score_store import ScoreStore, StoredRun
from pipeline.workspace import Workspace

_EXPORTED_AT_ONCE: Final = 65_536
_PAGES_AT_HAND: Final = 256
"""Pages that are kept: most readers see the first ones."""


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
        newest = self.at_hand()
        if newest is not None:
            return newest
        if not self._lock.acquire(blocking=self._newest is None):
            # Somebody opens the next one already; what was published until now is whole, and at hand.
            return cast(Edition, self._newest)
        try:
            self._newest = self.at_hand() or self._opened()
        finally:
            self._lock.release()
        return self._newest

    def _opened(self) -> Edition:
        # Looked at before it is read: if it is replaced in between, the next reader sees that, and opens anew.
        named = stands(self._store.manifest_file)
        manifest = self._store.manifest()
        self._store.complete(manifest.run)
        edition = Edition(manifest, (*named, *self._listed(manifest.run)), self._store, self._finder)
        edition.warm()
        return edition

    def at_hand(self) -> Edition | None:
        """Return what is published now where it was opened before: nothing is read; None = `open` has to read."""
        newest = self._newest
        is_newest = newest is not None and newest.stands == (
            *stands(self._store.manifest_file),
            *self._listed(newest.stored),
        )
        return newest if is_newest else None

    def _listed(self, run: StoredRun) -> tuple[int, ...]:
        """Return what changes when a run was removed and scored anew."""
        return stands(self._store.folder_of(run) / LIST)


class Edition:
    """One published run.

    Args:
        manifest: What is published.
        stands: What tells its files from others under the same names.
        store: The stored scores.
        finder: DuckDB.
    """

    def __init__(self, manifest: Manifest, stands: tuple[int, ...], store: ScoreStore, finder: Finder) -> None:
        self.stands = stands
        self.id = hashlib.sha256(f"{manifest.run} {stands}".encode()).hexdigest()[:16]
        self.stored = manifest.run
        self._folder, self._history = store.folder_of(manifest.run), store.history_of(manifest)
        self._store, self._finder = store, finder
        self._movers: dict[int, Movers] = {}
        self._groups: dict[str, list[Group]] = {}
        self._pages = lru_cache(_PAGES_AT_HAND)(self._page)

    @cached_property
    def run(self) -> RunInfo:
        """The run as a whole."""
        return read_info(self._folder / INFO)

    def page(self, ask: Ask) -> Page:
        """Return one page of the list; those that readers turned to of late are at hand."""
        return self._pages(ask)

    def _page(self, ask: Ask) -> Page:
        here = self._cut(ask)
        return Page(self._rows(positions_of(here.keys)), here.next(ask), here.previous(ask), here.total)

    def export(self, ask: Ask) -> Iterator[pa.RecordBatch]:
        """Yield all that *ask* shows on all of its pages, as `list_columns.SHOWN_COLUMNS`."""
        positions = positions_of(self._keys(replace(ask, after=None, before=None)))
        for start in range(0, len(positions), _EXPORTED_AT_ONCE):
            yield from self._shown.rows(positions[start : start + _EXPORTED_AT_ONCE]).to_batches()

    def lead(self, key: int) -> list[dict[str, Any]]:
        """Return the stored rows of a lead, best rank first, without `row_files.UNTOLD`; empty = not there.

        Points stand by family and in the reasons, not feature by feature.

        Args:
            key: The lead's key; see `pipeline.published.keys`.
        """
        return self.whole(self.listed(key))

    def whole(self, listed: Sequence[ListRow]) -> list[dict[str, Any]]:
        """Return the stored rows of a lead as `lead` does.

        Args:
            listed: All that `listed` says of the lead.
        """
        if not listed:
            return []
        if self.run.is_in_order:
            return self._part.rows(listed)
        rows = self._store.read_lead(self.stored, listed[0].lead_id).sort_by("rank")
        return rows.select([name for name in rows.column_names if name not in UNTOLD]).to_pylist()

    def listed(self, key: int) -> list[ListRow]:
        """Return the rows of the list about a lead, best rank first; empty = not there."""
        return self._rows(positions_of_lead(self._lead_keys, key))

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
    def spread(self) -> list[ScoreColumn]:
        """How many leads have which score, from 0 to 100."""
        return spread(self._finder, self._folder / LIST)

    @cached_property
    def chance_range(self) -> tuple[int, int] | None:
        """Between which numbers of conversions chance leaves 95 of 100 runs; None where there are no probabilities."""
        p = pq.read_table(self._folder / LIST, columns=["probability"], partitioning=None)["probability"].drop_null()
        return central_95(p.to_numpy()) if len(p) else None

    def warm(self) -> None:
        """Open what pages read, before the first one asks for it."""
        # What is damaged is told by the page that needs it.
        with suppress(DamagedError, OSError, pa.ArrowException):
            self.run, self._lead_keys, self._shown  # noqa: B018 - read for the first time
            if self.run.is_in_order:
                self._part  # noqa: B018

    @cached_property
    def _shown(self) -> ShownFile:
        return ShownFile(self._folder / SHOWN)

    @cached_property
    def _part(self) -> PartFile:
        return PartFile(self._folder / PART)

    @cached_property
    def _lead_keys(self) -> npt.NDArray[np.uint64]:
        with reading(self._folder / KEYS):
            # Read, not mapped: a file that somebody cuts off under a map ends the process.
            keys: npt.NDArray[np.uint64] = np.load(self._folder / KEYS, allow_pickle=False)
        return keys

    @cached_property
    def _texts(self) -> pa.Table:
        return pa.ipc.open_file(pa.memory_map(str(self._folder / SEARCH))).read_all()

    def _cut(self, ask: Ask) -> Cut:
        if condition(ask).sql or folded_question(ask.text):
            return cut(self._keys(ask), ask)
        if ask.sort == "rank":
            return cut_of_all(self.run.rows, ask)
        return self._finder.cut_of_all(self._folder / LIST, ask, self.run.rows)

    def _keys(self, ask: Ask) -> npt.NDArray[np.int64]:
        """Return the sorted keys of all that *ask* leaves."""
        asked, question = condition(ask), folded_question(ask.text)
        found = self._finder.holding(self._texts, question, edition=self.id) if question else np.arange(self.run.rows)
        if ask.sort == "rank" and not asked.sql:
            return found
        keys = self._finder.keys(self._folder / LIST, asked, ask.sort, edition=self.id)
        if not question:
            return keys
        is_found = np.zeros(self.run.rows, dtype=bool)
        is_found[found] = True
        return keys[is_found[positions_of(keys)]]

    def _rows(self, positions: npt.NDArray[np.int64]) -> list[ListRow]:
        if not len(positions):
            return []
        # In one piece: to take values out of fifty is slower than to put those together.
        return [ListRow(**row) for row in self._shown.rows(positions).combine_chunks().to_pylist()]
