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
    or_,
    select,
    true,
    update,
)
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from pipeline.crm.ledger.destinations import Destination
from pipeline.crm.ledger.tables import REJECTIONS, ROWS, RUNS, STANDING

_PER_QUESTION: Final = 10_000
"""Leads asked about at once."""
_SCHEMA: Final = pa.schema(
    {
        "lead_id": pa.string(), "payload": pa.string(), "score": pa.int64(), "grade": pa.string(),
        "action": pa.string(), "mapping": pa.string(), "run_id": pa.int64(), "written_at": pa.int64(),
        "is_unsure": pa.bool_(),
    }
)  # fmt: skip
_KEY: Final = ("target", "place", "lead_id")
_WRITTEN: Final = ("payload", "score", "grade", "action", "mapping", "run_id", "written_at", "is_unsure")


def standing_of(connection: Connection, where: Destination, lead_ids: pa.Array) -> pa.Table:
    """Return what stands for *lead_ids*, row by row; all null where nothing was ever written.

    Returns:
        ``lead_id, payload, score, grade, action, mapping, run_id, written_at, is_unsure``, shape ``(n_leads,)`` each;
        ``lead_id`` is null where nothing stands.
    """
    table = _as_table(_asked(connection, _columns(), STANDING, where, lead_ids))
    at = pc.index_in(lead_ids, value_set=table["lead_id"].combine_chunks())
    return table.take(at)


def rejected_of(connection: Connection, where: Destination, mapping: str, lead_ids: pa.Array) -> pa.Array:
    """Return which of *lead_ids* the CRM turned away for good under this mapping, as truth values."""
    found = _asked(connection, [REJECTIONS.c.lead_id, REJECTIONS.c.mapping], REJECTIONS, where, lead_ids)
    turned_away = pa.array([lead_id for lead_id, under in found if under == mapping], pa.string())
    return pc.is_in(lead_ids, value_set=turned_away)


def first_of(connection: Connection, where: Destination, *, most: int) -> list[Any]:
    """Return up to *most* leads that a score stands for, the first by id, as rows of the table.

    Those that an unfinished run has yet to write are left out: it may have written them without hearing the answer.
    """
    # Those that left are often the oldest: the first of all ids may be of leads that were emptied.
    has_score = and_(_stands(where), STANDING.c.score.is_not(None))
    is_due = and_(where.is_of(RUNS), RUNS.c.state == "open", ROWS.c.state == "pending")
    due = select(ROWS.c.lead_id).join(RUNS, RUNS.c.id == ROWS.c.run_id).where(is_due)
    wanted = select(STANDING).where(has_score, STANDING.c.lead_id.not_in(due))
    wanted = wanted.order_by(STANDING.c.lead_id).limit(most)
    return list(connection.execute(wanted).all())


def sample(connection: Connection, where: Destination, *, most: int) -> list[Any]:
    """Return up to *most* leads that something stands for, spread evenly over all of them, as rows of the table."""
    place, count = func.row_number().over(order_by=STANDING.c.lead_id), func.count().over()
    ids = select(STANDING.c.lead_id, place.label("place"), count.label("leads")).where(_stands(where)).subquery()
    # The first of each of *most* stretches of equal length.
    is_chosen = (ids.c.place * most) // ids.c.leads > ((ids.c.place - 1) * most) // ids.c.leads
    wanted = select(STANDING).where(
        where.is_of(STANDING), STANDING.c.lead_id.in_(select(ids.c.lead_id).where(is_chosen))
    )
    return list(connection.execute(wanted.order_by(STANDING.c.lead_id)).all())


def scored_after(connection: Connection, where: Destination, *, after: str, most: int, in_doubt: bool) -> pa.Table:
    """Return up to *most* leads with a score that stands, or may, by id from *after* on, as `standing_of` does.

    Where all is *in_doubt*, any lead may have one, also one that was emptied.
    """
    may_have_score = true() if in_doubt else or_(STANDING.c.score.is_not(None), STANDING.c.is_unsure)
    here = and_(where.is_of(STANDING), STANDING.c.lead_id > after, may_have_score)
    wanted = select(*_columns()).where(here).order_by(STANDING.c.lead_id).limit(most)
    return _as_table(connection.execute(wanted).all())


def take_over(
    connection: Connection, where: Destination, run_id: int, mapping: str, *, rows: ColumnElement[bool], at: int
) -> None:
    """Let what *rows* of a run say be what stands, and forget that these leads were turned away.

    Args:
        connection: The ledger.
        where: Where they were written to.
        run_id: The run.
        mapping: Hash of what goes into which property.
        rows: A condition on ``ledger_rows``: those that were written.
        at: When, microseconds (UTC).
    """
    writer: tuple[Any, Any] = (literal(mapping), literal(run_id))
    _believe(connection, where, and_(ROWS.c.run_id == run_id, rows), writer, at=at)


