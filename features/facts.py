"""Facts: rows of a canonical table, parsed, with both clocks, and the fault of those that are unfit.

*Occurred* is when a fact happened. *Known* is the latest of occurred, ``recorded_at`` and a
session's end (``started_at + duration``, or 30 minutes); a time given as a day alone occurred at
00:00 local and is known at the last microsecond of that day. Which later loads and identity links
make a fact known later still is decided by `features.versions` and `features.ownership`.

Example: an order of "2024-03-01" (a day) occurred at 2024-03-01 00:00 and was known at
2024-03-01 23:59:59.999999, both local: a snapshot at noon of that day does not see it.

Every function returns SQL text for DuckDB; nothing here runs it.
"""

# ruff: noqa: S608 - this module writes SQL; names are quoted and texts escaped

from __future__ import annotations

from features.moments import DAY, SECOND
from features.parsing import (
    Parsed,
    clock_notes,
    literal,
    local_microseconds,
    parse_column,
    quoted,
    utc_microseconds,
)
from features.reading import Mapped, Reading

SESSION_LENGTH = 30 * 60 * SECOND
"""How long a session without a duration is taken to last, microseconds."""

KEYS = (
    "row_id",
    "is_numbered",
    "lead_id",
    "visitor_id",
    "occurred_at",
    "known_at",
    "recorded_at",
    "loaded_at",
    "is_change",
    "is_retracted",
)
"""The columns that every table of facts begins with; times are naive UTC.

``is_numbered``: the id is made up, no source gave it. ``is_change``: other rows have the same id.
``is_retracted``: the row says that the fact is no longer there.
"""

FAULT, NOTE = "_fault", "_clock_note"
"""Columns that exist only while rows are let in: what is wrong with a row, an unusual local time."""

LONGEST_LEAD_ID = 400
"""Characters: longer ones fit neither the keys of CRMs nor the ledger of what was sent to them."""
NO_OWNER = "lead_id is empty"
FUTURE = "later than the load"
WAITING = "known only after the load"
"""Faults: a row of nobody; a row from the future; a row that is fit but not known yet."""

# What can be read as a time at all: earlier or later is a placeholder such as 0001-01-01.
_EARLIEST, _LATEST = -2_208_988_800 * SECOND, 7_258_118_400 * SECOND


def facts_sql(reading: Reading, relation: str) -> str:
    """Return the query that reads *relation* as facts.

    Args:
        reading: How its rows become facts.
        relation: A table expression with the source's columns.

    Returns:
        A query with the columns `KEYS`, ``cancelled_from`` (orders), the content, `FAULT` and `NOTE`.
    """
    return f"SELECT {', '.join(_outputs(reading))} FROM ({parsed_sql(reading, relation)})"


def parsed_sql(reading: Reading, relation: str, *, keep_source: bool = False) -> str:
    """Return the query that parses *relation* in two layers: local clock first, UTC second."""
    times = [mapped for mapped in reading.columns if mapped.column.kind == "time"]
    local = [part for mapped in times for part in _local_parts(mapped)]
    inner = f"SELECT {', '.join(['*', *local])} FROM {relation}"
    parsed = [f"{_parsed(reading, mapped).value} AS {_name(mapped)}" for mapped in reading.columns]
    faults = [fault for mapped in reading.columns if (fault := _parsed(reading, mapped).fault) != "NULL"]
    known = [f"{_end_of_day(reading, mapped)} AS {_known_name(mapped)}" for mapped in times]
    first = [f"coalesce({', '.join([*faults, 'NULL'])}) AS _unreadable"]
    numbered = [f"{reading.numbered_by} AS _number"] if reading.numbered_by else []
    notes = [f"{_note(reading, times)} AS {NOTE}"]
    # ``source`` carries the row as it was read, for those that are turned away.
    source = ["*"] if keep_source else []
    return f"SELECT {', '.join([*source, *parsed, *known, *first, *numbered, *notes])} FROM ({inner})"


