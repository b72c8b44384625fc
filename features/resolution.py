"""Resolution: facts become timeline rows, each visible from when it was known until replaced.

Three ideas are laid over each other: versions (`features.versions`), cancellations (there too) and
owners (`features.ownership`). What remains are rows that are visible exactly when
``known_at < as_of <= superseded_at``; nothing known at or after a moment can change what was
visible before it, because every interval is closed only by what closes it.

Leads are numbered by (bucket, lead_id), so that a bucket is a range of numbers.
"""

# ruff: noqa: S608 - this module writes SQL; names are quoted and texts escaped

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from features.ownership import owned_rows_sql
from features.parsing import quoted
from features.row_order import TIE
from features.versions import OLDEST_FIRST, versions_sql, with_cancellations_sql

TIMELINE_KEYS = ("lead_no", "occurred_at", "known_at", "superseded_at", "link_bits", "row_id")
"""The columns that every timeline begins with."""

_HIDDEN = ("cancelled_at",)


@dataclass(frozen=True)
class FactTable:
    """What resolution must know about one table of facts.

    Attributes:
        name: The canonical table.
        relation: The table expression that reads its facts.
        content: Stored names of its columns beside the keys, in order.
        has_changes: Whether some ids have more than one row.
        has_visitors: Whether some rows name only a visitor.
        is_numbered: Whether some rows have a made-up id, which must not order anything.
        left_out: Columns that may not be used, such as a status without a time.
    """

    name: str
    relation: str
    content: tuple[str, ...]
    has_changes: bool = True
    has_visitors: bool = False
    is_numbered: bool = True
    left_out: tuple[str, ...] = ()


def leads_sql(tables: Iterable[FactTable], *, buckets: int) -> str:
    """Return the query of all leads: those of the leads table and any seen elsewhere.

    Args:
        tables: All tables of facts.
        buckets: How many buckets to spread them over.

    Returns:
        A query with ``lead_no``, ``lead_id``, ``exists_from``, ``bucket`` and, where mapped,
        ``display_name`` (the newest).
    """
    tables = list(tables)
    seen = [
        f"SELECT lead_id, min(known_at) AS known_at FROM {table.relation} "
        "WHERE lead_id IS NOT NULL AND NOT is_retracted GROUP BY lead_id"
        for table in tables
    ]
    named = [table for table in tables if table.name == "leads" and "display_name" in table.content]
    name = "arg_max(display_name, known_at) FILTER (display_name IS NOT NULL)"
    names = f"(SELECT lead_id, {name} AS display_name FROM {named[0].relation} GROUP BY lead_id)" if named else ""
    return f"""
        WITH seen AS ({" UNION ALL ".join(seen)}),
        leads AS (
            SELECT lead_id, min(known_at) AS exists_from, (md5_number_lower(lead_id) % {buckets})::INTEGER AS bucket
            FROM seen GROUP BY lead_id
        )
        SELECT row_number() OVER (ORDER BY bucket, lead_id) - 1 AS lead_no, leads.*{", display_name" if named else ""}
        FROM leads {f"LEFT JOIN {names} USING (lead_id)" if named else ""}
        ORDER BY lead_no
    """


def timeline_sql(table: FactTable, *, leads: str, ownership: str) -> str:
    """Return the query of a table's timeline, sorted.

    Args:
        table: The facts, not those of leads or identities.
        leads: A table expression of `leads_sql`.
        ownership: A table expression of `features.ownership.ownership_sql`.

    Returns:
        A query with `TIMELINE_KEYS`, ``is_cancelled`` (orders) and the content, sorted by
        `features.row_order.TIE`; ties are left to `tie_order`.
    """
    versions, content = _versions(table), _shown(table)
    rows = "SELECT *, 0::TINYINT AS link_bits FROM versions"
    if table.has_visitors:
        rows = owned_rows_sql("versions", ownership)
    columns = ", ".join([*TIMELINE_KEYS, *map(quoted, content)])
    return f"""
        WITH versions AS NOT MATERIALIZED ({versions}),
        owned AS NOT MATERIALIZED ({rows})
        SELECT {columns} FROM owned JOIN {leads} AS leads USING (lead_id)
        ORDER BY {", ".join(TIE)}
    """


def tie_order(table: FactTable) -> tuple[str, ...]:
    """Return the columns that order a timeline's ties: ids, or the whole row where ids are made up."""
    if not table.is_numbered:
        return ("row_id",)
    return (*_shown(table), "superseded_at", "row_id")


def attributes_sql(table: FactTable, *, leads: str, attributes: Sequence[str], static: Iterable[str]) -> str:
    """Return the query of the attributes' timeline: one row per version of a lead's row.

    A static attribute has always been so: it is known one microsecond before the lead exists. Any
    other is known when its row was recorded or, without ``recorded_at``, at the load that read it.

    Args:
        table: The facts of leads.
        leads: A table expression of `leads_sql`.
        attributes: Stored names of the attributes to keep, in order.
        static: Those among them that never change.
    """
    fixed = set(static)
    moving = [name for name in attributes if name not in fixed]
    parts = []
    if fixed:
        blanked = [f"NULL AS {quoted(name)}" for name in moving]
        kept = [quoted(name) for name in attributes if name in fixed]
        until = "least(superseded_at, moving_from)" if moving else "superseded_at"
        begins = "least(exists_from, known_at) - to_microseconds(1)"
        parts.append(
            f"SELECT lead_no, {begins} AS known_at, {until} AS superseded_at, row_id, {', '.join([*kept, *blanked])} "
            "FROM placed WHERE version = 1"
        )
    columns = ", ".join(map(quoted, attributes))
    which = "" if moving else "WHERE version > 1"
    parts.append(f"SELECT lead_no, moving_from AS known_at, superseded_at, row_id, {columns} FROM placed {which}")
    return f"""
        WITH versions AS NOT MATERIALIZED ({_versions(table)}),
        placed AS (
            SELECT versions.*, lead_no, exists_from,
                CASE WHEN recorded_at IS NULL THEN greatest(known_at, loaded_at) ELSE known_at END AS moving_from,
                row_number() OVER (PARTITION BY row_id ORDER BY {OLDEST_FIRST}) AS version
            FROM versions JOIN {leads} AS leads USING (lead_id)
        )
        SELECT lead_no, known_at AS occurred_at, known_at, superseded_at, 0::TINYINT AS link_bits, row_id, {columns}
        FROM ({" UNION ALL BY NAME ".join(parts)})
        WHERE superseded_at IS NULL OR known_at < superseded_at
        ORDER BY lead_no, occurred_at
    """


def _versions(table: FactTable) -> str:
    versions = versions_sql(table.relation, has_changes=table.has_changes)
    return with_cancellations_sql(f"({versions})") if table.name == "orders" else versions


def _shown(table: FactTable) -> tuple[str, ...]:
    shown = tuple(name for name in table.content if name not in (*_HIDDEN, *table.left_out))
    return ("is_cancelled", *shown) if table.name == "orders" else shown
