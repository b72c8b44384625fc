"""From the catalog to the sweep: which signals to walk, and what to write down of each.

Features that ask the same rows of the same table share one signal, and one walk.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from features import kernel_outputs as out
from features.catalog import Feature, Measure
from features.conditions import Condition, Conditions, canonical, columns_of

KEY_COLUMNS = ("lead_no", "occurred_at", "known_at", "superseded_at")
"""What the sweep reads of every table."""

DIRECT = ("trigger", "trigger_days", "lead_age", "weekday", "month", "day_of_month")
"""Measures that need no rows of a timeline."""

_OPERATIONS = {
    "count": out.COUNT,
    "sum": out.SUM,
    "mean": out.MEAN,
    "distinct": out.DISTINCT,
    "days_since_first": out.DAYS_SINCE_FIRST,
    "days_since_last": out.DAYS_SINCE_LAST,
    "mean_gap": out.MEAN_GAP,
    "overdue": out.OVERDUE,
    "trend": out.TREND,
    "open_count": out.OPEN_COUNT,
    "open_sum": out.OPEN_SUM,
    "open_age": out.OPEN_AGE,
}
_SUMMING = ("sum", "mean", "open_sum")


@dataclass(frozen=True)
class Output:
    """One number or code that a walk writes per snapshot.

    Attributes:
        name: The output's name: the feature's, or that of a part of it.
        operation: One of the operations of `features.kernel_outputs`.
        window: Days, 0 = ever.
        column: The column it reads, or empty.
        long_window: For a trend: days of the longer window.
    """

    name: str
    operation: int
    window: int
    column: str = ""
    long_window: int = 0


@dataclass
class Signal:
    """The rows of one walk and everything to write down of them.

    Attributes:
        table: The table walked.
        where: Which of its rows.
        since: For open measures: the table and rows whose latest closes what was open.
        outputs: What to write per snapshot.
    """

    table: str
    where: Conditions
    since: tuple[str, Conditions] | None = None
    outputs: list[Output] = field(default_factory=list)

    @property
    def windows(self) -> list[int]:
        """The distinct windows, in days, that the outputs ask for."""
        asked = {output.window for output in self.outputs}
        return sorted(asked | {output.long_window for output in self.outputs if output.long_window})

    def columns(self, *operations: int) -> list[str]:
        """The distinct columns that outputs with one of *operations* read."""
        return sorted({o.column for o in self.outputs if o.operation in operations and o.column})


@dataclass(frozen=True)
class Plan:
    """What to walk for a catalog.

    Attributes:
        signals: One walk each.
        shares: Per share feature: the outputs that count its part and its whole.
    """

    signals: tuple[Signal, ...]
    shares: Mapping[str, tuple[str, str]]


def plan(features: Iterable[Feature]) -> Plan:
    """Return the walks that compute the measured ones among *features*."""
    signals: dict[tuple[object, ...], Signal] = {}
    shares: dict[str, tuple[str, str]] = {}
    for feature in features:
        measure = feature.measure
        if measure is None or measure.kind in DIRECT:
            continue
        if measure.kind in ("share", "rate"):
            shares[feature.name] = (f"{feature.name}/part", f"{feature.name}/whole")
            among = measure.where if measure.kind == "share" else ()
            _add(
                signals,
                measure,
                canonical({*among, *measure.of}),
                Output(shares[feature.name][0], out.COUNT, measure.window),
            )
            _add(signals, measure, measure.where, Output(shares[feature.name][1], out.COUNT, measure.window))
        else:
            _add(signals, measure, _rows_of(measure), _output(feature, measure))
    return Plan(tuple(signals.values()), shares)


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


def _rows_of(measure: Measure) -> Conditions:
    """A mean is taken over the rows that have a value; absent ones must not count as zero."""
    if measure.kind != "mean":
        return measure.where
    return canonical({*measure.where, Condition(measure.column, "missing", (False,))})


def _output(feature: Feature, measure: Measure) -> Output:
    operation = _OPERATIONS.get(measure.kind)
    if operation is None:
        is_first = measure.kind == "first"
        codes = out.FIRST_CODE if is_first else out.LAST_CODE
        numbers = out.FIRST_VALUE if is_first else out.LAST_VALUE
        operation = codes if feature.kind == "category" else numbers
    return Output(feature.name, operation, measure.window, measure.column, measure.long_window)


def _add(signals: dict[tuple[object, ...], Signal], measure: Measure, where: Conditions, output: Output) -> None:
    since = (measure.since_table, measure.since_where) if measure.since_table else None
    # Sums are carried through every window of a walk, distinct values cost memory per level:
    # only walks that share all of it are merged.
    key = (measure.table, where, since)
    signal = signals.setdefault(key, Signal(measure.table, where, since))
    if output not in signal.outputs:
        signal.outputs.append(replace(output))
