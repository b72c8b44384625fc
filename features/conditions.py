"""Conditions on columns: which rows make a signal, a conversion or a cohort.

Written in the config as ``{column: value}``, ``{column: [value, value]}`` or
``{column: {min: 1, max: 9, above: 0, below: 5, not: x, contains: price, missing: true}}``;
all must hold. A missing value meets only ``missing: true`` and ``not``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from features.columns import codes
from features.errors import LeadlightError, nearest, wrong_input

Scalar: TypeAlias = str | int | float | bool

OPERATORS = ("min", "max", "above", "below", "in", "not", "contains", "missing")
"""What a condition may ask of a column; ``min``/``max`` include their bound."""
_BOUNDS = ("min", "max", "above", "below")


@dataclass(frozen=True)
class Condition:
    """One test of one column.

    Attributes:
        column: The column's name.
        operator: One of `OPERATORS`.
        operands: The value or values to compare with.
    """

    column: str
    operator: str
    operands: tuple[Scalar, ...]


Conditions: TypeAlias = tuple[Condition, ...]


def parse(where: Mapping[str, object] | None) -> Conditions:
    """Return the conditions that *where* spells, in a canonical order.

    Raises:
        LeadlightError: An operator is unknown or does not take such a value.
    """
    found, wrong = _read(where or {})
    if wrong:
        raise _bad_conditions(wrong)
    return canonical(found)


def faults(where: Mapping[str, object]) -> list[str]:
    """Return what is wrong with conditions as they are written, one line each; nothing where `parse` reads them."""
    return _read(where)[1]


def _read(where: Mapping[str, object]) -> tuple[list[Condition], list[str]]:
    """Return the conditions that can be read, and what is wrong with the others."""
    found: list[Condition] = []
    wrong: list[str] = []
    for column, test in where.items():
        for operator, operand in _tests(test):
            operands = tuple(operand) if isinstance(operand, (list, tuple)) else (operand,)
            fault = _fault(operator, operands)
            if fault:
                wrong.append(f"{column}: {fault}")
            else:
                found.append(Condition(column, operator, operands))
    return found, wrong


def crossed(conditions: Conditions) -> list[str]:
    """Return which columns have bounds that no value can keep, one line each.

    They are read like any others (what was stored with such bounds must still be), and no row meets them.
    """
    found = []
    for column in sorted(columns_of(conditions)):
        bounds = [one for one in conditions if one.column == column and one.operator in _BOUNDS]
        lower = [one for one in bounds if one.operator in ("min", "above")]
        upper = [one for one in bounds if one.operator in ("max", "below")]
        found += [
            f"{column}: {low.operator} {_shown(low.operands)} and {high.operator} {_shown(high.operands)} leave nothing"
            for low in lower
            for high in upper
            if not _has_room(low, high)
        ]
    return found


def _has_room(low: Condition, high: Condition) -> bool:
    """Whether a value can keep both bounds; the same end is one if both take it in."""
    least, most = float(low.operands[0]), float(high.operands[0])
    return least < most or (least == most and (low.operator, high.operator) == ("min", "max"))


def canonical(conditions: Iterable[Condition]) -> Conditions:
    """Return *conditions* in the order in which all conditions are kept."""
    return tuple(sorted(conditions, key=lambda c: (c.column, c.operator, str(c.operands))))


def spell(conditions: Conditions) -> dict[str, dict[str, list[Scalar]]]:
    """Return *conditions* as plain data that `parse` reads back unchanged."""
    spelled: dict[str, dict[str, list[Scalar]]] = {}
    for condition in conditions:
        spelled.setdefault(condition.column, {})[condition.operator] = list(condition.operands)
    return spelled


def columns_of(conditions: Conditions) -> set[str]:
    """Return the names of the columns that *conditions* read."""
    return {condition.column for condition in conditions}


def mask(conditions: Conditions, table: pa.Table, *, scales: Mapping[str, int] | None = None) -> npt.NDArray[np.bool_]:
    """Return which rows of *table* meet all *conditions*, shape ``(n_rows,)``.

    Args:
        conditions: What must hold.
        table: Rows with every column that the conditions name.
        scales: Stored units per user's unit and column (money is stored in 1/10,000), so that
            ``amount: {min: 50}`` means 50 of the shop's currency.

    Raises:
        LeadlightError: A column's kind of value cannot be tested so.
    """
    if wrong := misfits(conditions, table):
        raise _bad_conditions(wrong)
    met = np.ones(len(table), dtype=np.bool_)
    for condition in conditions:
        scale = (scales or {}).get(condition.column, 1)
        met &= _met(condition, table[condition.column], scale=scale)
    return met


def misfits(conditions: Conditions, table: pa.Table) -> list[str]:
    """Return why columns of *table* cannot be tested so, one line each; nothing where `mask` can answer."""
    return [fault for condition in conditions if (fault := _misfit(condition, table[condition.column]))]


def _tests(test: object) -> Iterable[tuple[str, object]]:
    if isinstance(test, Mapping):
        return [(str(operator), operand) for operator, operand in test.items()]
    return [("in", test)]


def _fault(operator: str, operands: tuple[object, ...]) -> str:
    """Say what is wrong with a test as it is written, or nothing."""
    if operator not in OPERATORS:
        near = nearest(operator, OPERATORS)
        return f"unknown test '{operator}'" + (f" (did you mean '{near}'?)" if near else "")
    if not all(isinstance(value, (str, int, float, bool)) for value in operands):
        return f"{operator} wants plain values, got {_shown(operands)}"
    if operator in _BOUNDS and (len(operands) != 1 or not _are_numbers(operands)):
        return f"{operator} wants one number, got {_shown(operands)}"
    if operator == "missing" and (len(operands) != 1 or not isinstance(operands[0], bool)):
        return f"missing wants true or false, got {_shown(operands)}"
    if operator == "contains" and not (operands and all(isinstance(value, str) for value in operands)):
        return f"contains wants text, got {_shown(operands)}"
    return ""


def _misfit(condition: Condition, column: pa.ChunkedArray) -> str:
    """Say why a column cannot be tested so, or nothing."""
    operator, operands, kind = condition.operator, condition.operands, _kind(column)
    if operator == "missing" or pa.types.is_null(column.type):
        return ""
    if operator == "contains" and kind != "text":
        return f"{condition.column}: contains asks for text, but the column holds {kind}"
    if operator in _BOUNDS and kind != "numbers":
        return f"{condition.column}: {operator} asks for numbers, but the column holds {kind}"
    if operator in ("in", "not") and not _FITS[kind](operands):
        quotes = " (in YAML, yes and no are words only in quotes)" if kind == "text" and _has_truth(operands) else ""
        return f"{condition.column}: {_shown(operands)} cannot be among {kind}{quotes}"
    return ""


def _kind(column: pa.ChunkedArray) -> str:
    kind = column.type.value_type if pa.types.is_dictionary(column.type) else column.type
    if pa.types.is_integer(kind) or pa.types.is_floating(kind):
        return "numbers"
    if pa.types.is_boolean(kind):
        return "truth values"
    return "times" if pa.types.is_temporal(kind) else "text"


def _shown(operands: tuple[object, ...]) -> str:
    return repr(operands[0]) if len(operands) == 1 else repr(list(operands))


def _has_truth(operands: tuple[object, ...]) -> bool:
    return any(isinstance(value, bool) for value in operands)


def _are_numbers(operands: tuple[object, ...]) -> bool:
    return all(isinstance(value, (int, float)) and not isinstance(value, bool) for value in operands)


_FITS: Mapping[str, Callable[[tuple[object, ...]], bool]] = {
    "numbers": _are_numbers,
    "truth values": lambda operands: all(isinstance(value, bool) for value in operands),
    # A number is read as its digits; true is no word, but was one before YAML read it.
    "text": lambda operands: not any(isinstance(value, bool) for value in operands),
    "times": lambda _: False,
}


def _met(condition: Condition, column: pa.ChunkedArray, *, scale: int) -> npt.NDArray[np.bool_]:
    operator = condition.operator
    if operator == "missing":
        wanted = bool(condition.operands[0])
        return _booleans(pc.equal(pc.is_null(column, nan_is_null=True), wanted))
    if pa.types.is_null(column.type):
        return np.full(len(column), operator == "not", dtype=np.bool_)
    if operator in ("in", "not"):
        met = _is_in(column, condition.operands, scale=scale)
        return met if operator == "in" else ~met
    if operator == "contains":
        return _by_level(column, lambda levels: _contains_any(levels, condition.operands))
    bound = pa.scalar(_stored(condition.operands[0], scale))
    compare = {"min": pc.greater_equal, "max": pc.less_equal, "above": pc.greater, "below": pc.less}[operator]
    return _booleans(compare(_floats(column), bound))


def _is_in(column: pa.ChunkedArray, operands: tuple[Scalar, ...], *, scale: int) -> npt.NDArray[np.bool_]:
    kind = column.type.value_type if pa.types.is_dictionary(column.type) else column.type
    if pa.types.is_boolean(kind):
        return _booleans(pc.is_in(column, value_set=pa.array([bool(value) for value in operands])))
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        wanted = pa.array([str(value) for value in operands], type=kind)
        return _by_level(column, lambda levels: pc.is_in(levels, value_set=wanted))
    wanted = pa.array([_stored(value, scale) for value in operands], type=pa.float64())
    return _booleans(pc.is_in(_floats(column), value_set=wanted))


def _floats(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return numbers as float64, whole ones beyond 2^53 rounded: a condition cannot spell those exactly either."""
    return pc.cast(column, pa.float64(), safe=False)


