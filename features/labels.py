"""Labels: did the lead convert within the horizon, as far as was known when it was decided?

A conversion is the first row of a table that meets the conditions, occurred in
``[as_of, ends_at)`` and is known, and neither cancelled nor taken back, before
``ends_at + settle``. The row that pulled the trigger is never a conversion. Labels are *ripe*
when the table covers the whole span; unripe ones train and test nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from features import conditions, moments
from features.errors import LeadlightError, wrong_input
from features.kernel_labels import ANY, first_conversions
from features.snapshots import Snapshots
from features.timeline import LINK_MADE_KNOWN, LINK_TOOK_AWAY, Coverage, Int64Array, Timelines, microseconds, timestamps
from features.units import scale_of

# Two unknown keys are not the same key, and a trigger's unknown key is not `ANY`, which every row matches.
_UNKNOWN_OF_ROW, _UNKNOWN_OF_TRIGGER = -3, -2


@dataclass(frozen=True)
class Conversion:
    """What counts as a conversion.

    Attributes:
        table: ``orders``, ``events`` or ``outcomes``.
        where: Conditions on its rows (amounts in the shop's currency).
    """

    table: str
    where: conditions.Conditions = ()


def label(
    timelines: Timelines,
    snapshots: Snapshots,
    conversion: Conversion,
    *,
    settle_days: int = 0,
    known_by: int | None = None,
) -> pa.Table:
    """Return one label per snapshot.

    Args:
        timelines: The bucket's timelines.
        snapshots: Snapshots of its leads, sorted by (lead_no, as_of).
        conversion: What counts.
        settle_days: Days after the label window in which late news still counts (>= 0).
        known_by: Count what is known before this moment instead, microseconds: who has converted so far.

    Returns:
        ``(n,)`` rows: ``converted`` (bool), ``converted_at`` (timestamp of the first conversion,
        null where none), ``decided_at`` (timestamp), ``is_ripe`` (bool).

    Raises:
        LeadlightError: The conversion's table or one of its columns is not there.
    """
    rows = conversion_rows(timelines, conversion, match=snapshots.match)
    lead_no = np.asarray(rows["lead_no"].to_numpy(), dtype=np.int64)
    # Labels ask "known before", strictly; the microsecond granted to links at as_of is taken back.
    links = rows["link_bits"].to_numpy()
    known = microseconds(rows["known_at"]) + ((links & LINK_MADE_KNOWN) != 0)
    superseded = microseconds(rows["superseded_at"])
    superseded = np.where(superseded == moments.NEVER, superseded, superseded + ((links & LINK_TOOK_AWAY) != 0))
    decided_at = snapshots.ends_at + settle_days * moments.DAY
    if known_by is not None:
        decided_at = np.full(len(snapshots), known_by, dtype=np.int64)
    own_row = "row_id" if snapshots.trigger_table == conversion.table else ""
    facts, pulled_by = _shared_codes(rows, own_row, snapshots)
    keys, wanted = _shared_codes(rows, snapshots.match, snapshots)
    place = first_conversions(
        begin=np.searchsorted(lead_no, snapshots.lead_no),
        end=np.searchsorted(lead_no, snapshots.lead_no, side="right"),
        occurred=microseconds(rows["occurred_at"]),
        known=known,
        superseded=superseded,
        fact=facts,
        key=keys,
        as_of=snapshots.as_of,
        ends_at=snapshots.ends_at,
        decided_at=decided_at,
        pulled_by=pulled_by,
        wanted=wanted,
    )
    return _labels(place, rows, snapshots, decided_at, span_of(timelines, conversion))


def span_of(timelines: Timelines, conversion: Conversion) -> Coverage:
    """Return the span of data that decides which labels are ripe.

    Raises:
        LeadlightError: The conversion's table is not there.
    """
    if conversion.table not in timelines.coverage:
        raise _conversion_unreadable(conversion.table, [])
    return timelines.coverage[conversion.table]


def _labels(
    place: Int64Array, rows: pa.Table, snapshots: Snapshots, decided_at: Int64Array, span: Coverage
) -> pa.Table:
    occurred = microseconds(rows["occurred_at"])
    converted_at = np.full(len(place), moments.NEVER)
    converted_at[place >= 0] = occurred[place[place >= 0]]
    ripe = moments.is_ripe(snapshots.as_of, decided_at, data_from=span.data_from, data_until=span.data_until)
    return pa.table(
        {
            "converted": pa.array(place >= 0),
            "converted_at": timestamps(converted_at),
            "decided_at": timestamps(decided_at),
            "is_ripe": pa.array(ripe),
        }
    )


def conversion_rows(timelines: Timelines, conversion: Conversion, *, match: str = "") -> pa.Table:
    """Return the timeline rows that count as conversions, whenever they are known; *match* names a column they need."""
    table = timelines.tables.get(conversion.table)
    needed = conditions.columns_of(conversion.where) | ({match} if match else set())
    lacking = sorted(needed - set(table.column_names)) if table is not None else []
    if table is None or lacking:
        raise _conversion_unreadable(conversion.table, lacking)
    scales = {column: scale_of(column) for column in table.column_names}
    met = conditions.mask(conversion.where, table, scales=scales)
    if "is_cancelled" in table.column_names and "is_cancelled" not in needed:
        met &= ~np.asarray(table["is_cancelled"].fill_null(False).to_numpy(), dtype=np.bool_)
    return table.filter(pa.array(met))


def _shared_codes(rows: pa.Table, column: str, snapshots: Snapshots) -> tuple[Int64Array, Int64Array]:
    """Return *column* of rows and of the triggers as codes of one dictionary, `ANY` = none."""
    none = np.full(len(rows), ANY, dtype=np.int64), np.full(len(snapshots), ANY, dtype=np.int64)
    if not column or snapshots.trigger is None:
        return none
    levels = pc.unique(rows[column].cast(pa.string()))
    codes = [
        pc.index_in(side[column].cast(pa.string()), value_set=levels, skip_nulls=True)
        for side in (rows, snapshots.trigger)
    ]
    return (
        np.asarray(codes[0].fill_null(_UNKNOWN_OF_ROW).to_numpy(), dtype=np.int64),
        np.asarray(codes[1].fill_null(_UNKNOWN_OF_TRIGGER).to_numpy(), dtype=np.int64),
    )


def _conversion_unreadable(table: str, lacking: list[str]) -> LeadlightError:
    fact = f"The conversion's table '{table}' " + ("lacks columns:" if lacking else "is not in the workspace.")
    hint = "question.conversion names the table and conditions on its columns; map them and ingest again."
    return wrong_input(fact, lacking, hint=hint)
