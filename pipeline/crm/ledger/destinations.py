"""A target at one place: what was written to another file, table or account says nothing of what stands here.

The ledger keeps places apart, so a target that moves is filled anew, and one that moves back finds what stood there.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import ColumnElement, Table, and_


@dataclass(frozen=True)
class Destination:
    """Where a run writes to.

    Attributes:
        target: How the config calls it.
        place: Hash of the file, the table or the account that it led to; empty = its kind cannot tell.
    """

    target: str
    place: str

    def is_of(self, table: Table) -> ColumnElement[bool]:
        """Return the condition that rows of *table* are about this target at this place."""
        return and_(table.c.target == self.target, table.c.place == self.place)
