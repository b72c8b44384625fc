"""People: how leads are called, how they are reached, who looks after them, and what they agreed to.

These columns are for showing, for reaching people and for leaving them alone; no model reads them, so they lie apart
from the timelines that features are computed from. Like attributes they have versions. A version that does not say
when it was recorded counts for the whole past: nothing tells when it became true, and a consent that was withdrawn must
not wait until a later moment is scored.

Example: a phone number recorded on 5 March is shown to a run of 6 March, and to one of 4 March the number before it;
without ``recorded_at`` both show the newest there is.
"""

# ruff: noqa: S608 - this module writes SQL; names are quoted

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from features import moments
from features.parsing import quoted
from features.resolution import FactTable
from features.timeline import microseconds
from features.versions import NEWEST_FIRST

PEOPLE = ("display_name", "company", "email", "phone", "owner", "consent")
"""The columns of leads that tell of the person."""


def told_of(content: Sequence[str]) -> tuple[str, ...]:
    """Return which of `PEOPLE` are among the stored columns *content*, in their order."""
    return tuple(name for name in PEOPLE if name in content)


def people_sql(table: FactTable, *, leads: str) -> str:
    """Return the query of all versions of what is known of people, sorted by lead, oldest first.

    Args:
        table: The facts of leads.
        leads: A table expression of `features.resolution.leads_sql`.

    Returns:
        A query with ``lead_no``, ``known_at`` and `told_of` the table's content. A lead that a full export no longer
        has is not among them.
    """
    columns = ", ".join(map(quoted, told_of(table.content)))
    return f"""
        WITH aged AS (
            SELECT *, row_number() OVER (PARTITION BY row_id ORDER BY {NEWEST_FIRST}) AS age FROM {table.relation}
        ),
        gone AS (SELECT row_id FROM aged WHERE age = 1 AND is_retracted)
        SELECT lead_no, CASE WHEN recorded_at IS NULL THEN exists_from ELSE known_at END AS known_at
            {"," if columns else ""} {columns}
        FROM aged ANTI JOIN gone USING (row_id)
        JOIN (SELECT lead_id, lead_no, exists_from FROM {leads}) USING (lead_id)
        WHERE NOT is_retracted
        ORDER BY lead_no, age DESC
    """


def people_at(versions: pa.Table, *, as_of: int) -> pa.Table:
    """Return each lead's newest version known at *as_of*: one row per lead that has any.

    Args:
        versions: As `people_sql` gives them.
        as_of: The moment, microseconds (UTC); what was recorded exactly then is known, as a lead created then exists.
    """
    known = versions.filter(pa.array(moments.exists(microseconds(versions["known_at"]), as_of)))
    numbers = known["lead_no"].to_numpy()
    is_last = np.diff(numbers, append=-1) != 0
    return known.filter(pa.array(is_last)).drop_columns(["known_at"])
