"""How long before and after the rows of each signal the lead converts.

A signal is the rows of a table that some feature looks at (the checkouts among the events), or the moments at which an
attribute changed. Rows are taken as they stand in the tables, by when they are said to have occurred: it is that clock
which is doubted here.

Example: a checkout of 1 March 10:00, orders on 10 February and on 4 March 10:00: 3 days to the next conversion, 18
since the one before.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from features import columns, conditions, moments
from features.catalog import Feature
from features.conditions import Conditions
from features.labels import Conversion, conversion_rows
from features.plan import DIRECT
from features.timeline import Int64Array, Timelines, microseconds
from features.units import scale_of

Floats = npt.NDArray[np.float64]

ATTRIBUTES = "attributes"
_SHOWN = 4
"""Operands of a condition that a signal's name spells out."""
_SECONDS_A_DAY = moments.DAY // moments.SECOND


@dataclass(frozen=True)
class Signal:
    """Rows that say something happened.

    Attributes:
        name: In words: "events with type = checkout", "a change of stage".
        table: Their table.
        where: Which of its rows.
        column: For attributes: the one whose changes are meant; else empty.
        features: Names of the features that look at these rows.
    """

    name: str
    table: str
    where: Conditions = ()
    column: str = ""
    features: tuple[str, ...] = ()


@dataclass(frozen=True)
class Lags:
    """The rows of one signal beside the conversions of their leads, shape ``(n_rows,)`` each.

    Attributes:
        signal: Which signal.
        lead: Number of the row's lead.
        to_next: Days until the lead's next conversion at or after the row; infinite where there is none.
        since_last: Days since its conversion before the row; infinite where there is none.
        followed: Days from the row to the end of the conversions' data: so long it was looked after.
        preceded: Days from the begin of the conversions' data to the row.
    """

    signal: Signal
    lead: Int64Array
    to_next: Floats
    since_last: Floats
    followed: Floats
    preceded: Floats


def signals(features: Sequence[Feature]) -> tuple[Signal, ...]:
    """Return the signals that *features* look at, each once, in the catalog's order."""
    readers: dict[tuple[str, Conditions, str], list[str]] = {}
    for feature in features:
        measure = feature.measure
        if measure is None or measure.kind in DIRECT:
            continue
        column = measure.column if measure.table == ATTRIBUTES else ""
        for where in {measure.where, measure.of} - ({()} if measure.where else set()):
            readers.setdefault((measure.table, where, column), []).append(feature.name)
    return tuple(
        Signal(_named(table, where, column), table, where, column, tuple(names))
        for (table, where, column), names in readers.items()
    )


def conversions(timelines: Timelines, conversion: Conversion) -> tuple[Int64Array, Int64Array]:
    """Return lead number and moment of every conversion, each once, sorted: shapes ``(n_conversions,)``."""
    rows = conversion_rows(timelines, conversion)
    pairs = np.column_stack([rows["lead_no"].to_numpy(), microseconds(rows["occurred_at"])])
    distinct = np.unique(pairs.astype(np.int64).reshape(-1, 2), axis=0)
    return distinct[:, 0], distinct[:, 1]


def lags(timelines: Timelines, signal: Signal, conversion: Conversion) -> Lags:
    """Return the rows of *signal* that are no conversions themselves, beside the conversions of their leads."""
    lead, occurred = _rows(timelines, signal, conversion)
    of_lead, converted_at = conversions(timelines, conversion)
    span = timelines.coverage[conversion.table]
    # One ascending number per (lead, second), so that one search finds the neighbours of all rows.
    times = np.concatenate([occurred, converted_at])
    first = int(times.min(initial=span.data_from)) // moments.SECOND * moments.SECOND
    step = (int(times.max(initial=span.data_until)) - first) // moments.SECOND + 2
    place = (lead - timelines.first_lead_no) * step + (occurred - first) // moments.SECOND
    known = np.sort((of_lead - timelines.first_lead_no) * step + (converted_at - first) // moments.SECOND)
    after = np.searchsorted(known, place)
    padded = np.concatenate([[-2 * step], known, [np.iinfo(np.int64).max // 2]])
    to_next, since_last = (padded[after + 1] - place) / _SECONDS_A_DAY, (place - padded[after]) / _SECONDS_A_DAY
    same = (padded // step)[np.stack([after + 1, after])] == (place // step)
    return Lags(
        signal,
        lead,
        np.where(same[0], to_next, np.inf),
        np.where(same[1], since_last, np.inf),
        (span.data_until - occurred) / moments.DAY,
        (occurred - span.data_from) / moments.DAY,
    )


def _rows(timelines: Timelines, signal: Signal, conversion: Conversion) -> tuple[Int64Array, Int64Array]:
    table = timelines.tables[signal.table]
    scales = {name: scale_of(name) for name in table.column_names}
    met = conditions.mask(signal.where, table, scales=scales)
    if signal.table == conversion.table:
        met &= ~conditions.mask(conversion.where, table, scales=scales)
    lead = np.asarray(table["lead_no"].to_numpy(), dtype=np.int64)
    occurred = microseconds(table["occurred_at"])
    if signal.column:
        met &= _changes(table, signal.column)
    pairs = np.unique(np.column_stack([lead[met], occurred[met]]), axis=0)
    return pairs[:, 0], pairs[:, 1]


def _changes(table: pa.Table, column: str) -> npt.NDArray[np.bool_]:
    """Return which rows of the attributes hold another value of *column* than the row before of the same lead."""
    lead = np.asarray(table["lead_no"].to_numpy(), dtype=np.int64)
    value = columns.codes(columns.encoded(table[column]))
    found = np.zeros(len(table), dtype=np.bool_)
    found[1:] = (lead[1:] == lead[:-1]) & (value[1:] != value[:-1])
    return found


def _named(table: str, where: Conditions, column: str) -> str:
    if column:
        return f"a change of {column}"
    tests = [
        f"{one.column} {'=' if one.operator == 'in' else one.operator} "
        + " or ".join(str(operand) for operand in one.operands[:_SHOWN])
        for one in where
    ]
    return f"{table} with {' and '.join(tests)}" if tests else table
