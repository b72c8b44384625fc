"""From what a source holds to what is kept: SQL expressions that parse one column and name its fault.

Every expression is total: a value that cannot be read becomes NULL and gets a fault, so that one
pass over a file finds all faults of all rows. Nothing here runs SQL; it only writes it.
"""

from __future__ import annotations

from dataclasses import dataclass

from features.local_time import Change, LocalClock
from features.tables import Column
from features.units import DURATION_SCALE, MONEY_SCALE

# A tenth of 2**63, in stored units: what is larger is no amount of any shop.
_LARGEST_STORED = 9e17
_UNITS = {"s": 1_000_000, "ms": 1_000, "us": 1}
_FLOATS = ("FLOAT", "DOUBLE")
_INTEGERS = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT")


@dataclass(frozen=True)
class Raw:
    """One value of a source, before it is understood.

    Attributes:
        sql: The expression that reads it: a quoted column or a literal.
        type: Its DuckDB type.
        is_date: Whether only the day counts.
        is_time: Whether it was said that midnight is meant where it stands.
        format: strptime format of a text time; empty = ISO 8601.
        unit: For a time given as a number: s, ms or us since 1970.
        has_decimal_comma: Whether ``1.234,50`` means 1234.5.
    """

    sql: str
    type: str
    is_date: bool = False
    is_time: bool = False
    format: str = ""
    unit: str = ""
    has_decimal_comma: bool = False


@dataclass(frozen=True)
class Parsed:
    """The SQL of one parsed column.

    Attributes:
        value: Expression of the kept value, NULL where absent or unreadable.
        fault: Expression of the fault's name, NULL where there is none.
    """

    value: str
    fault: str


def quoted(name: str) -> str:
    """Return *name* as an SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """Return *text* as an SQL string."""
    return "'" + text.replace("'", "''") + "'"


def parse_column(column: Column, raw: Raw) -> Parsed:
    """Return the SQL that parses *raw* as *column*; for any kind but time.

    Args:
        column: The canonical (or extra) column to fill.
        raw: Where the value comes from.
    """
    if column.kind in ("id", "text"):
        value = _text(raw, is_id=column.kind == "id")
        if column.kind == "id" and raw.type.upper() == "VARCHAR":
            return Parsed(value, _unfit_id(column, raw, value))
        return Parsed(value, _empty(column, f"{value} IS NULL"))
    number = _number(raw)
    if column.kind == "number":
        return Parsed(f"CASE WHEN isfinite({number}) THEN {number} END", _number_faults(column, raw, number))
    scale = {"amount": MONEY_SCALE, "duration": DURATION_SCALE}.get(column.kind, 1)
    stored = f"round({number} * {scale})"
    readable = f"isfinite({number}) AND {number} >= 0 AND {stored} <= {_LARGEST_STORED:.0f}"
    faults = _number_faults(column, raw, number, scale=scale, is_whole=column.kind == "count")
    return Parsed(f"CASE WHEN {readable} THEN {stored}::BIGINT END", faults)


def local_microseconds(raw: Raw) -> tuple[str, str, str]:
    """Return three expressions of a time: its microseconds, whether it is naive, whether it is a day.

    The microseconds count from 1970 in the local clock where naive, in UTC where not; NULL where
    the time is absent or unreadable.
    """
    kind = raw.type.upper()
    if kind == "DATE":
        return f"epoch_us({raw.sql}::TIMESTAMP)", "TRUE", "TRUE"
    has_zone = kind == "TIMESTAMP WITH TIME ZONE"
    if has_zone and not raw.is_date:
        return _micros(raw.sql, is_date=False), "FALSE", "FALSE"
    if kind.startswith("TIMESTAMP"):
        # A day is a day wherever it was written down: midnight UTC stands for the local day of that date.
        naive = f"({raw.sql} AT TIME ZONE 'UTC')" if has_zone else f"{raw.sql}::TIMESTAMP"
        return _micros(naive, is_date=raw.is_date), "TRUE", _truth(raw.is_date)
    if raw.unit:
        return f"TRY_CAST(round(TRY_CAST({raw.sql} AS DOUBLE) * {_UNITS[raw.unit]}) AS BIGINT)", "FALSE", "FALSE"
    if kind == "VARCHAR":
        return _text_time(raw)
    # A number without a unit, a truth value, a list: not a time, whatever it holds.
    return "NULL::BIGINT", "TRUE", "FALSE"


def utc_microseconds(local: str, naive: str, *, clock: LocalClock) -> str:
    """Return the expression of the UTC microseconds of *local*, moved by the zone's offset where naive."""
    offset = _search(clock.changes, local, first=str(clock.first_offset))
    if naive == "FALSE" or offset == "0":
        return local
    return f"{local} - {offset}" if naive == "TRUE" else f"{local} - CASE WHEN {naive} THEN {offset} ELSE 0 END"


def clock_notes(local: str, naive: str, *, clock: LocalClock) -> str:
    """Return the expression that says where *local* does not exist (1) or happens twice (2), else 0."""
    if naive == "FALSE" or not clock.changes:
        return "0::TINYINT"
    note = _unusual(clock.changes, local)
    return f"(CASE WHEN {naive} THEN {note} ELSE 0 END)::TINYINT"


def _search(changes: tuple[Change, ...], local: str, *, first: str) -> str:
    """Write the offset's step function as nested halves: eight comparisons instead of two hundred."""
    if not changes:
        return first
    middle = len(changes) // 2
    change = changes[middle]
    below = _search(changes[:middle], local, first=first)
    above = _search(changes[middle + 1 :], local, first=str(change.after))
    return f"CASE WHEN {local} < {change.at + change.after} THEN {below} ELSE {above} END"


