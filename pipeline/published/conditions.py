"""What an ask's filters are in SQL: names of columns are ours, whatever a person chose is bound."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from models.holds import OVERRIDE
from pipeline.published.asks import Ask
from pipeline.published.list_columns import SET_MARK
from pipeline.published.run_info import CHOICE_COLUMNS, SET_COLUMNS


@dataclass(frozen=True)
class Condition:
    """A condition on a row of the list.

    Attributes:
        sql: With a ``?`` for each value; empty = every row.
        values: What is bound to them, in order.
    """

    sql: str = ""
    values: tuple[str | int, ...] = ()

    @property
    def where(self) -> str:
        """The clause of a query, or nothing."""
        return f"WHERE {self.sql}" if self.sql else ""


def condition(ask: Ask) -> Condition:
    """Return the condition of an ask's filters; equal ones come out equal, whatever the order of the values."""
    parts = [
        (_in_set if column in SET_COLUMNS else _is_one_of)(column, sorted(set(getattr(ask, name))))
        for name, column in CHOICE_COLUMNS.items()
        if getattr(ask, name)
    ]
    if ask.held is not None:
        is_held = _is_held(ask.overridden)
        parts.append(is_held if ask.held else Condition(f"NOT ({is_held.sql})", is_held.values))
    sql = " AND ".join(f"({part.sql})" for part in parts)
    return Condition(sql, tuple(value for part in parts for value in part.values))


def _is_held(overridden: frozenset[int] | None) -> Condition:
    if overridden is None:
        return Condition("held_set <> ''")
    parts, by_people = ["held_set NOT IN ('', ?)"], sorted(overridden)
    if by_people:
        parts.append(f"lead_key IN ({', '.join('?' * len(by_people))})")
    return Condition(" OR ".join(parts), (f"{SET_MARK}{OVERRIDE}{SET_MARK}", *by_people))


def _is_one_of(column: str, values: Sequence[str]) -> Condition:
    known = [value for value in values if value]
    parts = [f"{column} IN ({', '.join('?' * len(known))})"] if known else []
    if len(known) < len(values):
        parts.append(f"{column} IS NULL OR {column} = ''")
    return Condition(" OR ".join(parts), tuple(known))


def _in_set(column: str, values: Sequence[str]) -> Condition:
    parts = [f"contains({column}, ?)" if value else f"{column} = ''" for value in values]
    return Condition(" OR ".join(parts), tuple(f"{SET_MARK}{value}{SET_MARK}" for value in values if value))
