"""Snapshots: which lead is asked about, and when.

A snapshot is (lead, as_of[, trigger id]). On a *grid* every lead that exists is asked about at
regular local midnights; at a *trigger* a lead is asked about when something happens to it (a
campaign was sent, a lead signed up). The row that pulled the trigger is known, though it happened
exactly at as_of; nothing else at as_of is, but that the lead exists.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from features import conditions, moments
from features.errors import LeadlightError, wrong_input
from features.timeline import LINK_MADE_KNOWN, Coverage, Int64Array, Timelines, microseconds
from features.units import scale_of


@dataclass(frozen=True)
class Grid:
    """As-ofs at regular local midnights.

    Attributes:
        days: Days between as-ofs, counted from Monday 1970-01-05 or from `first`; or 0.
        months: Months between as-ofs, on the first of a month; or 0.
        first: Earliest day, or None for the first day that the data cover.
        last: Latest day, or None for the last day that the data cover.
    """

    days: int = 0
    months: int = 0
    first: date | None = None
    last: date | None = None


@dataclass(frozen=True)
class Trigger:
    """As-ofs at the rows of a table.

    Attributes:
        table: The table whose rows pull the trigger.
        where: Which of its rows do.
        match: A column that trigger and conversion must share (the campaign sent is the
            campaign redeemed); empty for none.
        until: A time column of the trigger row that ends the label window; a date includes
            that day. Empty: the question's horizon in days.
    """

    table: str
    where: conditions.Conditions = ()
    match: str = ""
    until: str = ""

    def columns_read(self) -> set[str]:
        """Return the columns of its table that finding the snapshots reads."""
        named = {name for name in (self.match, self.until) if name}
        return {"lead_no", "occurred_at", "known_at", "link_bits", "row_id"} | named | conditions.columns_of(self.where)


@dataclass(frozen=True)
class Snapshots:
    """Snapshots of one bucket, sorted by (lead_no, as_of, trigger id).

    Attributes:
        lead_no: Lead numbers, shape ``(n,)``.
        as_of: Moments of prediction in microseconds, shape ``(n,)``.
        ends_at: Exclusive ends of the label windows in microseconds, shape ``(n,)``.
        trigger: The rows that pulled the triggers, ``(n,)`` rows; None on a grid.
        trigger_table: The table those rows are of; empty on a grid.
        match: The trigger's column that a conversion must share; empty for none.
    """

    lead_no: Int64Array
    as_of: Int64Array
    ends_at: Int64Array
    trigger: pa.Table | None = None
    trigger_table: str = ""
    match: str = ""

    def __len__(self) -> int:
        """Return the number of snapshots."""
        return len(self.lead_no)

    def take(self, rows: npt.NDArray[np.bool_] | Int64Array) -> Snapshots:
        """Return the snapshots that *rows* selects: a mask of shape ``(n,)`` or positions."""
        places = np.flatnonzero(rows) if rows.dtype == np.bool_ else rows
        trigger = None if self.trigger is None else self.trigger.take(pa.array(places))
        return replace(
            self,
            lead_no=self.lead_no[places],
            as_of=self.as_of[places],
            ends_at=self.ends_at[places],
            trigger=trigger,
        )


def grid_as_ofs(grid: Grid, *, zone: str, coverage: Coverage) -> Int64Array:
    """Return the moments of *grid* within *coverage*, ascending, shape ``(n_as_ofs,)``.

    Raises:
        LeadlightError: The grid says neither days nor months, or both.
    """
    if min(grid.days, grid.months) < 0 or (grid.days > 0) == (grid.months > 0):
        raise _no_grid(grid)
    first = grid.first or moments.local_date(coverage.data_from, zone)
    last = grid.last or moments.local_date(coverage.data_until, zone)
    if grid.months:
        days = moments.grid_months(first, last, months=grid.months)
    else:
        days = moments.grid_days(first, last, days=grid.days, origin=grid.first)
    found = np.asarray([moments.local_midnight(day, zone) for day in days], dtype=np.int64)
    return found[moments.is_collected(found, data_from=coverage.data_from, data_until=coverage.data_until)]


def on_grid(timelines: Timelines, as_ofs: Int64Array, *, horizon_days: int) -> Snapshots:
    """Return every lead of *timelines* at each of *as_ofs* (ascending) at which it exists."""
    exists_from = microseconds(timelines.leads["exists_from"])
    if len(as_ofs) and moments.exists(exists_from, as_ofs[0]).all():
        # Every lead at every moment, which is usual: nothing needs to be looked for.
        lead = np.repeat(np.arange(len(exists_from)), len(as_ofs))
        as_of = np.tile(as_ofs, len(exists_from))
    else:
        lead, moment = np.nonzero(moments.exists(exists_from[:, np.newaxis], as_ofs[np.newaxis, :]))
        as_of = as_ofs[moment]
    return Snapshots(lead + timelines.first_lead_no, as_of, as_of + horizon_days * moments.DAY)


def at_triggers(timelines: Timelines, trigger: Trigger, *, zone: str, horizon_days: int) -> Snapshots:
    """Return one snapshot per lead and fact that pulls *trigger*, with its content as it was first known.

    A fact whose owner an identity link revealed only after it happened pulls nothing: at as_of
    nobody could know whose it was.

    Raises:
        LeadlightError: The table or a column that *trigger* names is not there, or an end is missing.
    """
    rows = _trigger_rows(timelines, trigger)
    as_of = microseconds(rows["occurred_at"])
    ends_at = as_of + horizon_days * moments.DAY
    if trigger.until:
        ends_at = _ends(rows[trigger.until], zone)
    lead_no = rows["lead_no"].to_numpy()
    order = np.lexsort((_ranks(rows["row_id"]), as_of, lead_no))
    return Snapshots(lead_no, as_of, ends_at, rows, trigger.table, trigger.match).take(order)


def _trigger_rows(timelines: Timelines, trigger: Trigger) -> pa.Table:
    table = timelines.tables.get(trigger.table)
    columns = set(table.column_names) if table is not None else set()
    needed = conditions.columns_of(trigger.where) | {name for name in (trigger.match, trigger.until) if name}
    if table is None or needed - columns:
        raise _trigger_unreadable(trigger.table, sorted(needed - columns), known=table is not None)
    fact = table["row_id"].cast(pa.string())
    rows = _first_versions(table.filter(pc.is_in(fact, value_set=pc.unique(fact.filter(_meets(trigger, table))))))
    is_own = (rows["link_bits"].to_numpy() & LINK_MADE_KNOWN) == 0
    return rows.filter(pc.and_(_meets(trigger, rows), pa.array(is_own)))


def _meets(trigger: Trigger, rows: pa.Table) -> pa.Array:
    scales = {column: scale_of(column) for column in rows.column_names}
    return pa.array(conditions.mask(trigger.where, rows, scales=scales))


def _first_versions(rows: pa.Table) -> pa.Table:
    """Keep the version of each fact that each lead was first known by."""
    lead, fact = rows["lead_no"].to_numpy(), _ranks(rows["row_id"])
    order = np.lexsort((microseconds(rows["known_at"]), fact, lead))
    first = np.ones(len(order), dtype=np.bool_)
    first[1:] = (np.diff(fact[order]) != 0) | (np.diff(lead[order]) != 0)
    return rows.take(pa.array(order[first]))


def _ranks(column: pa.ChunkedArray) -> Int64Array:
    """Return each value's place among the sorted distinct values."""
    return np.asarray(pc.rank(column.cast(pa.string()), tiebreaker="dense").to_numpy(), dtype=np.int64)


def _ends(column: pa.ChunkedArray, zone: str) -> Int64Array:
    ends = microseconds(column)
    if column.null_count:
        raise _ends_missing(column.null_count)
    distinct, places = np.unique(ends, return_inverse=True)
    is_date = np.asarray([moments.is_day(int(end), zone) for end in distinct], dtype=np.bool_)[places]
    return np.where(is_date, moments.end_of_day(ends, zone), ends)


def _no_grid(grid: Grid) -> LeadlightError:
    fact = f"A grid of {grid.days} days and {grid.months} months has no moments."
    return wrong_input(fact, hint="question.snapshots.every is a number of days (7d) or of months (1mo).")


def _trigger_unreadable(table: str, lacking: list[str], *, known: bool) -> LeadlightError:
    fact = f"The trigger's table '{table}' " + ("lacks columns:" if known else "is not in the workspace.")
    hint = "question.snapshots.trigger names the table and its columns; map them under tables and ingest again."
    return wrong_input(fact, lacking if known else (), hint=hint)


def _ends_missing(count: int) -> LeadlightError:
    hint = "fill the column that question.snapshots.trigger.until names, or give horizon_days instead."
    return wrong_input(f"{count} trigger rows have no end of their label window.", hint=hint)
