"""The slow, obvious way to compute every feature and label: plain loops over dict rows.

Written from the rules alone, sharing no code with the product. A *row* is a dict with
``occurred`` and ``known`` (microseconds), ``id`` and the columns in the shop's units. Everything
is exact (fractions) and rounded to a float once, at the end.
"""

import math
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from zoneinfo import ZoneInfo

DAY = 86_400_000_000
MISSING = float("nan")


def feature(measure, kind, snapshot, world):
    """Return one feature of one snapshot: a float (NaN = missing), or text or None for a category.

    Args:
        measure: What to compute (`features.catalog.Measure`), read as plain data.
        kind: "number" or "category".
        snapshot: (lead, as_of, ends_at, trigger row or None).
        world: Answers ``visible(table, lead, as_of)`` -> rows in order, ``data_from(table)``,
            ``exists_from(lead)`` and ``zone``.
    """
    value = _value(measure, snapshot, world)
    if kind == "category":
        return value
    return MISSING if value is None else float(value)


def _value(measure, snapshot, world):  # noqa: PLR0911 - one case after the other is the point
    lead, as_of, ends_at, trigger = snapshot
    if measure.kind == "trigger":
        return trigger[measure.column]
    if measure.kind == "trigger_days":
        return Fraction(ends_at - as_of, DAY)
    if measure.kind == "lead_age":
        return Fraction(max(as_of - world.exists_from(lead), 0), DAY)
    if measure.kind in ("weekday", "month", "day_of_month"):
        return _calendar(measure.kind, as_of, world.zone)
    if not measure.is_partial and not _is_covered(as_of, measure.window, world.data_from(measure.table)):
        return None
    rows = world.visible(measure.table, lead, as_of)
    mine = [row for row in rows if _meets(row, measure.where) and _is_in_window(row, as_of, measure.window)]
    if measure.kind.startswith("open_"):
        return _open(measure, snapshot, world, mine)
    if measure.kind in ("share", "rate"):
        pool = mine if measure.kind == "share" else [r for r in rows if _is_in_window(r, as_of, measure.window)]
        part = [row for row in pool if _meets(row, measure.of)]
        return Fraction(len(part), len(mine)) if mine else None
    if measure.kind == "trend":
        return _trend(measure, snapshot, world, mine)
    return _of_rows(measure, mine, as_of)


def _of_rows(measure, rows, as_of):  # noqa: C901, PLR0911 - one case after the other is the point
    values = [row[measure.column] for row in rows] if measure.column else []
    present = [value for value in values if value is not None]
    if measure.kind == "count":
        return len(rows)
    if measure.kind == "sum":
        return sum((_exact(value) for value in present), Fraction(0))
    if measure.kind == "mean":
        return sum((_exact(value) for value in present), Fraction(0)) / len(present) if present else None
    if measure.kind == "distinct":
        return len(set(present))
    if measure.kind.startswith("decayed_"):
        return _faded(measure, rows, as_of)
    if not rows:
        return None
    if measure.kind == "first":
        return values[0]
    if measure.kind == "last":
        return values[-1]
    first, last = rows[0]["occurred"], rows[-1]["occurred"]
    if measure.kind == "days_since_first":
        return Fraction(as_of - first, DAY)
    if measure.kind == "days_since_last":
        return Fraction(as_of - last, DAY)
    gap = Fraction(last - first, (len(rows) - 1) * DAY) if len(rows) > 1 else None
    if measure.kind == "mean_gap":
        return gap
    if measure.kind == "overdue":
        return Fraction(as_of - last, DAY) / gap if gap else None
    raise NotImplementedError(measure.kind)


def _faded(measure, rows, as_of):
    """Rows that count less as they age: times in whole milliseconds, or weights in whole parts of 2^40."""
    if measure.kind == "decayed_linear":
        length = measure.window * DAY // 1000
        return sum((1 - Fraction(as_of // 1000 - row["occurred"] // 1000, length) for row in rows), Fraction(0))
    if measure.kind == "decayed_half_life":
        ages = [float(as_of - row["occurred"]) / (measure.half_life * DAY) for row in rows]
        return Fraction(sum(round(math.exp2(-age) * 2**40) for age in ages), 2**40)
    raise NotImplementedError(measure.kind)


def _trend(measure, snapshot, world, short):
    lead, as_of, _, _ = snapshot
    if not _is_covered(as_of, measure.long_window, world.data_from(measure.table)):
        return None
    rows = [row for row in world.visible(measure.table, lead, as_of) if _meets(row, measure.where)]
    long = [row for row in rows if _is_in_window(row, as_of, measure.long_window)]
    if not long:
        return None
    return Fraction(len(short), measure.window) / Fraction(len(long), measure.long_window)


def _open(measure, snapshot, world, rows):
    """Rows in the window that occurred after the latest row that closed what was open before."""
    lead, as_of, _, _ = snapshot
    if not _is_covered(as_of, measure.window, world.data_from(measure.since_table)):
        return None
    closing = [r for r in world.visible(measure.since_table, lead, as_of) if _meets(r, measure.since_where)]
    latest = max((row["occurred"] for row in closing), default=None)
    still = [row for row in rows if latest is None or row["occurred"] > latest]
    if measure.kind == "open_count":
        return len(still)
    if measure.kind == "open_sum":
        return sum((_exact(r[measure.column]) for r in still if r[measure.column] is not None), Fraction(0))
    return Fraction(as_of - still[0]["occurred"], DAY) if still else None


def label(conversion, snapshot, world, *, match="", settle=0):
    """Return when the lead first converted as far as was known at ends_at + settle, or None.

    Args:
        conversion: Table and conditions; cancelled orders are no conversions.
        snapshot: (lead, as_of, ends_at, trigger row or None).
        world: Answers ``decided(table, lead, decided_at)`` -> rows.
        match: A column that conversion and trigger must share.
        settle: Microseconds after the label window in which late news counts.
    """
    lead, as_of, ends_at, trigger = snapshot
    moments = []
    for row in world.decided(conversion.table, lead, ends_at + settle):
        if not as_of <= row["occurred"] < ends_at or not _meets(row, conversion.where):
            continue
        names = {condition.column for condition in conversion.where}
        if row.get("is_cancelled") and "is_cancelled" not in names:
            continue
        if trigger is not None and trigger["table"] == conversion.table and row["id"] == trigger["id"]:
            continue
        if match and (row[match] is None or row[match] != trigger[match]):
            continue
        moments.append(row["occurred"])
    return min(moments, default=None)


def _is_in_window(row, as_of, days):
    return row["occurred"] < as_of and (days == 0 or row["occurred"] >= as_of - days * DAY)


def _is_covered(as_of, days, data_from):
    """Data must reach back over the window; "ever" needs any data at all."""
    if data_from is None:
        return True
    return data_from < as_of if days == 0 else data_from <= as_of - days * DAY


def _meets(row, where):
    return all(_passes(row[condition.column], condition.operator, condition.operands) for condition in where)


def _passes(value, operator, operands):
    if operator == "missing":
        return (value is None) == operands[0]
    if operator == "not":
        return value not in operands
    if value is None:
        return False
    if operator == "in":
        return value in operands
    if operator == "contains":
        return any(operand.lower() in value.lower() for operand in operands)
    bound = operands[0]
    return {"min": value >= bound, "max": value <= bound, "above": value > bound, "below": value < bound}[operator]


def _calendar(kind, as_of, zone):
    local = (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=as_of)).astimezone(ZoneInfo(zone))
    return {"weekday": local.isoweekday(), "month": local.month, "day_of_month": local.day}[kind]


def _exact(value):
    return Fraction(value)
