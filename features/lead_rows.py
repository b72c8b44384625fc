"""Leads without a history: one row each, with attributes, and whether it converted.

It is the training table of timelines with one snapshot per lead. What differs is what is known of time:

* *date*: a lead is asked about when it came in; with a horizon, its label closes that much later;
* *rows*: there are no dates, and row after row is later; row n stands for the n-th second of 1970, so that a row keeps
  its moment when more rows are added;
* neither: all leads are asked about at once, when the table was read.

Where no horizon says when a label closed, it closed right after the question.

Example: with a horizon of 90 days, a lead that came in on 2018-03-01 and was won on 2018-05-20 converted; its label
closed on 2018-05-30, and a model that is judged on leads from 2018-05-01 on may not learn from it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from features import moments
from features.catalog import Feature
from features.matrix import FeatureTable
from features.timeline import Int64Array, timestamps

Bools = npt.NDArray[np.bool_]

_AT_ONCE = 1
"""Microseconds after the question at which a label closed that no horizon holds open."""


@dataclass(frozen=True)
class LeadRows:
    """One row per lead; every column has shape ``(n_leads,)``.

    Attributes:
        lead_id: The leads, each once.
        place: Number of its row, from 1 on.
        date: When it came in, microseconds (UTC); zeros where the table has no dates.
        label: Whether it converted; null where that is open, or where the table tells when instead.
        converted_at: When it converted, microseconds; `moments.NEVER` where it has not.
        attributes: One column per attribute: strings, or float64.
    """

    lead_id: pa.Array
    place: Int64Array
    date: Int64Array
    label: pa.Array
    converted_at: Int64Array
    attributes: pa.Table

    def __len__(self) -> int:
        """Return the number of leads."""
        return len(self.lead_id)

    def take(self, rows: Int64Array) -> LeadRows:
        """Return the leads at positions *rows*."""
        at = pa.array(rows)
        return LeadRows(
            self.lead_id.take(at),
            self.place[rows],
            self.date[rows],
            self.label.take(at),
            self.converted_at[rows],
            self.attributes.take(at),
        )


@dataclass(frozen=True)
class Timing:
    """What is known of time.

    Attributes:
        order: ``date``, ``rows``, or empty where nothing is.
        data_until: Until when the table tells what happened, microseconds (UTC).
        horizon_days: Days after the date within which a conversion counts; 0 = whenever it happened.
        tells_when: Whether the table says when leads converted, instead of whether.
    """

    order: Literal["date", "rows", ""]
    data_until: int
    horizon_days: int = 0
    tells_when: bool = False

    def as_of(self, rows: LeadRows) -> Int64Array:
        """Return when each lead is asked about, microseconds (UTC)."""
        if self.order == "date":
            return rows.date
        return rows.place * moments.SECOND if self.order == "rows" else np.full(len(rows), self.data_until)

    def ends_at(self, as_of: Int64Array) -> Int64Array:
        """Return when each label closes."""
        return as_of + (self.horizon_days * moments.DAY or _AT_ONCE)


def training_table(
    rows: LeadRows, timing: Timing, features: Sequence[Feature], *, beside: Sequence[Feature] = ()
) -> FeatureTable:
    """Return every lead whose label is known and closed, with its attributes.

    Args:
        rows: The leads, in any order.
        timing: What is known of time.
        features: The attributes that the model reads.
        beside: Attributes for judges alone.

    Returns:
        One row per lead, sorted by lead id.
    """
    as_of = timing.as_of(rows)
    ends_at = timing.ends_at(as_of)
    known, converted = _outcomes(rows, timing, as_of, ends_at)
    if timing.horizon_days:
        known &= moments.is_ripe(as_of, ends_at, data_from=moments.ALWAYS, data_until=timing.data_until)
    chosen = _by_lead(rows, known)
    ripe = rows.take(chosen)
    labels = {
        "converted": converted[chosen],
        "converted_at": timestamps(np.where(converted, rows.converted_at, moments.NEVER)[chosen]),
        "decided_at": timestamps(ends_at[chosen]),
        "is_ripe": np.ones(len(chosen), dtype=np.bool_),
    }
    return FeatureTable(
        keys=_keys(ripe, as_of[chosen]),
        columns=attributes_of(ripe, features),
        features=tuple(features),
        labels=pa.table(labels),
        beside=attributes_of(ripe, beside) if beside else None,
    )


def waiting_table(
    rows: LeadRows, timing: Timing, features: Sequence[Feature], *, as_of: int, beside: Sequence[Feature] = ()
) -> FeatureTable:
    """Return the leads that wait for an answer at *as_of*.

    Without a horizon these are the leads without a label; with one, those that came in by then, whose label has not
    closed, and that are not known to have converted.

    Args:
        rows: The leads, in any order.
        timing: What is known of time.
        features: The attributes that the model reads.
        as_of: The moment of scoring, microseconds (UTC).
        beside: Attributes for rules alone.

    Returns:
        One row per lead, sorted by lead id, without labels; a lead with a date is asked about at its date.
    """
    asked = timing.as_of(rows) if timing.order == "date" else np.full(len(rows), as_of)
    waits = ~_has_converted(rows, timing, now=as_of)
    if timing.horizon_days:
        waits &= moments.is_open(asked, timing.ends_at(asked), now=as_of)
    else:
        waits &= moments.exists(asked, as_of) & np.asarray(pc.is_null(rows.label))
    chosen = _by_lead(rows, waits)
    waiting = rows.take(chosen)
    return FeatureTable(
        _keys(waiting, asked[chosen]),
        attributes_of(waiting, features),
        tuple(features),
        beside=attributes_of(waiting, beside) if beside else None,
    )


def every_lead(rows: LeadRows, timing: Timing, features: Sequence[Feature], *, as_of: int) -> FeatureTable:
    """Return all leads, whether or not they have an outcome, without labels.

    Args:
        rows: The leads, in any order.
        timing: What is known of time.
        features: The attributes to return.
        as_of: The moment that leads without a date are asked about, microseconds (UTC).

    Returns:
        One row per lead, sorted by lead id.
    """
    asked = timing.as_of(rows) if timing.order == "date" else np.full(len(rows), as_of)
    order = _by_lead(rows, np.ones(len(rows), dtype=np.bool_))
    everyone = rows.take(order)
    return FeatureTable(_keys(everyone, asked[order]), attributes_of(everyone, features), tuple(features))


def _outcomes(rows: LeadRows, timing: Timing, as_of: Int64Array, ends_at: Int64Array) -> tuple[Bools, Bools]:
    """Return whether each lead's outcome is known, and whether it converted."""
    if timing.tells_when:
        converted = moments.are_in_label_windows(rows.converted_at, as_of, ends_at)
        return np.ones(len(rows), dtype=np.bool_), converted
    return np.asarray(pc.is_valid(rows.label)), np.asarray(rows.label.fill_null(False))


