"""The files of one stored run: all rows, the list to find and show them by, and a note about the whole.

::

    part.parquet   every column of every row, in order of rank, those without a score last
    list.parquet   all of the list (`LIST_COLUMNS`), in large row groups: filters and orders scan columns whole
    list.arrow     what a page shows (`SHOWN_COLUMNS`), in small blocks: any fifty rows are read in milliseconds
    search.arrow   what a search looks into, uncompressed, to be mapped into memory
    keys.npy       the keys of leads, ascending, and the positions of their rows: uint64 (2, n_rows)
    run.json       `RunInfo`

The tables have the same rows in the same order; in a run that an older version stored, the part has an order of its
own.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipeline.published.compared import NOTHING_BEFORE, RunBefore
from pipeline.published.damage import DamagedError
from pipeline.published.list_columns import LIST_SCHEMA, SEARCH_SCHEMA, SHOWN_SCHEMA, ListOfRun
from pipeline.published.run_info import Census, RunInfo, read_info

PART: Final = "part.parquet"
LIST: Final = "list.parquet"
SHOWN: Final = "list.arrow"
SEARCH: Final = "search.arrow"
KEYS: Final = "keys.npy"
INFO: Final = "run.json"
LIST_FILES: Final = (INFO, KEYS, SEARCH, SHOWN, LIST)
"""All but the part; whoever sees the last of them sees all."""
SCORED_AT: Final = "leadlight.scored_at"
"""What the part's own metadata call the moment at which it was scored."""

PART_ROW_GROUP: Final = 4_096
LIST_ROW_GROUP: Final = 131_072
ROWS_PER_SHOWN_BLOCK: Final = 64
"""Fifty rows from anywhere are fifty blocks; smaller ones are read faster and fill more of the disk."""
_BLOCK_OF: Final = b"leadlight.rows_per_block"
_BLOCK_BEFORE: Final = 128
"""What runs of before this was kept have."""

_BLOCK: Final = LIST_ROW_GROUP
_ORDER: Final = (("rank", "ascending"), ("lead_id", "ascending"), ("trigger_id", "ascending"))
_UNLIKE_EACH_OTHER: Final = frozenset({"position", "rank", "lead_key", "lead_id", "email", "phone", "search"})
"""Columns whose values hardly repeat: a dictionary of them would only be in the way."""
_SCANNED: Final = frozenset({"position", "search", "change", "name_order", "company_order", "fit", "engagement"})
"""Columns that a question reads whole: these are not compressed."""


@dataclass(frozen=True)
class RunNotes:
    """What is known of a run beside its rows.

    Attributes:
        labels: The wording of stages, plays and segments as configured now.
        data_until: Until when each table tells what happened (ISO).
    """

    labels: Mapping[str, Any] = field(default_factory=dict)
    data_until: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class RunHead:
    """What tells a run from others.

    Attributes:
        as_of: Its moment, microseconds (UTC).
        model_version: The model that scored.
        scored_at: When; None where an old run does not say.
        is_new: False where an older version wrote its part, which is left as it is.
    """

    as_of: int
    model_version: str
    scored_at: datetime | None
    is_new: bool = True


def scored_at(part: Path) -> datetime | None:
    """Return when the run in the file *part* was scored (aware); None where an old run does not say."""
    said = (pq.read_schema(part).metadata or {}).get(SCORED_AT.encode())
    return None if said is None else datetime.fromisoformat(said.decode())


def in_order_of_rank(scores: pa.Table) -> pa.Array:
    """Return the rows of *scores* in order of rank, those without one last; ids settle ties."""
    by = [key for key in _ORDER if key[0] in scores.column_names]
    return pc.sort_indices(scores, sort_keys=by)


def is_whole(folder: Path) -> bool:
    """Return whether the files of a run that are in *folder* can be opened; those beside the part may be missing."""
    with suppress(OSError, ValueError, pa.ArrowException, DamagedError):
        for table in (PART, LIST):
            if table == PART or (folder / table).exists():
                pq.read_metadata(folder / table)
        for table in (SHOWN, SEARCH):
            if (folder / table).exists():
                with pa.OSFile(str(folder / table)) as file:
                    pa.ipc.open_file(file)
        if (folder / KEYS).exists():
            np.load(folder / KEYS, mmap_mode="r", allow_pickle=False)
        if (folder / INFO).exists():
            read_info(folder / INFO)
        return True
    return False


