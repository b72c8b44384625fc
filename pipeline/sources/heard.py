"""What was heard from a CRM as a source of tables: outcomes, and how leads stood.

The ledger keeps one row per change of a property. An *outcome* is a change to a value that the config names; a *state*
is how owner and stage stood after a change of either, the other as it was. Both are known when they were heard. Their
ids are made of what the CRM says, so that another reading does not tell them twice; of when it was heard only where the
CRM gives no time. What a new ledger hears under a new time is looked after by `pipeline.sources.retold`.

Example: the stage became "customer" on 3 May, as the CRM says, and Leadlight heard of it on 4 May. The outcome occurred
on 3 May and is known from 4 May on.
"""

# ruff: noqa: S608 - names are ours, texts are escaped

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

import duckdb
import pyarrow as pa

from features.parsing import literal, quoted
from pipeline.settings import Settings
from pipeline.settings_crm import OutcomeSettings, ReadSettings
from pipeline.sources.relations import Relation, query_relation
from pipeline.sources.retold import outcome_id, outcomes_once, row_id, states_once

_OUTCOMES: Final = pa.schema({"property": pa.string(), "value": pa.string(), "outcome": pa.string()})


def heard_relation(
    connection: duckdb.DuckDBPyConnection,
    settings: Settings,
    table: str,
    target: str,
    *,
    name: str,
    now: int,
    facts: Sequence[Path] = (),
    environment: Mapping[str, str] | None = None,
) -> tuple[Relation, int | None]:
    """Return what was heard from a CRM as rows of a table, and until when the CRM was read.

    Args:
        connection: DuckDB; what was heard is kept in a table of its own there, so that memory stays bounded.
        settings: The shop's config.
        table: ``outcomes`` or ``lead_states``.
        target: The CRM's name in the config.
        name: A name for this source, unique within *connection*.
        now: The moment of the load, microseconds (UTC): what was heard later is left for a later one.
        facts: The files of what earlier loads took from this source.
        environment: Where the ledger's URL is looked up first; None = the process's own.

    Returns:
        The relation, empty before the first reading, and microseconds (UTC), None before the first whole one.

    Raises:
        NotFinishedError: The ledger does not answer.
    """
    read = settings.crm[target].read
    heard = f"heard_{name}"
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE {heard} (lead_id VARCHAR, property VARCHAR, value VARCHAR, "
        "changed_at BIGINT, heard_at BIGINT, number BIGINT)"
    )
    read_until = _copy(
        connection, settings, _properties(table, read), target=target, into=heard, now=now, environment=environment
    )
    rows = f"{heard}_rows"
    if table == "outcomes":
        told = _outcomes(connection, read, target=target, heard=heard)
        query = outcomes_once(rows, heard=heard, target=target, facts=facts)
    else:
        told = _states(read, target=target, heard=heard)
        query = states_once(rows, sides=list(_sides(read)), facts=facts)
    connection.execute(f"CREATE OR REPLACE TEMP TABLE {rows} AS {told}")
    return query_relation(connection, query, table=table, by_content=False), read_until


def has_forgotten(
    connection: duckdb.DuckDBPyConnection,
    settings: Settings,
    facts: Sequence[Path],
    *,
    environment: Mapping[str, str] | None = None,
) -> bool:
    """Return whether the ledger no longer tells of some rows that they were heard, because it was lost or put back.

    Args:
        connection: DuckDB.
        settings: The shop's config.
        facts: The files of what earlier loads took from CRMs, by whatever mapping.
        environment: Where the ledger's URL is looked up first; None = the process's own.

    Raises:
        NotFinishedError: The ledger does not answer.
    """
    from pipeline.crm.ledger.existing import existing
    from pipeline.crm.ledger.hearing import heard_moments

    connection.execute("CREATE OR REPLACE TEMP TABLE heard_moments (lead_id VARCHAR, heard_at BIGINT)")
    with existing(settings, environment) as ledger:
        for batch in () if ledger is None else heard_moments(ledger):
            _insert(connection, batch, into="heard_moments")
    files = ", ".join(literal(str(path)) for path in facts)
    rows = f"SELECT lead_id, epoch_us(known_at) AS heard_at FROM read_parquet([{files}], union_by_name=true)"
    found = connection.execute(f"SELECT count(*) FROM ({rows}) ANTI JOIN heard_moments USING (lead_id, heard_at)")
    return bool(found.fetchall()[0][0])


def _properties(table: str, read: ReadSettings) -> list[str]:
    named = [one.property for one in read.outcomes] if table == "outcomes" else [read.owner, read.stage]
    return list(dict.fromkeys(name for name in named if name))


