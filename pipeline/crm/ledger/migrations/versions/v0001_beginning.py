"""The ledger as it began."""

from typing import Final

from alembic import op
from sqlalchemy import BigInteger, Boolean, Column, Integer, String, Text

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None
_NUMBER: Final = BigInteger().with_variant(Integer, "sqlite")
_ID: Final = String(400)
_PLACE: Final = String(16)


def upgrade() -> None:
    """Make all tables."""
    _runs()
    _rows()
    _batches()
    _standing()
    _rejections()
    _cursors()
    _heard()
    _owner()
    op.create_index("ledger_runs_of_target", "ledger_runs", ["target", "id"])
    op.create_index("ledger_rows_of_lead", "ledger_rows", ["lead_id"])
    op.create_index("ledger_heard_of_lead", "ledger_heard", ["target", "property", "lead_id", "is_newest"])


def _runs() -> None:
    op.create_table(
        "ledger_runs",
        Column("id", _NUMBER, primary_key=True, autoincrement=True),
        Column("target", String(200), nullable=False),
        Column("place", _PLACE, nullable=False),
        Column("kind", String(16), nullable=False),
        Column("state", String(16), nullable=False),
        Column("as_of", BigInteger, nullable=False),
        Column("model_version", Text, nullable=False),
        Column("filters", Text, nullable=False),
        Column("mapping", String(64), nullable=False),
        Column("fields", Text, nullable=False),
        Column("undoes", BigInteger, nullable=True),
        Column("batch_size", Integer, nullable=False),
        Column("given", BigInteger, nullable=False),
        Column("unchanged", BigInteger, nullable=False),
        Column("held", BigInteger, nullable=False),
        Column("still_rejected", BigInteger, nullable=False),
        Column("written", BigInteger, nullable=False),
        Column("rejected", BigInteger, nullable=False),
        Column("pending", BigInteger, nullable=False),
        Column("begun_at", BigInteger, nullable=False),
        Column("ended_at", BigInteger, nullable=True),
        sqlite_autoincrement=True,
    )


def _rows() -> None:
    op.create_table(
        "ledger_rows",
        Column("run_id", BigInteger, primary_key=True),
        Column("number", BigInteger, primary_key=True),
        Column("lead_id", _ID, nullable=False),
        Column("payload", Text, nullable=False),
        Column("score", Integer, nullable=True),
        Column("grade", String(8), nullable=True),
        Column("action", Text, nullable=True),
        Column("former", Text, nullable=True),
        Column("former_score", Integer, nullable=True),
        Column("former_grade", String(8), nullable=True),
        Column("former_action", Text, nullable=True),
        Column("state", String(12), nullable=False),
        Column("code", Text, nullable=True),
        Column("words", Text, nullable=True),
        Column("answered_at", BigInteger, nullable=True),
    )


def _batches() -> None:
    op.create_table(
        "ledger_batches",
        Column("run_id", BigInteger, primary_key=True),
        Column("number", Integer, primary_key=True),
        Column("state", String(12), nullable=False),
        Column("ticket", Text, nullable=True),
        Column("parts", Text, nullable=True),
    )


def _standing() -> None:
    op.create_table(
        "ledger_standing",
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
        Column("is_unsure", Boolean, nullable=False),
    )


def _rejections() -> None:
    op.create_table(
        "ledger_rejections",
        Column("target", String(200), primary_key=True),
        Column("place", _PLACE, primary_key=True),
        Column("lead_id", _ID, primary_key=True),
        Column("run_id", BigInteger, nullable=False),
        Column("mapping", String(64), nullable=False),
        Column("code", Text, nullable=False),
        Column("words", Text, nullable=False),
        Column("at", BigInteger, nullable=False),
    )


def _cursors() -> None:
    op.create_table(
        "ledger_cursors",
        Column("target", String(200), primary_key=True),
        Column("place", _PLACE, primary_key=True),
        Column("properties", String(64), primary_key=True),
        Column("cursor", Text, nullable=False),
        Column("read_at", BigInteger, nullable=False),
    )


def _heard() -> None:
    op.create_table(
        "ledger_heard",
        Column("id", _NUMBER, primary_key=True, autoincrement=True),
        Column("target", String(200), nullable=False),
        Column("lead_id", _ID, nullable=False),
        Column("property", String(200), nullable=False),
        Column("value", Text, nullable=True),
        Column("changed_at", BigInteger, nullable=True),
        Column("heard_at", BigInteger, nullable=False),
        Column("is_newest", Boolean, nullable=False),
    )


def _owner() -> None:
    op.create_table(
        "ledger_owner",
        Column("id", Integer, primary_key=True),
        Column("shop", Text, nullable=False),
    )
