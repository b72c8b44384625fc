"""Which columns of a table are attributes, where the config leaves it to us: `attributes: auto`.

Numbers are numbers and words are words. What tells leads apart instead of describing them (names, addresses, ids),
times, and what is empty are no attributes; a code with leading zeros is a word.
"""

# ruff: noqa: S608 - names are quoted and texts escaped; nothing of a user's reaches SQL otherwise

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import duckdb

from features.parsing import Raw, parse_column, quoted
from features.tables import Column
from pipeline.sources.mapping import NUMBERS
from pipeline.sources.relations import Relation

OWN_VALUE_SHARE = 0.5
"""Words of which more than this share of the leads have one of their own describe nobody."""
FEWEST_OWN_VALUES = 50
"""As many different words are always let in."""


@dataclass(frozen=True)
class Inferred:
    """What was made of the columns.

    Attributes:
        attributes: Name to ``text`` or ``number``, in the table's order.
        left_out: Other columns, and why they are no attributes.
    """

    attributes: Mapping[str, str]
    left_out: Mapping[str, str]


@dataclass(frozen=True)
class _Counts:
    """What is in a column: how many values, different ones, numbers, whole ones, codes such as 007, and times."""

    values: int
    different: int
    numbers: int
    whole: int
    codes: int
    times: int


def infer(
    connection: duckdb.DuckDBPyConnection, relation: Relation, *, spoken_for: Collection[str], has_decimal_comma: bool
) -> Inferred:
    """Return the attributes among the columns of *relation*.

    Args:
        connection: DuckDB.
        relation: The table.
        spoken_for: Columns that are something else.
        has_decimal_comma: Whether ``1.234,50`` means 1234.5.
    """
    attributes: dict[str, str] = {}
    left_out: dict[str, str] = {}
    asked = {name: kind for name, kind in relation.columns.items() if name not in spoken_for}
    counted = _counted(connection, relation, asked, has_decimal_comma=has_decimal_comma)
    for name, kind in asked.items():
        told = _judged(kind, counted[name])
        if told in ("text", "number"):
            attributes[name] = told
        else:
            left_out[name] = told
    return Inferred(attributes, left_out)


def _judged(kind: str, found: _Counts) -> str:
    """Return ``text`` or ``number``, or why the column is no attribute."""
    is_number_type = kind.partition("(")[0] in NUMBERS
    is_time = kind.startswith(("DATE", "TIME")) or (bool(found.values) and found.times == found.values)
    if is_time and not is_number_type:
        return "a time"
    if not is_number_type and kind not in ("VARCHAR", "BOOLEAN") and not kind.startswith("ENUM"):
        return f"a {kind.lower()}"
    if not found.values:
        return "empty"
    if is_number_type or (found.numbers == found.values and not found.codes):
        return _judged_number(found)
    is_own = found.different > max(FEWEST_OWN_VALUES, OWN_VALUE_SHARE * found.values)
    return "nearly every lead has its own" if is_own else "text"


def _judged_number(found: _Counts) -> str:
    is_id = found.whole == found.values == found.different and found.values > FEWEST_OWN_VALUES
    return "every lead has its own number" if is_id else "number"


def _counted(
    connection: duckdb.DuckDBPyConnection, relation: Relation, asked: Mapping[str, str], *, has_decimal_comma: bool
) -> dict[str, _Counts]:
    if not asked:
        return {}
    parts = [part for name in asked for part in _aggregates(name, asked[name], has_decimal_comma=has_decimal_comma)]
    row = connection.execute(f"SELECT {', '.join(parts)} FROM {relation.sql}").fetchall()[0]
    each = len(parts) // len(asked)
    return {name: _Counts(*map(int, row[n * each : (n + 1) * each])) for n, name in enumerate(asked)}


def _aggregates(name: str, kind: str, *, has_decimal_comma: bool) -> list[str]:
    text = f"nullif(trim({quoted(name)}::VARCHAR), '')"
    number = parse_column(
        Column(name, "number", ""), Raw(quoted(name), kind, has_decimal_comma=has_decimal_comma)
    ).value
    is_text = kind == "VARCHAR"
    return [
        f"count({text})",
        f"count(DISTINCT {text})",
        f"count({number})",
        f"count(*) FILTER ({number} = floor({number}))",
        f"count(*) FILTER (regexp_matches({text}, '^-?0[0-9]'))" if is_text else "0",
        f"count(TRY_CAST({text} AS TIMESTAMP))" if is_text else "0",
    ]