def _copy(
    connection: duckdb.DuckDBPyConnection,
    settings: Settings,
    properties: list[str],
    *,
    target: str,
    into: str,
    now: int,
    environment: Mapping[str, str] | None,
) -> int | None:
    """Copy what was heard by *now* from the ledger, if there is one, and return until when the CRM was read."""
    from pipeline.crm.hearing import read_until
    from pipeline.crm.ledger.existing import existing
    from pipeline.crm.ledger.hearing import heard_rows

    with existing(settings, environment) as ledger:
        if ledger is None:
            return None
        for batch in heard_rows(ledger, target, properties, until=now):
            _insert(connection, batch, into=into)
        until = read_until(ledger, target, settings.crm[target].read)
    return None if until is None else min(until, now)


def _insert(connection: duckdb.DuckDBPyConnection, batch: pa.RecordBatch, *, into: str) -> None:
    connection.register("heard_batch", pa.Table.from_batches([batch]))
    # As every table reads ids of leads: without blanks around them.
    connection.execute(f"INSERT INTO {into} BY NAME SELECT * REPLACE (trim(lead_id) AS lead_id) FROM heard_batch")
    connection.unregister("heard_batch")


def _outcomes(connection: duckdb.DuckDBPyConnection, read: ReadSettings, *, target: str, heard: str) -> str:
    """Return the query of outcomes: changes to values that mean one."""
    named = [one for one in read.outcomes if one.values]
    plain = ", ".join(literal(one.property) for one in read.outcomes if not one.values) or "NULL"
    meant = pa.Table.from_pylist([row for one in named for row in _meant(connection, one, heard)], _OUTCOMES)
    connection.register("given_meaning", meant)
    connection.execute(f"CREATE OR REPLACE TEMP TABLE {heard}_meant AS FROM given_meaning")
    connection.unregister("given_meaning")
    return f"""
        SELECT lead_id, make_timestamptz(occurred) AS occurred_at, make_timestamptz(heard_at) AS recorded_at, outcome,
            property, number, {outcome_id(target, occurred="occurred")} AS outcome_id
        FROM (
            SELECT *, row_number() OVER (PARTITION BY property, lead_id, outcome, occurred ORDER BY number) AS nth
            FROM (
                SELECT * EXCLUDE (outcome), trim(outcome) AS outcome, coalesce(changed_at, heard_at) AS occurred
                FROM (
                    SELECT {heard}.*, outcome FROM {heard} JOIN {heard}_meant USING (property, value)
                    UNION ALL BY NAME
                    SELECT *, value AS outcome FROM {heard} WHERE property IN ({plain}) AND trim(value) <> ''
                )
            )
        )
    """


def _meant(connection: duckdb.DuckDBPyConnection, asked: OutcomeSettings, heard: str) -> Iterator[dict[str, str]]:
    """Return which of the values that occur mean an outcome; they are compared here, as overrides are."""
    meanings = {value.strip().lower(): outcome for value, outcome in asked.values.items()}
    values = connection.execute(
        f"SELECT DISTINCT value FROM {heard} WHERE value IS NOT NULL AND property = ?", [asked.property]
    ).fetchall()
    for (value,) in values:
        if outcome := meanings.get(value.strip().lower()):
            yield {"property": asked.property, "value": value, "outcome": outcome}


def _states(read: ReadSettings, *, target: str, heard: str) -> str:
    """Return the query of states: owner and stage after every change of either.

    A change that was heard after another did not occur before it, whatever the CRM says of its time: else the older
    one would stand as the newest.
    """
    sides = _sides(read)
    told = ", ".join(
        f"arg_max({{'value': value}}, number) FILTER (property = {literal(said)}) AS {quoted(name)}"
        for name, said in sides.items()
    )
    ordered = "PARTITION BY lead_id ORDER BY heard_at ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW"
    stands = ", ".join(
        f"struct_extract(last_value({quoted(name)} IGNORE NULLS) OVER ({ordered}), 'value') AS {quoted(name)}"
        for name in sides
    )
    # A lead may come to stand twice as it did, at what the CRM calls the same moment: these are two states.
    same = f"lead_id, occurred_at, {', '.join(map(quoted, sides))}"
    nth = f"row_number() OVER (PARTITION BY {same} ORDER BY heard_at)"
    return f"""
        SELECT lead_id, make_timestamptz(occurred_at) AS occurred_at, make_timestamptz(heard_at) AS recorded_at,
            {", ".join(map(quoted, sides))}, heard_at,
            {row_id(literal(target), same, nth)} AS state_id
        FROM (
            SELECT lead_id, heard_at, max(changed_at) OVER ({ordered}) AS occurred_at, {stands}
            FROM (
                SELECT lead_id, heard_at, max(coalesce(changed_at, heard_at)) AS changed_at, {told}
                FROM {heard} GROUP BY lead_id, heard_at
            )
        )
    """


def _sides(read: ReadSettings) -> dict[str, str]:
    """Return which of owner and stage are read, and from which properties."""
    return {name: said for name, said in (("owner", read.owner), ("stage", read.stage)) if said}