def _has_converted(rows: LeadRows, timing: Timing, *, now: int) -> Bools:
    if timing.tells_when:
        return np.asarray(moments.is_past(rows.converted_at, now))  # type: ignore[arg-type]  # one by one
    return np.asarray(rows.label.fill_null(False))


def _by_lead(rows: LeadRows, chosen: Bools) -> Int64Array:
    """Return the positions of the chosen rows by lead id: the table's own order changes nothing."""
    order = np.asarray(pc.sort_indices(rows.lead_id), dtype=np.int64)
    return order[chosen[order]]


def _keys(rows: LeadRows, as_of: Int64Array) -> pa.Table:
    nobody = pa.nulls(len(rows), pa.string())
    return pa.table({"lead_id": rows.lead_id, "as_of": timestamps(as_of), "trigger_id": nobody})


def attributes_of(rows: LeadRows, features: Sequence[Feature]) -> pa.Table:
    """Return the attribute that each feature measures, as the matrix holds columns."""
    columns = {}
    for feature in features:
        column = rows.attributes[feature.measure.column if feature.measure else feature.name]
        if feature.kind == "category":
            columns[feature.name] = column.cast(pa.string()).combine_chunks().dictionary_encode()
        else:
            columns[feature.name] = column.cast(pa.float64()).fill_null(np.nan)
    return pa.table(columns)