def fault_sql(reading: Reading) -> str:
    """Return the expression of a row's fault over `parsed_sql`, NULL where it is fit."""
    owners = [f"{_value(name)} IS NULL" for name in ("lead_id", "visitor_id") if name in reading.names]
    times = [name for name in (reading.table.time_column, "recorded_at", "cancelled_at") if name in reading.names]
    ids = [reading.table.id_column] if reading.table.id_column in reading.names else []
    late = " OR ".join(f"{_value(name)} > {_moment(reading.loaded_at)}" for name in times)
    cases = [
        "WHEN _unreadable IS NOT NULL THEN _unreadable",
        *([too_long_sql(_value("lead_id"), "lead_id")] if "lead_id" in reading.names else []),
        *(f"WHEN {_value(name)} IS NULL THEN {literal(f'{name} is empty')}" for name in ids),
        f"WHEN {' AND '.join(owners)} THEN {literal(NO_OWNER)}",
        f"WHEN {late} THEN {literal(FUTURE)}",
        f"WHEN {_known(reading)} > {_moment(reading.loaded_at)} THEN {literal(WAITING)}",
    ]
    return f"CASE {' '.join(cases)} END"


def too_long_sql(value: str, name: str) -> str:
    """Return the case of a lead's id, called *name*, that is longer than one may be."""
    return f"WHEN length({value}) > {LONGEST_LEAD_ID} THEN {literal(f'{name} has over {LONGEST_LEAD_ID} characters')}"


def _outputs(reading: Reading) -> list[str]:
    table, names = reading.table, reading.names
    lead = _value("lead_id") if "lead_id" in names else "NULL::VARCHAR"
    visitor = _value("visitor_id") if "visitor_id" in names else "NULL::VARCHAR"
    recorded = _known_value("recorded_at") if "recorded_at" in names else "NULL::TIMESTAMP"
    keys = [
        f"{_row_id(reading)} AS row_id",
        f"{str(not reading.has_ids).upper()} AS is_numbered",
        f"{lead} AS lead_id",
        f"{visitor} AS visitor_id",
        f"{_value(table.time_column)} AS occurred_at",
        f"{_known(reading)} AS known_at",
        f"{recorded} AS recorded_at",
        f"{_moment(reading.loaded_at)} AS loaded_at",
        "FALSE AS is_change",
        "FALSE AS is_retracted",
    ]
    cancelled = [f"{_cancelled_from(reading)} AS cancelled_from"] if table.name == "orders" else []
    content = [f"{_value(column.name)} AS {quoted(column.stored_name)}" for column in reading.content]
    return [*keys, *cancelled, *content, f"{fault_sql(reading)} AS {FAULT}", NOTE]


def _row_id(reading: Reading) -> str:
    table = reading.table
    if table.name == "identities":
        return f"concat_ws('|', {_value('visitor_id')}, {_value('lead_id')}, epoch_us({_value('linked_at')}))"
    return _value(table.id_column) if table.id_column in reading.names else "_number"


def _known(reading: Reading) -> str:
    """The latest of occurred, recorded and a session's end; links come later."""
    clocks = [_known_value(reading.table.time_column)]
    if "recorded_at" in reading.names:
        clocks.append(_known_value("recorded_at"))
    if reading.table.name == "sessions":
        lasted = (
            f"coalesce({_value('duration_s')} * 1000, {SESSION_LENGTH})"
            if "duration_s" in reading.names
            else SESSION_LENGTH
        )
        clocks.append(f"{_value('started_at')} + to_microseconds({lasted})")
    return f"greatest({', '.join(clocks)})" if len(clocks) > 1 else clocks[0]


