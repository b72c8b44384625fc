"""A row knows which run wrote what stood before it: an undoing hands the lead back to that run."""

from alembic import op
from sqlalchemy import BigInteger, Column

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the run; of rows written before, nobody knows it."""
    op.add_column("ledger_rows", Column("former_run", BigInteger, nullable=True))