def _stored(value: Scalar, scale: int) -> float:
    """Return a user's number in stored units; in decimals, as 49.9999 * 10000 falls short of 499999."""
    return float(Decimal(str(value)) * scale)


def _contains_any(levels: pa.Array, operands: tuple[Scalar, ...]) -> pa.Array:
    met = pc.match_substring(levels, str(operands[0]), ignore_case=True)
    for operand in operands[1:]:
        met = pc.or_(met, pc.match_substring(levels, str(operand), ignore_case=True))
    return met


def _by_level(column: pa.ChunkedArray, test: Callable[[pa.Array], pa.Array]) -> npt.NDArray[np.bool_]:
    """Test each distinct value once where the column is dictionary-encoded."""
    if not pa.types.is_dictionary(column.type):
        return _booleans(test(column))
    met = [np.empty(0, dtype=np.bool_)]
    for chunk in column.chunks:
        by_code = np.append(_booleans(test(chunk.dictionary)), False)  # a missing value has code -1: the last
        met.append(by_code.take(codes(chunk)))
    return np.concatenate(met)


def _booleans(column: pa.ChunkedArray | pa.Array) -> npt.NDArray[np.bool_]:
    return np.asarray(column.fill_null(False), dtype=np.bool_)


def _bad_conditions(faults: list[str]) -> LeadlightError:
    hint = f"a condition may ask {', '.join(OPERATORS)}."
    return wrong_input("These conditions cannot be read:", faults, hint=hint)
