"""What stands in a CRM as far as the ledger knows: what was last written, and who was turned away.

All of it is set-based SQL that SQLite and PostgreSQL both understand.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import (
    JSON,
    ColumnElement,
    Connection,
    Insert,
    Select,
    Table,
    and_,
    cast,
    delete,
    exists,
    false,
    func,
    insert,
    literal,
    not_,
    null,
    select,
    true,
    update,
)
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from pipeline.crm.ledger.tables import BATCHES, REJECTIONS, ROWS, STANDING

_PER_QUESTION: Final = 10_000
"""Leads asked about at once."""
_SCHEMA: Final = pa.schema(
    {
        "lead_id": pa.string(), "payload": pa.string(), "score": pa.int64(), "grade": pa.string(),
        "action": pa.string(), "mapping": pa.string(), "written_at": pa.int64(), "is_unsure": pa.bool_(),
    }
)  # fmt: skip
_WRITTEN: Final = ("payload", "score", "grade", "action", "mapping", "run_id", "written_at", "is_unsure")


def standing_of(connection: Connection, target: str, lead_ids: pa.Array) -> pa.Table:
    """Return what stands for *lead_ids*, row by row; all null where nothing was ever written.

    Returns:
        ``lead_id, payload, score, grade, action, mapping, written_at, is_unsure``, shape ``(n_leads,)`` each;
        ``lead_id`` is null where nothing stands.
    """
    columns = [STANDING.c[name] for name in _SCHEMA.names]
    found = _asked(connection, columns, STANDING, target, lead_ids)
    columns_found = zip(*found, strict=True) if found else [[] for _ in _SCHEMA.names]
    arrays = [pa.array(list(values), kind) for values, kind in zip(columns_found, _SCHEMA.types, strict=True)]
    table = pa.table(arrays, schema=_SCHEMA)
    at = pc.index_in(lead_ids, value_set=table["lead_id"].combine_chunks())
    return table.take(at)


def rejected_of(connection: Connection, target: str, mapping: str, lead_ids: pa.Array) -> pa.Array:
    """Return which of *lead_ids* the CRM turned away for good under this mapping, as truth values."""
    found = _asked(connection, [REJECTIONS.c.lead_id, REJECTIONS.c.mapping], REJECTIONS, target, lead_ids)
    turned_away = pa.array([lead_id for lead_id, under in found if under == mapping], pa.string())
    return pc.is_in(lead_ids, value_set=turned_away)


def nothing_stands(connection: Connection, target: str) -> bool:
    """Return whether nothing was ever written to *target*."""
    return connection.execute(select(exists().where(STANDING.c.target == target))).scalar() is False


def sample(connection: Connection, target: str, *, most: int) -> list[Any]:
    """Return up to *most* leads that something stands for, spread over all of them, as rows of the table."""
    of_target = and_(STANDING.c.target == target, not_(STANDING.c.is_unsure), STANDING.c.payload.is_not(None))
    ids = list(connection.execute(select(STANDING.c.lead_id).where(of_target).order_by(STANDING.c.lead_id)).scalars())
    step = max(1, len(ids) // most)
    chosen = ids[::step][:most]
    wanted = select(STANDING).where(STANDING.c.target == target, STANDING.c.lead_id.in_(chosen))
    return list(connection.execute(wanted.order_by(STANDING.c.lead_id)).all())


def take_over(
    connection: Connection, target: str, run_id: int, mapping: str, *, rows: ColumnElement[bool], at: int
) -> None:
    """Let what *rows* of a run say be what stands, and forget that these leads were turned away.

    Args:
        connection: The ledger.
        target: Where they were written to.
        run_id: The run.
        mapping: Hash of what goes into which property.
        rows: A condition on ``ledger_rows``: those that were written.
        at: When, microseconds (UTC).
    """
    of_run = and_(ROWS.c.run_id == run_id, rows)
    said = select(
        literal(target), ROWS.c.lead_id, ROWS.c.payload, ROWS.c.score, ROWS.c.grade, ROWS.c.action, literal(mapping),
        literal(run_id), literal(at), false(),
    ).where(of_run)  # fmt: skip
    connection.execute(_upserted(connection, said))
    written = select(ROWS.c.lead_id).where(of_run)
    connection.execute(delete(REJECTIONS).where(REJECTIONS.c.target == target, REJECTIONS.c.lead_id.in_(written)))


def mark_unsure(connection: Connection, target: str, run_id: int, mapping: str, *, batch_size: int, at: int) -> None:
    """Note that nobody knows what stands for the leads whose batch was on its way when a run was given up."""
    on_its_way = exists().where(
        BATCHES.c.run_id == run_id, BATCHES.c.state == "in_flight", BATCHES.c.number == ROWS.c.number // batch_size
    )
    of_run = and_(ROWS.c.run_id == run_id, ROWS.c.state == "pending", on_its_way)
    known = select(ROWS.c.lead_id).where(of_run)
    connection.execute(
        update(STANDING).where(STANDING.c.target == target, STANDING.c.lead_id.in_(known)).values(is_unsure=True)
    )
    nothing = exists().where(STANDING.c.target == target, STANDING.c.lead_id == ROWS.c.lead_id)
    said = select(
        literal(target), ROWS.c.lead_id, null(), null(), null(), null(), literal(mapping), literal(run_id),
        literal(at), true(),
    ).where(of_run, not_(nothing))  # fmt: skip
    connection.execute(insert(STANDING).from_select(["target", "lead_id", *_WRITTEN], said))


def _asked(
    connection: Connection,
    columns: Sequence[Any],
    table: Table,
    target: str,
    lead_ids: pa.Array,
) -> list[Any]:
    found: list[Any] = []
    for start in range(0, len(lead_ids), _PER_QUESTION):
        some = _listed(connection, json.dumps(lead_ids.slice(start, _PER_QUESTION).to_pylist()))
        wanted = select(*columns).where(table.c.target == target, table.c.lead_id.in_(some))
        found += connection.execute(wanted).all()
    return found


def _listed(connection: Connection, ids: str) -> Select[Any]:
    """Return a SELECT of a JSON list of ids: one variable, however many they are."""
    if connection.dialect.name == "postgresql":
        return select(func.json_array_elements_text(cast(literal(ids), JSON)).column_valued("listed"))
    return select(func.json_each(literal(ids)).table_valued("value").c.value)


def _upserted(connection: Connection, said: Any) -> Insert:  # noqa: ANN401 - a SELECT
    make = postgresql_insert if connection.dialect.name == "postgresql" else sqlite_insert
    inserted = make(STANDING).from_select(["target", "lead_id", *_WRITTEN], said)
    new = {name: inserted.excluded[name] for name in _WRITTEN}
    return inserted.on_conflict_do_update(index_elements=["target", "lead_id"], set_=new)
