"""The tables of the ledger.

========== ==========================================================================================================
runs       one publication to a target at one place, or its undoing: what was asked, how every lead was accounted for
rows       one lead of a run, with the payload as it was frozen before anything was sent, and what the CRM answered
batches    which rows travel together, whether they are on their way, and the name of the job that carries them
standing   per target, place and lead: what was last written, as far as the ledger knows
rejections per target, place and lead: what the CRM said when it turned it away for good
cursors    per target and place: up to where the CRM's own changes were read
heard      per target and lead: what people said in the CRM, each change with its moments and the place it was heard at
owner      the shop whose ledger it is
========== ==========================================================================================================

Moments are microseconds since 1970 (UTC). Payloads are JSON texts.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, MetaData, String, Table, Text

from features.facts import LONGEST_LEAD_ID

METADATA: Final = MetaData()
_NUMBER: Final = BigInteger().with_variant(Integer, "sqlite")  # SQLite counts up by itself in an INTEGER alone
_ID: Final = String(LONGEST_LEAD_ID)
_PLACE: Final = String(16)  # hash of where a target led to; see `pipeline.crm.ledger.destinations`

RUNS: Final = Table(
    "ledger_runs",
    METADATA,
    Column("id", _NUMBER, primary_key=True, autoincrement=True),
    Column("target", String(200), nullable=False),
    Column("place", _PLACE, nullable=False),
    Column("kind", String(16), nullable=False),  # publish, undo
    Column("state", String(16), nullable=False),  # planned, open, finished, superseded, undone
    Column("as_of", BigInteger, nullable=False),
    Column("model_version", Text, nullable=False),
    Column("filters", Text, nullable=False),  # which of the leads were asked for: JSON
    Column("mapping", String(64), nullable=False),  # hash of what goes into which property
    Column("fields", Text, nullable=False),  # the properties written, with their types: JSON
    Column("undoes", BigInteger, nullable=True),
    Column("batch_size", Integer, nullable=False, default=0),
    Column("given", BigInteger, nullable=False, default=0),
    Column("unchanged", BigInteger, nullable=False, default=0),
    Column("held", BigInteger, nullable=False, default=0),
    Column("still_rejected", BigInteger, nullable=False, default=0),
    Column("written", BigInteger, nullable=False, default=0),  # of its rows, when it ended: they outlive the rows
    Column("rejected", BigInteger, nullable=False, default=0),
    Column("pending", BigInteger, nullable=False, default=0),
    Column("begun_at", BigInteger, nullable=False),
    Column("ended_at", BigInteger, nullable=True),
    Index("ledger_runs_of_target", "target", "id"),
    sqlite_autoincrement=True,  # the number of a run that was thrown away is given to no other
)

ROWS: Final = Table(
    "ledger_rows",
    METADATA,
    Column("run_id", BigInteger, primary_key=True),
    Column("number", BigInteger, primary_key=True),
    Column("lead_id", _ID, nullable=False),
    Column("payload", Text, nullable=False),  # property: value
    Column("score", Integer, nullable=True),
    Column("grade", String(8), nullable=True),
    Column("action", Text, nullable=True),
    Column("former", Text, nullable=True),  # the payload that stood there; null = nothing
    Column("former_score", Integer, nullable=True),
    Column("former_grade", String(8), nullable=True),
    Column("former_action", Text, nullable=True),
    Column("former_run", BigInteger, nullable=True),  # whose values return when it is taken back; null = nobody's
    Column("state", String(12), nullable=False),  # pending, written, rejected, held
    Column("code", Text, nullable=True),
    Column("words", Text, nullable=True),
    Column("answered_at", BigInteger, nullable=True),
    Index("ledger_rows_of_lead", "lead_id"),
)

BATCHES: Final = Table(
    "ledger_batches",
    METADATA,
    Column("run_id", BigInteger, primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("state", String(12), nullable=False),  # pending, in_flight, done
    Column("ticket", Text, nullable=True),
    Column("parts", Text, nullable=True),  # names of jobs that carried only a part of it: JSON
)

STANDING: Final = Table(
    "ledger_standing",
    METADATA,
    Column("target", String(200), primary_key=True),
    Column("place", _PLACE, primary_key=True),
    Column("lead_id", _ID, primary_key=True),
    Column("payload", Text, nullable=True),
    Column("score", Integer, nullable=True),
    Column("grade", String(8), nullable=True),
    Column("action", Text, nullable=True),
    Column("mapping", String(64), nullable=False),
    Column("run_id", BigInteger, nullable=False),
    Column("written_at", BigInteger, nullable=False),
    Column("is_unsure", Boolean, nullable=False),  # whether it arrived, or is still there, nobody knows
)

REJECTIONS: Final = Table(
    "ledger_rejections",
    METADATA,
    Column("target", String(200), primary_key=True),
    Column("place", _PLACE, primary_key=True),
    Column("lead_id", _ID, primary_key=True),
    Column("run_id", BigInteger, nullable=False),
    Column("mapping", String(64), nullable=False),
    Column("code", Text, nullable=False),
    Column("words", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
)

CURSORS: Final = Table(
    "ledger_cursors",
    METADATA,
    Column("target", String(200), primary_key=True),
    Column("place", _PLACE, primary_key=True),
    Column("properties", String(64), primary_key=True),  # hash of the properties read: others are read from the start
    Column("cursor", Text, nullable=False),
    Column("read_at", BigInteger, nullable=False),
)

HEARD: Final = Table(
    "ledger_heard",
    METADATA,
    Column("id", _NUMBER, primary_key=True, autoincrement=True),
    Column("target", String(200), nullable=False),
    Column("place", _PLACE, nullable=True),  # null: heard before places were kept
    Column("lead_id", _ID, nullable=False),
    Column("property", String(200), nullable=False),
    Column("value", Text, nullable=True),
    Column("changed_at", BigInteger, nullable=True),
    Column("heard_at", BigInteger, nullable=False),
    Column("is_newest", Boolean, nullable=False),
    Index("ledger_heard_of_lead", "target", "property", "lead_id", "is_newest"),
)

OWNER: Final = Table(
    "ledger_owner",
    METADATA,
    Column("id", Integer, primary_key=True),  # 1: there is one
    Column("shop", Text, nullable=False),
)
