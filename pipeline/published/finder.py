"""DuckDB over the list of a run: which leads an ask means, in its order, and answers to small questions.

Filters and orders are asked of the Parquet file as it lies there, a search of the texts beside it, which are mapped
into memory uncompressed. What was found is kept as sorted keys, so that the next page of an ask, and the next reader's,
is a slice; all of it together within a bound of memory. The first fifty in an order of all leads are found without
sorting the others, and are not kept.
"""

# ruff: noqa: S608 - names of columns are ours; whatever comes from outside is bound

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from pipeline.duckdb_cursors import Cursors
from pipeline.published.asks import Ask
from pipeline.published.conditions import Condition
from pipeline.published.cuts import Cut
from pipeline.published.sorts import key_sql

MOST_KEPT_BYTES: Final = 128_000_000
"""Of sorted keys: those of one million leads take eight million."""
_SETTINGS: Final[Mapping[str, str | int]] = {"threads": 2, "memory_limit": "512MB"}
Keys = npt.NDArray[np.int64]


class Finder:
    """Finds leads in lists; one serves all threads of a process."""

    def __init__(self) -> None:
        self._cursors = Cursors(_SETTINGS)
        self._lock = threading.Lock()
        self._kept: OrderedDict[Hashable, Keys] = OrderedDict()

    def keys(self, path: Path, condition: Condition, sort: str, *, edition: str) -> Keys:
        """Return the sorted keys (`pipeline.published.sorts`) of the leads that a condition leaves.

        Args:
            path: The ``list.parquet``.
            condition: Which leads.
            sort: In which order.
            edition: What the file says, for what is kept: two files under one path are two editions.
        """
        query = f"SELECT {key_sql(sort)} AS key FROM read_parquet(?) {condition.where}"
        return self._kept_or((edition, condition, sort), lambda: self._column(query, str(path), *condition.values))

    def holding(self, texts: pa.Table, question: str, *, edition: str) -> Keys:
        """Return the places of the leads whose text holds *question*, ascending.

        Args:
            texts: ``position`` and ``search`` of all leads.
            question: Folded as the texts are.
            edition: As for `keys`.
        """

        def found() -> Keys:
            self._cursors.mine().register("searched", texts)
            return self._column("SELECT position AS key FROM searched WHERE contains(search, ?)", question)

        return self._kept_or((edition, question), found)

    def cut_of_all(self, path: Path, ask: Ask, total: int) -> Cut:
        """Return the page of *ask* where nobody is left out, in any order."""
        of_list = f"(SELECT {key_sql(ask.sort)} AS key FROM read_parquet(?))"
        most = ask.size + 1
        if ask.before is not None:
            query = f"SELECT key FROM {of_list} WHERE key < ? ORDER BY key DESC LIMIT ?"
            keys = self._column(query, str(path), ask.before.key, most)
            return Cut(keys[-ask.size :], len(keys) == most, is_something_behind=True, total=total)
        least = -(2**63) if ask.after is None else ask.after.key
        keys = self._column(f"SELECT key FROM {of_list} WHERE key > ? ORDER BY key LIMIT ?", str(path), least, most)
        return Cut(keys[: ask.size], ask.after is not None, len(keys) == most, total)

    def rows(self, path: Path, query: str, *values: str | int) -> list[tuple[Any, ...]]:
        """Return the answer to a small question.

        Args:
            path: The ``list.parquet``: ``read_parquet(?)``, the first place to bind.
            query: SQL of ours.
            values: What else is bound, in order.
        """
        return self._cursors.mine().execute(query, [str(path), *values]).fetchall()

    def _column(self, query: str, *values: str | int) -> Keys:
        """Return the column ``key`` of an answer, ascending."""
        found = self._cursors.mine().execute(query, list(values)).fetchnumpy()["key"]
        return np.sort(np.asarray(found, dtype=np.int64))

    def _kept_or(self, asked: Hashable, find: Callable[[], Keys]) -> Keys:
        """Return what was found before, or find it now; whoever asks the same meanwhile finds it too."""
        with self._lock:
            if asked in self._kept:
                self._kept.move_to_end(asked)
                return self._kept[asked]
        keys = find()
        with self._lock:
            self._kept[asked] = keys
            while len(self._kept) > 1 and sum(kept.nbytes for kept in self._kept.values()) > MOST_KEPT_BYTES:
                self._kept.popitem(last=False)
        return keys
