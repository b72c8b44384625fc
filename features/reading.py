"""How rows of one source become facts: which columns fill what, in which zone, at which load."""

from __future__ import annotations

from dataclasses import dataclass

from features.local_time import LocalClock
from features.parsing import Raw
from features.tables import CanonicalTable, Column


@dataclass(frozen=True)
class Mapped:
    """One column of a canonical table and the source's value that fills it.

    Attributes:
        column: The canonical or extra column.
        raw: How the source holds it.
        is_extra: Whether it is the shop's own.
    """

    column: Column
    raw: Raw
    is_extra: bool = False


@dataclass(frozen=True)
class Reading:
    """How rows of one source become facts.

    Attributes:
        table: The canonical table.
        columns: What is mapped.
        clock: The zone of naive times.
        loaded_at: The moment of the load, microseconds (UTC); later rows are from the future.
        numbered_by: Expression of the row's id where no id is mapped.
        cancelled_statuses: States of an order that mean cancelled.
        is_status_static: Whether a state without a time was true from the start.
    """

    table: CanonicalTable
    columns: tuple[Mapped, ...]
    clock: LocalClock
    loaded_at: int
    numbered_by: str = ""
    cancelled_statuses: tuple[str, ...] = ()
    is_status_static: bool = False

    @property
    def names(self) -> frozenset[str]:
        """The names of the mapped columns."""
        return frozenset(mapped.column.name for mapped in self.columns)

    @property
    def content(self) -> tuple[Column, ...]:
        """The mapped columns beside ids, owners and the table's own clock, in a fixed order."""
        keys = {self.table.id_column, self.table.time_column, "lead_id", "visitor_id", "recorded_at"}
        return tuple(mapped.column for mapped in self.columns if mapped.column.name not in keys)

    @property
    def has_ids(self) -> bool:
        """Whether equal ids tell equal facts; links are told apart by what they link, and when."""
        return not self.table.id_column or self.table.id_column in self.names
