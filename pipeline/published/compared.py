"""What the run before said of the same leads: score, grade and temperature, by lead and trigger."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from models.lead_hash import lead_hash
from models.mixing import mixed

_COMPARED: Final = ("score", "grade", "temperature")


@dataclass(frozen=True)
class RunBefore:
    """The run that was published before.

    Attributes:
        pairs: `pair_keys` of its rows, uint64 ``(n_rows,)``.
        columns: ``score``, ``grade`` and ``temperature`` of the same rows.
        head: Its ``as_of`` and ``model_version``; None before the first run.
    """

    pairs: pa.Array
    columns: pa.Table
    head: Mapping[str, Any] | None = None

    def of(self, pairs: npt.NDArray[np.uint64]) -> dict[str, pa.Array]:
        """Return ``previous_score``, ``previous_grade`` and ``previous_temperature`` of *pairs*; null = not there."""
        at = pc.index_in(pa.array(pairs), value_set=self.pairs)
        return {f"previous_{name}": self.columns[name].combine_chunks().take(at) for name in _COMPARED}


def pair_keys(keys: npt.NDArray[np.uint64], triggers: pa.ChunkedArray | None) -> npt.NDArray[np.uint64]:
    """Return one number per lead and trigger: the same pair has the same one in every run.

    Args:
        keys: Keys of the leads, ``(n_rows,)``.
        triggers: Ids of the triggers, null = none; None = none at all.
    """
    if triggers is None or triggers.null_count == len(triggers):
        return keys
    of_trigger = np.where(np.asarray(pc.is_null(triggers)), np.uint64(0), mixed(lead_hash(triggers)))
    return keys ^ of_trigger


def run_before(path: Path, *, head: Mapping[str, Any]) -> RunBefore:
    """Return what the list at *path* says, as the run before.

    Args:
        path: A ``list.parquet``.
        head: The ``as_of`` and ``model_version`` of its run.
    """
    table = pq.read_table(path, columns=["lead_key", "trigger_id", *_COMPARED], partitioning=None)
    pairs = pair_keys(table["lead_key"].to_numpy(), table["trigger_id"])
    return RunBefore(pa.array(pairs), table.select(list(_COMPARED)), head)


_NONE: Final = {"score": pa.int64(), "grade": pa.string(), "temperature": pa.string()}
NOTHING_BEFORE: Final = RunBefore(pa.array([], pa.uint64()), pa.schema(_NONE).empty_table())
"""Before the first run."""