def _cancelled_from(reading: Reading) -> str:
    """From when on an order is known as cancelled; NULL where it is not."""
    known, cases = _known(reading), []
    if "cancelled_at" in reading.names:
        cases.append(
            f"WHEN {_value('cancelled_at')} IS NOT NULL THEN greatest({known}, {_known_value('cancelled_at')})"
        )
    if "status" in reading.names and reading.cancelled_statuses:
        states = ", ".join(literal(state.lower()) for state in reading.cancelled_statuses)
        # A state that carries no time of its own may be as young as the load that brought it.
        young = f"greatest({known}, {_moment(reading.loaded_at)})"
        recorded = f"CASE WHEN {_value('recorded_at')} IS NULL THEN {young} ELSE {known} END"
        since = known if reading.is_status_static else recorded if "recorded_at" in reading.names else young
        cases.append(f"WHEN lower({_value('status')}) IN ({states}) THEN {since}")
    return f"CASE {' '.join(cases)} END" if cases else "NULL::TIMESTAMP"


def _parsed(reading: Reading, mapped: Mapped) -> Parsed:
    if mapped.column.kind != "time":
        return parse_column(mapped.column, mapped.raw)
    local, naive = _local_name(mapped), _naive(mapped)
    micros = utc_microseconds(local, naive, clock=reading.clock)
    there = f"nullif(trim({mapped.raw.sql}), '')" if mapped.raw.type.upper() == "VARCHAR" else mapped.raw.sql
    is_readable = f"{local} BETWEEN {_EARLIEST} AND {_LATEST}"
    name = mapped.column.name
    empty = literal(f"{name} is empty") if mapped.column.is_required else "NULL"
    fault = (
        f"CASE WHEN {there} IS NULL THEN {empty} "
        f"WHEN NOT coalesce({is_readable}, FALSE) THEN {literal(f'{name} is not a time')} END"
    )
    return Parsed(f"CASE WHEN {is_readable} THEN make_timestamp({micros}) END", fault)


def _end_of_day(reading: Reading, mapped: Mapped) -> str:
    """When a time was known: at once, or at the end of the day where only the day is given."""
    _, naive, is_date = local_microseconds(mapped.raw)
    local = _local_name(mapped)
    at_once = _parsed(reading, mapped).value
    if is_date == "FALSE":
        return at_once
    next_day = utc_microseconds(f"({local} + {DAY})", naive, clock=reading.clock)
    end = f"make_timestamp({next_day} - 1)"
    is_unreadable = f"{local} NOT BETWEEN {_EARLIEST} AND {_LATEST}"
    return f"CASE WHEN {is_unreadable} THEN NULL WHEN {_date_name(mapped)} THEN {end} ELSE {at_once} END"


def _note(reading: Reading, times: list[Mapped]) -> str:
    clocks = [mapped for mapped in times if mapped.column.name == reading.table.time_column]
    return clock_notes(_local_name(clocks[0]), _naive(clocks[0]), clock=reading.clock) if clocks else "0::TINYINT"


def _local_parts(mapped: Mapped) -> list[str]:
    micros, naive, is_date = local_microseconds(mapped.raw)
    parts = [f"{micros} AS {_local_name(mapped)}"]
    if naive not in ("TRUE", "FALSE"):
        parts.append(f"{naive} AS {_naive_name(mapped)}")
    return [*parts, f"{is_date} AS {_date_name(mapped)}"]


def _naive(mapped: Mapped) -> str:
    naive = local_microseconds(mapped.raw)[1]
    return naive if naive in ("TRUE", "FALSE") else _naive_name(mapped)


def _moment(micros: int) -> str:
    return f"make_timestamp({micros}::BIGINT)"


def _value(name: str) -> str:
    return quoted(f"_value_{name}")


def _known_value(name: str) -> str:
    return quoted(f"_known_{name}")


def _name(mapped: Mapped) -> str:
    return _value(mapped.column.name)


def _known_name(mapped: Mapped) -> str:
    return _known_value(mapped.column.name)


def _local_name(mapped: Mapped) -> str:
    return quoted(f"_local_{mapped.column.name}")


def _naive_name(mapped: Mapped) -> str:
    return quoted(f"_naive_{mapped.column.name}")


def _date_name(mapped: Mapped) -> str:
    return quoted(f"_is_date_{mapped.column.name}")
