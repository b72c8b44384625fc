"""The contestants by name: how each is run, and how its finished frame is read.

Imports happen inside, so that a contestant's process loads no other contestant.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

if TYPE_CHECKING:
    from pathlib import Path

    import polars as pl

    from benchmarks.features.cases import Case
    from benchmarks.features.compare import Finished
    from features.matrix import FeatureTable

OURS = "leadlight"
PEERS = ("polars", "duckdb")
NAMES = (*PEERS, OURS)


@dataclass(frozen=True)
class Entry:
    """A contestant ready to run: everything imported and compiled, nothing read yet.

    Attributes:
        run: From files to a finished frame in memory; this is what is timed.
        read: Reads what `run` returned.
    """

    run: Callable[[Path, Case], Any]
    read: Callable[[Any], Finished]


@dataclass(frozen=True)
class PeerFrame:
    """A peer's frame as an Arrow table with ``lead_no`` and ``as_of`` in front."""

    table: pa.Table

    def lead_no(self) -> npt.NDArray[np.int64]:
        """Return the lead number per row, shape ``(n,)``."""
        return np.asarray(self.table["lead_no"].to_numpy(), dtype=np.int64)

    def as_of_us(self) -> npt.NDArray[np.int64]:
        """Return the as_of per row in microseconds, shape ``(n,)``."""
        return np.asarray(self.table["as_of"].to_numpy(), dtype=np.int64)

    def column(self, name: str) -> pa.ChunkedArray:
        """Return a feature, ``(n,)`` values."""
        return self.table[name]


@dataclass(frozen=True)
class OurFrame:
    """This project's frame; lead ids are ``lead-`` and the lead number."""

    table: FeatureTable

    def lead_no(self) -> npt.NDArray[np.int64]:
        """Return the lead number per row, shape ``(n,)``."""
        lead_id = self.table.keys["lead_id"]
        if pa.types.is_dictionary(lead_id.type):
            return np.concatenate(
                [_lead_numbers(chunk.dictionary)[chunk.indices.to_numpy()] for chunk in lead_id.chunks]
            )
        return _lead_numbers(lead_id)

    def as_of_us(self) -> npt.NDArray[np.int64]:
        """Return the as_of per row in microseconds, shape ``(n,)``."""
        return np.asarray(self.table.keys["as_of"].cast(pa.int64()).to_numpy(), dtype=np.int64)

    def column(self, name: str) -> pa.ChunkedArray:
        """Return a feature, ``(n,)`` values."""
        return self.table.columns[name]


def formulations(name: str) -> tuple[str, ...]:
    """Return the ways in which a peer is written; the project has one."""
    if name == "polars":
        from benchmarks.features import polars_peer

        return tuple(polars_peer.FORMULATIONS)
    if name == "duckdb":
        from benchmarks.features import duckdb_peer

        return tuple(duckdb_peer.FORMULATIONS)
    return ("sweep",)


def best_formulation(name: str, case: str) -> str:
    """Return the fastest of a peer's formulations for *case*, as measured."""
    if name == "polars":
        from benchmarks.features import polars_peer

        return polars_peer.BEST[case]
    if name == "duckdb":
        from benchmarks.features import duckdb_peer

        return duckdb_peer.BEST[case]
    return "sweep"


def enter(name: str, formulation: str) -> Entry:
    """Return the contestant *name*, written as *formulation*."""
    if name == "polars":
        from benchmarks.features import polars_peer

        return Entry(lambda folder, case: polars_peer.run(folder, case, formulation=formulation), _from_polars)
    if name == "duckdb":
        from benchmarks.features import duckdb_peer

        return Entry(lambda folder, case: duckdb_peer.run(folder, case, formulation=formulation), PeerFrame)
    from benchmarks.features import leadlight_entry

    return Entry(leadlight_entry.run, OurFrame)


def _from_polars(frame: pl.DataFrame) -> PeerFrame:
    return PeerFrame(frame.to_arrow())


def _lead_numbers(lead_id: pa.Array | pa.ChunkedArray) -> npt.NDArray[np.int64]:
    digits = pc.utf8_slice_codeunits(lead_id, start=len("lead-"))
    return np.asarray(digits.cast(pa.int64()).to_numpy(), dtype=np.int64)
