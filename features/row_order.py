"""The order of rows that occurred and became known at the same moments.

A timeline is sorted by (lead, occurred, known). What still ties is ordered by id; a made-up id
orders nothing, so there the whole row decides, and shuffling a source changes nothing. Ties are
few, so they are settled after the sort: sorting everything by every column costs several times more.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

TIE = ("lead_no", "occurred_at", "known_at")
"""The columns by which rows come sorted."""


def settled(batches: Iterable[pa.Table], *, by: Sequence[str]) -> Iterator[pa.Table]:
    """Yield the rows of *batches* with ties in order.

    Args:
        batches: Rows sorted by `TIE`.
        by: The columns that order ties, nulls last.
    """
    held: pa.Table | None = None
    for batch in batches:
        rows = batch if held is None else pa.concat_tables([held, batch])
        # The last moment may go on in the next batch: it waits for it.
        begin = _last_tie(rows)
        if begin:
            yield settle(rows.slice(0, begin), by=by)
        held = rows.slice(begin)
    if held is not None:
        yield settle(held, by=by)


def settle(rows: pa.Table, *, by: Sequence[str]) -> pa.Table:
    """Return *rows*, sorted by `TIE`, with their ties ordered by the columns *by*, nulls last."""
    equal = _equals_next(rows)
    tied = np.zeros(len(rows), dtype=np.bool_)
    tied[:-1] |= equal
    tied[1:] |= equal
    if not tied.any():
        return rows
    places = np.flatnonzero(tied)
    few = rows.take(pa.array(places))
    order = pc.sort_indices(few, sort_keys=[(name, "ascending") for name in (*TIE, *by)])
    everywhere = np.arange(len(rows))
    everywhere[places] = places[order.to_numpy()]
    return rows.take(pa.array(everywhere))


def _equals_next(rows: pa.Table) -> npt.NDArray[np.bool_]:
    equal = np.ones(max(len(rows) - 1, 0), dtype=np.bool_)
    for name in TIE:
        values = pc.cast(rows[name], pa.int64()).to_numpy()
        equal &= values[1:] == values[:-1]
    return equal


def _last_tie(rows: pa.Table) -> int:
    """Return where the run of rows begins that tie with the last one."""
    differs = np.flatnonzero(~_equals_next(rows))
    return int(differs[-1]) + 1 if len(differs) else 0
