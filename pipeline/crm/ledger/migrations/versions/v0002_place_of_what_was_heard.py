"""What was heard knows its place: an older word of another account is no repeat."""

from typing import Final

from alembic import op
from sqlalchemy import Column, String

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None
_PLACE: Final = String(16)


def upgrade() -> None:
    """Add the place; of what was heard before, nobody knows it."""
    op.add_column("ledger_heard", Column("place", _PLACE, nullable=True))