def _unusual(changes: tuple[Change, ...], local: str) -> str:
    """Write which unusual span holds *local* as nested halves."""
    middle = len(changes) // 2
    change = changes[middle]
    begins, ends = change.unusual
    here = f"CASE WHEN {local} < {ends} THEN {1 if change.is_gap else 2} ELSE 0 END"
    below = _unusual(changes[:middle], local) if middle else "0"
    if changes[middle + 1 :]:
        after = changes[middle + 1].unusual[0]
        here = f"CASE WHEN {local} < {ends} THEN {1 if change.is_gap else 2} "
        here += f"WHEN {local} < {after} THEN 0 ELSE {_unusual(changes[middle + 1 :], local)} END"
    return f"CASE WHEN {local} < {begins} THEN {below} ELSE {here} END"


def _micros(sql: str, *, is_date: bool) -> str:
    moment = f"date_trunc('day', {sql})" if is_date else sql
    return f"CASE WHEN isfinite({sql}) THEN epoch_us({moment}) END"


def _text_time(raw: Raw) -> tuple[str, str, str]:
    text = f"trim({raw.sql})"
    if raw.format:
        has_clock = any(code in raw.format for code in ("%H", "%I", "%T", "%X", "%c"))
        parsed = f"try_strptime({text}, {literal(raw.format)})::TIMESTAMP"
        return _micros(parsed, is_date=not has_clock or raw.is_date), "TRUE", _truth(not has_clock or raw.is_date)
    naive = _micros(f"TRY_CAST({text} AS TIMESTAMP)", is_date=raw.is_date)
    if raw.is_date:
        return naive, "TRUE", "TRUE"
    day = f"regexp_full_match({text}, '\\d{{4}}-\\d{{1,2}}-\\d{{1,2}}')"
    has_offset = f"regexp_matches({text}, ':\\d{{2}}(\\.\\d+)?\\s*(Z|z|UTC|[+-]\\d{{2}}(:?\\d{{2}})?)$')"
    absolute = _micros(f"TRY_CAST({text} AS TIMESTAMPTZ)", is_date=False)
    return f"CASE WHEN {has_offset} THEN {absolute} ELSE {naive} END", f"NOT coalesce({has_offset}, FALSE)", day


def _truth(is_true: bool) -> str:  # noqa: FBT001 - a truth value is all it is about
    return "TRUE" if is_true else "FALSE"


def _text(raw: Raw, *, is_id: bool) -> str:
    kind = raw.type.upper()
    if kind == "VARCHAR":
        return f"nullif(trim({raw.sql}), '')"
    if is_id and kind in _FLOATS:
        # Whole ids turn into floats wherever a column had gaps; 17.0 and 17 are one lead.
        is_whole = f"isfinite({raw.sql}) AND {raw.sql} = floor({raw.sql}) AND abs({raw.sql}) < 9e15"
        return (
            f"CASE WHEN {is_whole} THEN {raw.sql}::BIGINT::VARCHAR WHEN isfinite({raw.sql}) THEN {raw.sql}::VARCHAR END"
        )
    return f"{raw.sql}::VARCHAR"


def _number(raw: Raw) -> str:
    if raw.type.upper() == "VARCHAR":
        text = f"trim({raw.sql})"
        if raw.has_decimal_comma:
            text = f"replace(replace({text}, '.', ''), ',', '.')"
        return f"TRY_CAST({text} AS DOUBLE)"
    is_number = raw.type.upper() in (*_FLOATS, *_INTEGERS) or raw.type.upper().startswith("DECIMAL")
    return f"{raw.sql}::DOUBLE" if is_number else f"TRY_CAST({raw.sql}::VARCHAR AS DOUBLE)"


def _number_faults(column: Column, raw: Raw, number: str, *, scale: int = 0, is_whole: bool = False) -> str:
    name = column.name
    there = f"nullif(trim({raw.sql}), '')" if raw.type.upper() == "VARCHAR" else raw.sql
    # A gap in a table of floats reads as NaN; only where a value must be is that a fault.
    missing = f" AND NOT isnan({number})" if not column.is_required else ""
    cases = [
        f"WHEN {there} IS NULL THEN {literal(f'{name} is empty') if column.is_required else 'NULL'}",
        f"WHEN {number} IS NULL THEN {literal(f'{name} is not a number')}",
        f"WHEN NOT isfinite({number}){missing} THEN {literal(f'{name} is not finite')}",
    ]
    if scale:
        is_large = f"isfinite({number}) AND {number} * {scale} > {_LARGEST_STORED:.0f}"
        cases.append(f"WHEN {number} < 0 THEN {literal(f'{name} is negative')}")
        cases.append(f"WHEN {is_large} THEN {literal(f'{name} is too large')}")
    if is_whole:
        cases.append(
            f"WHEN isfinite({number}) AND {number} <> floor({number}) THEN {literal(f'{name} is not a whole number')}"
        )
    return "CASE " + " ".join(cases) + " END"


def _unfit_id(column: Column, raw: Raw, value: str) -> str:
    """Return the fault of an id: databases and CRMs cut it at a NUL, or take none, so it would be another's."""
    holds_nul = f"WHEN contains({raw.sql}, chr(0)) THEN {literal(f'{column.name} holds a NUL character')}"
    is_empty = f"WHEN {value} IS NULL THEN {literal(f'{column.name} is empty')}" if column.is_required else ""
    return f"CASE {holds_nul} {is_empty} END"


def _empty(column: Column, is_empty: str) -> str:
    if not column.is_required:
        return "NULL"
    return f"CASE WHEN {is_empty} THEN {literal(f'{column.name} is empty')} END"