def write_run(
    folder: Path,
    scores: pa.Table,
    head: RunHead,
    *,
    people: pa.Table | None = None,
    personal: Collection[str] = (),
    before: RunBefore = NOTHING_BEFORE,
    notes: RunNotes | None = None,
) -> None:
    """Write the files of a run into *folder*, which exists.

    Rows are put in order block by block, so the run lies in memory once.

    Args:
        folder: Where to.
        scores: The run, in any order.
        head: What tells it from others.
        people: See `ListOfRun`.
        personal: See `ListOfRun`.
        before: The run published before.
        notes: What is known of the run beside its rows.
    """
    order = in_order_of_rank(scores)
    listed = ListOfRun(scores, order, people=people, personal=personal, before=before)
    census, notes, keys = Census(), notes or RunNotes(), []
    with ExitStack() as files:
        part = files.enter_context(_part_writer(folder, scores, head.scored_at)) if head.is_new else None
        found_by = files.enter_context(_list_writer(folder))
        in_blocks = SHOWN_SCHEMA.with_metadata({_BLOCK_OF: str(ROWS_PER_SHOWN_BLOCK)})
        shown = files.enter_context(_arrow_writer(folder / SHOWN, in_blocks, compression="lz4"))
        searched = files.enter_context(_arrow_writer(folder / SEARCH, SEARCH_SCHEMA, compression=None))
        for start, rows in _blocks(scores, order):
            block = listed.block(start, rows)
            census.add(block)
            if part is not None:
                part.write_table(rows, row_group_size=PART_ROW_GROUP)
            found_by.write_table(block, row_group_size=LIST_ROW_GROUP)
            shown.write_table(block.select(SHOWN_SCHEMA.names), max_chunksize=ROWS_PER_SHOWN_BLOCK)
            searched.write_table(block.select(SEARCH_SCHEMA.names))
            keys.append(block["lead_key"].to_numpy())
    _write_keys(folder / KEYS, keys)
    info = RunInfo(
        as_of=head.as_of,
        model_version=head.model_version,
        scored_at="" if head.scored_at is None else head.scored_at.isoformat(),
        data_until=notes.data_until or _least_data_until(scores),
        rows=census.rows,
        scored=census.scored,
        expected_conversions=census.expected_conversions,
        compared_with=before.head,
        labels=notes.labels,
        choices=census.choices(),
        is_in_order=head.is_new,
    )
    (folder / INFO).write_text(info.as_json(), encoding="utf-8")


def rows_per_block(shown: pa.Schema) -> int:
    """Return how many rows a block of a ``list.arrow`` has, the last one apart."""
    said = (shown.metadata or {}).get(_BLOCK_OF)
    return _BLOCK_BEFORE if said is None else int(said)


def _blocks(scores: pa.Table, order: pa.Array) -> Iterator[tuple[int, pa.Table]]:
    for start in range(0, len(order), _BLOCK):
        yield start, scores.take(order.slice(start, _BLOCK)).combine_chunks()


def _part_writer(folder: Path, scores: pa.Table, scored_at: datetime | None) -> pq.ParquetWriter:
    note = None if scored_at is None else {SCORED_AT: scored_at.isoformat()}
    return pq.ParquetWriter(folder / PART, scores.schema.with_metadata(note), compression="zstd")


def _list_writer(folder: Path) -> pq.ParquetWriter:
    return pq.ParquetWriter(
        folder / LIST,
        LIST_SCHEMA,
        compression={path: "none" if path in _SCANNED else "lz4" for path in _leaves(LIST_SCHEMA)},
        use_dictionary=[path for path in _leaves(LIST_SCHEMA) if path not in _UNLIKE_EACH_OTHER | _SCANNED],
    )


def _leaves(schema: pa.Schema) -> list[str]:
    """Return how Parquet calls the columns that hold values."""
    leaves = []
    for column in schema:
        if not pa.types.is_list(column.type):
            leaves.append(column.name)
        elif pa.types.is_struct(column.type.value_type):
            leaves += [f"{column.name}.list.element.{inner.name}" for inner in column.type.value_type]
        else:
            leaves.append(f"{column.name}.list.element")
    return leaves


def _arrow_writer(path: Path, schema: pa.Schema, *, compression: str | None) -> pa.ipc.RecordBatchFileWriter:
    return pa.ipc.new_file(path, schema, options=pa.ipc.IpcWriteOptions(compression=compression, use_threads=False))


def _write_keys(path: Path, blocks: Sequence[npt.NDArray[np.uint64]]) -> None:
    keys = np.concatenate(blocks) if blocks else np.empty(0, np.uint64)
    order = np.argsort(keys, kind="stable")
    np.save(path, np.stack([keys[order], order.astype(np.uint64)]))


def _least_data_until(scores: pa.Table) -> dict[str, str]:
    if "data_until" not in scores.column_names:
        return {}
    least = pc.min(scores["data_until"]).as_py()
    return {} if least is None else {"": least.isoformat()}