def hand_back(
    connection: Connection, where: Destination, run_id: int, mapping: str, *, rows: ColumnElement[bool], at: int
) -> None:
    """Let what *rows* of an undoing restored be what stands, as the word of the run that had written it.

    So that run can be taken back in its turn, and the next one compares with its mapping. Where nothing had stood, or
    nobody knows whose it was, it is the undoing's own; see `take_over`.
    """
    of_former = select(RUNS.c.mapping).where(RUNS.c.id == ROWS.c.former_run).scalar_subquery()
    writer = (func.coalesce(of_former, mapping), func.coalesce(ROWS.c.former_run, run_id))
    _believe(connection, where, and_(ROWS.c.run_id == run_id, rows), writer, at=at)


def _believe(
    connection: Connection, where: Destination, rows: ColumnElement[bool], writer: tuple[Any, Any], *, at: int
) -> None:
    """Let what *rows* say be what stands, as written by the mapping and the run of *writer*."""
    said = select(
        literal(where.target), literal(where.place), ROWS.c.lead_id, ROWS.c.payload, ROWS.c.score, ROWS.c.grade,
        ROWS.c.action, *writer, literal(at), false(),
    ).where(rows)  # fmt: skip
    connection.execute(_upserted(connection, said))
    written = select(ROWS.c.lead_id).where(rows)
    connection.execute(delete(REJECTIONS).where(where.is_of(REJECTIONS), REJECTIONS.c.lead_id.in_(written)))


def mark_unsure(
    connection: Connection, where: Destination, run_id: int, mapping: str, *, rows: ColumnElement[bool], at: int
) -> None:
    """Note that nobody knows what stands for the leads of *rows*, which were on their way; see `take_over`."""
    of_run = and_(ROWS.c.run_id == run_id, rows)
    known = select(ROWS.c.lead_id).where(of_run)
    connection.execute(
        update(STANDING).where(where.is_of(STANDING), STANDING.c.lead_id.in_(known)).values(is_unsure=True)
    )
    nothing = exists().where(where.is_of(STANDING), STANDING.c.lead_id == ROWS.c.lead_id)
    said = select(
        literal(where.target), literal(where.place), ROWS.c.lead_id, null(), null(), null(), null(), literal(mapping),
        literal(run_id), literal(at), true(),
    ).where(of_run, not_(nothing))  # fmt: skip
    connection.execute(insert(STANDING).from_select([*_KEY, *_WRITTEN], said))


def doubt(connection: Connection, where: Destination) -> None:
    """Note that nobody knows what stands at *where*: only what is written from now on is believed."""
    is_sure = and_(where.is_of(STANDING), not_(STANDING.c.is_unsure))
    connection.execute(update(STANDING).where(is_sure).values(is_unsure=True))


def _stands(where: Destination) -> ColumnElement[bool]:
    return and_(where.is_of(STANDING), not_(STANDING.c.is_unsure), STANDING.c.payload.is_not(None))


def _columns() -> list[Any]:
    return [STANDING.c[name] for name in _SCHEMA.names]


def _as_table(found: Sequence[Any]) -> pa.Table:
    columns = zip(*found, strict=True) if found else [[] for _ in _SCHEMA.names]
    arrays = [pa.array(list(values), kind) for values, kind in zip(columns, _SCHEMA.types, strict=True)]
    return pa.table(arrays, schema=_SCHEMA)


def _asked(
    connection: Connection,
    columns: Sequence[Any],
    table: Table,
    where: Destination,
    lead_ids: pa.Array,
) -> list[Any]:
    found: list[Any] = []
    for start in range(0, len(lead_ids), _PER_QUESTION):
        some = listed(connection, lead_ids.slice(start, _PER_QUESTION).to_pylist())
        wanted = select(*columns).where(where.is_of(table), table.c.lead_id.in_(some))
        found += connection.execute(wanted).all()
    return found


def listed(connection: Connection, lead_ids: Sequence[str]) -> Select[Any]:
    """Return a SELECT of *lead_ids* from a JSON list: one variable, however many they are.

    No table has an id with a NUL, which one database cuts there, as if it were another lead's, and another refuses.
    """
    ids = literal(json.dumps([lead_id for lead_id in lead_ids if "\0" not in lead_id]))
    if connection.dialect.name == "postgresql":
        return select(func.json_array_elements_text(cast(ids, JSON)).column_valued("listed"))
    return select(func.json_each(ids).table_valued("value").c.value)


def _upserted(connection: Connection, said: Any) -> Insert:  # noqa: ANN401 - a SELECT
    make = postgresql_insert if connection.dialect.name == "postgresql" else sqlite_insert
    inserted = make(STANDING).from_select([*_KEY, *_WRITTEN], said)
    new = {name: inserted.excluded[name] for name in _WRITTEN}
    return inserted.on_conflict_do_update(index_elements=_KEY, set_=new)
