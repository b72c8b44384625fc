"""What a CRM tells a second time because the ledger that remembered it was lost.

Rows of an earlier load whose ids the ledger would no longer give were told by a ledger that is gone, or by what a copy
put back did not hold yet. A CRM that is read anew tells first how everybody stands, often under a new time: many keep
only the moment at which the record last changed, for whatever reason. What it says then, and was known, is no news::

    ledger (lost)   won, known since 4 May
    new ledger      won, heard on 1 June     told a second time: left out, the row of 4 May stands
                    lost, heard on 9 June    news

So only the first word on a lead after the lost rows is compared, and with the newest of them alone; what people change
from then on counts.
"""

# ruff: noqa: S608 - names of columns are ours, texts are escaped

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from features.parsing import literal, quoted


def row_id(*parts: str) -> str:
    """Return the SQL of a row's id: a hash of *parts*, which are SQL as well, each apart from the next."""
    return f"md5(json_array({', '.join(parts)})::VARCHAR)"


def outcome_id(target: str, *, occurred: str) -> str:
    """Return the SQL of an outcome's id.

    Args:
        target: The CRM's name in the config.
        occurred: SQL of the moment at which it occurred, microseconds (UTC).
    """
    # A lead may come to the same outcome again, at what the CRM calls the same moment: the nth is told apart.
    return row_id(literal(target), "property", "lead_id", "outcome", occurred, "nth")


def outcomes_once(rows: str, *, heard: str, target: str, facts: Sequence[Path]) -> str:
    """Return the query of outcomes without those that are told again.

    Args:
        rows: The table of outcomes that the ledger tells, with ``property``, ``number`` and ``outcome_id``.
        heard: The table of all that was heard of these properties.
        target: The CRM's name in the config.
        facts: The files of what earlier loads took from this CRM.
    """
    told = f"SELECT * EXCLUDE (property, number) FROM {rows}"
    if not facts:
        return told
    same = "PARTITION BY lead_id, outcome, occurred_at"
    lost = _lost(facts, f"SELECT outcome_id FROM {rows}", beside=f"count(*) OVER ({same}) AS times")
    # Which property told a lost row is not kept beside it: its id tells.
    return f"""
        WITH lost AS (
            SELECT lost.*, property
            FROM ({lost}) lost, unnest(range(1, times + 1)) AS of_times(nth),
                (SELECT DISTINCT property FROM {heard}) AS properties
            WHERE row_id = {outcome_id(target, occurred="epoch_us(occurred_at)")}
        ),
        newest AS (
            FROM lost QUALIFY rank() OVER (PARTITION BY lead_id, property ORDER BY known_at DESC, occurred_at DESC) = 1
        ),
        first AS (
            SELECT lead_id, property, min(number) AS number FROM {heard} JOIN newest USING (lead_id, property)
            WHERE heard_at > known_at GROUP BY ALL
        )
        {told} WHERE outcome_id NOT IN (
            SELECT outcome_id FROM {rows} SEMI JOIN first USING (lead_id, property, number)
            SEMI JOIN newest USING (lead_id, property, outcome)
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


def _lost(facts: Sequence[Path], ids: str, *, beside: str = "NULL") -> str:
    """Return the query of the rows of earlier loads that the ledger no longer tells.

    Args:
        facts: The files of these loads.
        ids: The query of the ids that the ledger gives.
        beside: A column that is made of all rows.
    """
    files = ", ".join(literal(str(path)) for path in facts)
    return f"""
        SELECT * REPLACE (epoch_us(known_at) AS known_at)
        FROM (SELECT *, {beside} FROM read_parquet([{files}], union_by_name=true, hive_partitioning=false))
        WHERE row_id NOT IN ({ids})
    """
