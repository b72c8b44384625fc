"""DuckDB over the list of a run: which leads an ask means, in its order, and tallies of all of them.

Questions go to the Parquet file as it lies there; answers are sorted keys, so that any page of an ask is a slice. They
are kept for the next page and the next reader, within a bound of memory.
"""

# ruff: noqa: S608 - names of columns are ours; whatever comes from outside is bound

from __future__ import annotations

import threading
from collections import OrderedDict
from pathlib import Path
from typing import Any, Final

import duckdb
import numpy as np
import numpy.typing as npt

from pipeline.published.conditions import Condition
from pipeline.published.sorts import key_sql

MOST_KEPT_BYTES: Final = 128_000_000
"""Of sorted keys: those of one million leads take eight million."""
_SETTINGS: Final[dict[str, str | bool | int | float | list[str]]] = {
    "threads": 2,
    "memory_limit": "512MB",
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
}


class Finder:
    """Finds leads in lists; one serves all threads of a process."""

    def __init__(self) -> None:
        self._connection = duckdb.connect(config=_SETTINGS)
        self._connection.execute("SET parquet_metadata_cache = true")
        self._of_thread = threading.local()
        self._lock = threading.Lock()
        self._kept: OrderedDict[tuple[str, Condition, str], npt.NDArray[np.int64]] = OrderedDict()

    def keys(self, path: Path, condition: Condition, sort: str, *, edition: str) -> npt.NDArray[np.int64]:
        """Return the sorted keys (`pipeline.published.sorts`) of the leads that a condition leaves.

        Args:
            path: The ``list.parquet``.
            condition: Which leads.
            sort: In which order.
            edition: What the file says, for what is kept: two files under one path are two editions.
        """
        asked = (edition, condition, sort)
        with self._lock:
            if asked in self._kept:
                self._kept.move_to_end(asked)
                return self._kept[asked]
        query = f"SELECT {key_sql(sort)} AS key FROM read_parquet(?) {condition.where}"
        found = self._cursor().execute(query, [str(path), *condition.values]).fetchnumpy()["key"]
        keys = np.sort(np.asarray(found, dtype=np.int64))
        with self._lock:
            self._kept[asked] = keys
            while len(self._kept) > 1 and sum(kept.nbytes for kept in self._kept.values()) > MOST_KEPT_BYTES:
                self._kept.popitem(last=False)
        return keys

    def rows(self, path: Path, query: str, *values: str | int) -> list[tuple[Any, ...]]:
        """Return the answer to a small question.

        Args:
            path: The ``list.parquet``: ``read_parquet(?)``, the first place to bind.
            query: SQL of ours.
            values: What else is bound, in order.
        """
        return self._cursor().execute(query, [str(path), *values]).fetchall()

    def _cursor(self) -> duckdb.DuckDBPyConnection:
        """Return this thread's own connection to the one DuckDB."""
        if not hasattr(self._of_thread, "cursor"):
            with self._lock:
                self._of_thread.cursor = self._connection.cursor()
        cursor: duckdb.DuckDBPyConnection = self._of_thread.cursor
        return cursor
