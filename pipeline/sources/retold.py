"""What a CRM tells a second time because the ledger that remembered it was lost.

Rows of an earlier load whose ids the ledger would no longer give were told by a ledger that is gone, or by what a copy
put back did not hold yet. A CRM that is read anew tells first how everybody stands, often under a new time: many keep
only the moment at which the record last changed, for whatever reason. What it says then, and was known, is no news::

    ledger (lost)   won, known since 4 May
    new ledger      won, heard on 1 June     told a second time: left out, the row of 4 May stands
                    lost, heard on 9 June    news

So only the first word on a lead after the lost rows is compared; what people change from then on counts.
"""

# ruff: noqa: S608 - names are ours, texts are escaped

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from features.parsing import literal, quoted


def outcomes_once(rows: str, *, heard: str, facts: Sequence[Path]) -> str:
    """Return the query of outcomes without those that are told again.

    Args:
        rows: The table of outcomes that the ledger tells, with ``property``, ``number`` and ``outcome_id``.
        heard: The table of all that was heard of these properties.
        facts: The files of what earlier loads took from this CRM.
    """
    told = f"SELECT * EXCLUDE (property, number) FROM {rows}"
    if not facts:
        return told
    return f"""
        WITH lost AS ({_lost(facts, f"SELECT outcome_id FROM {rows}")}),
        first AS (
            SELECT lead_id, property, min(number) AS number
            FROM {heard} JOIN (SELECT lead_id, max(known_at) AS until FROM lost GROUP BY lead_id) USING (lead_id)
            WHERE heard_at > until GROUP BY ALL
        )
        {told} WHERE outcome_id NOT IN (
            SELECT outcome_id FROM {rows} SEMI JOIN first USING (lead_id, property, number)
            SEMI JOIN lost USING (lead_id, outcome)
        )
    """


def states_once(rows: str, *, sides: Sequence[str], facts: Sequence[Path]) -> str:
    """Return the query of states without those that are told again.

    Args:
        rows: The table of states that the ledger tells, with ``heard_at`` and ``state_id``.
        sides: Which of owner and stage they have.
        facts: The files of what earlier loads took from this CRM.
    """
    told = f"SELECT * EXCLUDE (heard_at) FROM {rows}"
    if not facts:
        return told
    is_same = " AND ".join(f"{rows}.{quoted(side)} IS NOT DISTINCT FROM newest.{quoted(side)}" for side in sides)
    return f"""
        WITH lost AS ({_lost(facts, f"SELECT state_id FROM {rows}")}),
        newest AS (
            FROM lost QUALIFY row_number() OVER (PARTITION BY lead_id ORDER BY known_at DESC, occurred_at DESC) = 1
        ),
        first AS (
            SELECT state_id, {is_same} AS is_same FROM {rows} JOIN newest ON {rows}.lead_id = newest.lead_id
            WHERE heard_at > newest.known_at
            QUALIFY row_number() OVER (PARTITION BY {rows}.lead_id ORDER BY heard_at) = 1
        )
        {told} WHERE state_id NOT IN (SELECT state_id FROM first WHERE is_same)
    """


def _lost(facts: Sequence[Path], ids: str) -> str:
    """Return the query of the rows of earlier loads that the ledger no longer tells."""
    files = ", ".join(literal(str(path)) for path in facts)
    return f"""
        SELECT * REPLACE (epoch_us(known_at) AS known_at)
        FROM read_parquet([{files}], union_by_name=true, hive_partitioning=false) WHERE row_id NOT IN ({ids})
    """
