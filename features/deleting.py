"""Deleting the future: timelines as they would be had the shop closed at a moment.

The rule is the plainest there is: a row stays if it was known before the moment. Nothing of the sweep is used, so the
sweep can be checked by it. Each lead has a moment of its own, so that one recount tests many as-ofs at their edge.

Example: with its cut at 1 March, of a lead's visits of 27 February and 2 March the first stays; an order of January
that was corrected on 5 March is read as before the correction, and as if nothing would ever correct it.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from features import moments
from features.matrix import FeatureTable
from features.snapshots import Snapshots
from features.timeline import Int64Array, Timelines, microseconds, timestamps


def only_leads(timelines: Timelines, wanted: npt.NDArray[np.bool_]) -> Timelines:
    """Return the timelines with the rows of some leads only; the list of leads stays whole, so numbers stay valid.

    Args:
        timelines: A bucket.
        wanted: Which of its leads to keep, shape ``(n_leads,)``.
    """
    kept = {name: table.filter(pa.array(wanted[_places(timelines, table)])) for name, table in timelines.tables.items()}
    return replace(timelines, tables=kept)


def without_future(timelines: Timelines, cut: Int64Array) -> Timelines:
    """Return what was known of each lead before its own moment.

    Args:
        timelines: A bucket.
        cut: Per lead the moment at which its future begins, microseconds, shape ``(n_leads,)``.
    """
    return replace(timelines, tables={name: _past(timelines, table, cut) for name, table in timelines.tables.items()})


def _past(timelines: Timelines, table: pa.Table, cut: Int64Array) -> pa.Table:
    is_kept = moments.is_known_before(microseconds(table["known_at"]), cut[_places(timelines, table)])
    kept = table.filter(pa.array(is_kept))
    superseded = microseconds(kept["superseded_at"])
    # Nobody knows yet that a row will be replaced.
    told = moments.is_known_before(superseded, cut[_places(timelines, kept)])
    place = kept.schema.get_field_index("superseded_at")
    return kept.set_column(place, "superseded_at", timestamps(np.where(told, superseded, moments.NEVER)))


def cuts(snapshots: Snapshots, *, n_leads: int, first_lead_no: int, chosen: npt.NDArray[np.float64]) -> Int64Array:
    """Return one as_of of each lead as its cut, shape ``(n_leads,)``; leads without snapshots get none of their rows.

    Args:
        snapshots: Sorted by (lead_no, as_of).
        n_leads: How many leads the bucket has.
        first_lead_no: The smallest lead number.
        chosen: Per lead, which of its as-ofs: 0 = the first … 1 = the last, shape ``(n_leads,)``.
    """
    places = snapshots.lead_no - first_lead_no
    begin = np.searchsorted(places, np.arange(n_leads))
    count = np.bincount(places, minlength=n_leads)
    which = np.minimum(begin + np.floor(chosen * count), begin + count - 1).astype(np.int64)
    found = np.full(n_leads, moments.ALWAYS, dtype=np.int64)
    found[count > 0] = snapshots.as_of[which[count > 0]]
    return found


def asked_at(snapshots: Snapshots, cut: Int64Array, *, first_lead_no: int) -> npt.NDArray[np.bool_]:
    """Return which snapshots lie exactly at their lead's cut, shape ``(n,)``: all that was deleted is their future."""
    return snapshots.as_of == cut[snapshots.lead_no - first_lead_no]


def differing(one: FeatureTable, other: FeatureTable) -> dict[str, npt.NDArray[np.bool_]]:
    """Return, for each feature of *one* that is not bitwise the same in *other*, the rows in which it differs.

    Args:
        one: Snapshots in some order.
        other: The same snapshots in the same order; a feature that it lacks is not compared.
    """
    shared = [name for name in one.columns.column_names if name in other.columns.column_names]
    found = {name: ~_equal(one.columns[name], other.columns[name]) for name in shared}
    return {name: rows for name, rows in found.items() if rows.any()}


def _equal(one: pa.ChunkedArray, other: pa.ChunkedArray) -> npt.NDArray[np.bool_]:
    if pa.types.is_floating(one.type):
        a, b = (np.ascontiguousarray(column.to_numpy(), dtype=np.float64) for column in (one, other))
        return (a.view(np.int64) == b.view(np.int64)) | (np.isnan(a) & np.isnan(b))
    texts = [column.cast(pa.string()).to_pylist() for column in (one, other)]
    return np.asarray([a == b for a, b in zip(*texts, strict=True)], dtype=np.bool_)


def _places(timelines: Timelines, table: pa.Table) -> Int64Array:
    return np.asarray(table["lead_no"].to_numpy(), dtype=np.int64) - timelines.first_lead_no
