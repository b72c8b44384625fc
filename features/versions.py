"""Versions: which of several rows with one id could be seen at a moment.

Versions of a fact are ordered by ``recorded_at`` (else by when they became known), then by load.
At as_of the newest version known before as_of is read, so version *i*, known at k_i, is current in

    (k_i, min of k_j over all newer j]

and a version that a newer one overtook before it became known is never seen at all.

Example: an order known on 1 March for 50, corrected to 40 by a row recorded on 5 March: a
snapshot of 3 March reads 50, one of 6 March reads 40.
"""

# ruff: noqa: S608 - this module writes SQL; names are quoted and texts escaped

from __future__ import annotations

from collections.abc import Sequence

from features.parsing import quoted

_EXAMPLES = 3
_NEWNESS = ("coalesce(recorded_at, known_at)", "loaded_at")
OLDEST_FIRST = ", ".join(_NEWNESS)
NEWEST_FIRST = ", ".join(f"{key} DESC" for key in _NEWNESS)
"""What orders the versions of one fact."""


def versions_sql(facts: str, *, has_changes: bool = True) -> str:
    """Return the query that adds ``superseded_at`` to *facts* and drops what is never current.

    Args:
        facts: A table expression with the columns of `features.facts.KEYS`.
        has_changes: False promises that no two rows share an id, which saves three passes.

    Returns:
        A query with the columns of *facts* and ``superseded_at`` (NULL = nothing replaced it).
        Facts without a second version pass through untouched: they are nearly all of them.
    """
    if not has_changes:
        return f"SELECT *, NULL::TIMESTAMP AS superseded_at FROM {facts}"
    return f"""
        WITH changed AS (SELECT DISTINCT row_id FROM {facts} WHERE is_change),
        history AS (
            SELECT *, min(known_at) OVER (
                PARTITION BY row_id ORDER BY {OLDEST_FIRST} ROWS BETWEEN 1 FOLLOWING AND UNBOUNDED FOLLOWING
            ) AS superseded_at
            FROM {facts} SEMI JOIN changed USING (row_id)
        )
        SELECT *, NULL::TIMESTAMP AS superseded_at FROM {facts} ANTI JOIN changed USING (row_id)
        UNION ALL BY NAME
        SELECT * FROM history
        WHERE NOT is_retracted AND (superseded_at IS NULL OR known_at < superseded_at)
    """


def content_sql(content: Sequence[str], *, of: str) -> str:
    """Return the expression of what makes two rows with one id differ.

    Args:
        content: Stored names of the columns beside the keys.
        of: The alias of the rows.
    """
    names = ["lead_id", "visitor_id", "occurred_at", *content]
    return f"ROW({', '.join(f'{of}.{quoted(name)}' for name in names)})"


def repeats_sql(rows: str, content: Sequence[str]) -> str:
    """Return the query of what comes more than once among the rows of one load.

    Args:
        rows: A table expression of facts.
        content: Stored names of their columns beside the keys.

    Returns:
        A query of one row: ``surplus`` (rows that repeat another in full), ``versions`` (ids with
        several ``recorded_at``), ``conflicts`` (ids with different content and nothing that tells
        which is newer) and ``examples`` of these, none of which could be a person's address.
    """
    # Hashes first: 20 million texts need gigabytes, their hashes do not.
    suspects = f"SELECT hash(row_id) FROM {rows} GROUP BY 1 HAVING count(*) > 1"
    return f"""
        WITH suspects AS (SELECT * FROM {rows} WHERE hash(row_id) IN ({suspects})),
        kinds AS (
            SELECT row_id, recorded_at, count(*) AS n_rows,
                count(DISTINCT {content_sql(content, of="suspects")}) AS n_contents
            FROM suspects GROUP BY ALL
        ),
        ids AS (
            SELECT row_id, sum(n_rows - 1) FILTER (n_contents = 1) AS surplus, count(*) > 1 AS is_versioned,
                max(n_contents) > 1 AS is_conflict
            FROM kinds GROUP BY row_id
        )
        SELECT coalesce(sum(surplus), 0)::BIGINT AS surplus, count(*) FILTER (is_versioned) AS versions,
            count(*) FILTER (is_conflict) AS conflicts,
            min(row_id, {_EXAMPLES}) FILTER (is_conflict AND NOT contains(row_id, '@')) AS examples
        FROM ids
    """


def with_cancellations_sql(versions: str) -> str:
    """Return the query that splits cancelled orders: a sale until the cancellation was known.

    Args:
        versions: A table expression with ``cancelled_from`` (NULL = not cancelled).

    Returns:
        A query with ``is_cancelled`` in place of ``cancelled_from``.
    """
    return f"""
        SELECT * EXCLUDE (cancelled_from)
            REPLACE (least(superseded_at, cancelled_from) AS superseded_at), FALSE AS is_cancelled
        FROM {versions} WHERE cancelled_from IS NULL OR known_at < cancelled_from
        UNION ALL BY NAME
        SELECT * EXCLUDE (cancelled_from)
            REPLACE (greatest(known_at, cancelled_from) AS known_at), TRUE AS is_cancelled
        FROM {versions}
        WHERE cancelled_from IS NOT NULL AND (superseded_at IS NULL OR cancelled_from < superseded_at)
    """
