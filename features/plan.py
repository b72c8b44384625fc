"""From the catalog to the sweep: which tables to walk, and what to write down of each.

All features of a table are computed in one walk; features that ask for the same rows share a signal.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from features.catalog import Feature, Measure
from features.conditions import Condition, Conditions, canonical, columns_of

KEY_COLUMNS = ("lead_no", "occurred_at", "known_at", "superseded_at")
"""What the sweep reads of every table."""

DIRECT = ("trigger", "trigger_days", "lead_age", "weekday", "month", "day_of_month")
"""Measures that need no rows of a timeline."""

LAST_MOMENT = "last_moment"
"""When the latest row occurred, in microseconds: closes what was open before."""


@dataclass(frozen=True)
class Closing:
    """The rows whose latest closes what was open.

    Attributes:
        table: Their table.
        where: Which of its rows.
    """

    table: str
    where: Conditions


@dataclass(frozen=True)
class Output:
    """One number or code that a walk writes per snapshot.

    Attributes:
        name: The output's name: the feature's, or that of a part of it.
        kind: One of `catalog.MEASURES` that has rows, or `LAST_MOMENT`.
        where: The rows of the signal.
        window: Days, 0 = ever.
        column: The column it reads, or empty.
        is_category: For first and last: whether the column holds categories.
        long_window: For a trend: days of the longer window.
        since: For open measures: what closes.
        half_life: For rows that fade by halves: days.
        is_partial: Whether a window that reaches before the data holds what there is.
    """

    name: str
    kind: str
    where: Conditions
    window: int = 0
    column: str = ""
    is_category: bool = False
    long_window: int = 0
    since: Closing | None = None
    half_life: int = 0
    is_partial: bool = False


@dataclass(frozen=True)
class Plan:
    """What to walk for a catalog.

    Attributes:
        outputs: What to write, by the table to walk.
        shares: Per share feature: the outputs that count its part and its whole.
    """

    outputs: Mapping[str, tuple[Output, ...]]
    shares: Mapping[str, tuple[str, str]]


def plan(features: Iterable[Feature]) -> Plan:
    """Return the walks that compute the measured ones among *features*."""
    outputs: dict[str, list[Output]] = {}
    shares: dict[str, tuple[str, str]] = {}
    for feature in features:
        measure = feature.measure
        if measure is None or measure.kind in DIRECT:
            continue
        written = outputs.setdefault(measure.table, [])
        if measure.kind in ("share", "rate"):
            part, whole = f"{feature.name}/part", f"{feature.name}/whole"
            shares[feature.name] = (part, whole)
            among = measure.where if measure.kind == "share" else ()
            written.append(Output(part, "count", canonical({*among, *measure.of}), measure.window))
            written.append(Output(whole, "count", measure.where, measure.window))
        else:
            written.append(_output(feature, measure))
    return Plan({table: tuple(written) for table, written in outputs.items()}, shares)


def columns_read(features: Iterable[Feature]) -> dict[str, set[str]]:
    """Return the columns of each table that computing *features* reads."""
    read: dict[str, set[str]] = {}
    for feature in features:
        measure = feature.measure
        if measure is None or measure.kind in DIRECT:
            continue
        columns = read.setdefault(measure.table, set(KEY_COLUMNS))
        columns |= columns_of(measure.where) | columns_of(measure.of)
        columns |= {measure.column} if measure.column else set()
        if measure.since_table:
            read.setdefault(measure.since_table, set(KEY_COLUMNS)).update(columns_of(measure.since_where))
    return read


def _output(feature: Feature, measure: Measure) -> Output:
    return Output(
        name=feature.name,
        kind=measure.kind,
        where=_rows_of(measure),
        window=measure.window,
        column=measure.column,
        is_category=feature.kind == "category",
        long_window=measure.long_window,
        since=Closing(measure.since_table, measure.since_where) if measure.since_table else None,
        half_life=measure.half_life,
        is_partial=measure.is_partial,
    )


def _rows_of(measure: Measure) -> Conditions:
    """A mean is taken over the rows that have a value; absent ones must not count as zero."""
    if measure.kind != "mean":
        return measure.where
    return canonical({*measure.where, Condition(measure.column, "missing", (False,))})
