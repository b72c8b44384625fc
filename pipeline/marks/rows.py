"""The table of marks: one row per thing that somebody said, and none is ever changed.

A withdrawal is a row too: its ``withdraws`` is the number of the mark that holds no longer.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import BigInteger, Column, Index, Integer, MetaData, String, Table, Text

METADATA: Final = MetaData()
HOLD: Final = "hold"
"""Do not contact, whatever the run says."""
CONTACTED: Final = "contacted"
"""Somebody did."""
WITHDRAWAL: Final = "withdrawal"

MARKS: Final = Table(
    "marks",
    METADATA,
    # SQLite counts up by itself in an INTEGER alone.
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    Column("lead_id", Text, nullable=False),
    Column("kind", String(16), nullable=False),
    Column("owner", Text, nullable=False, default=""),
    Column("until", BigInteger, nullable=True),  # microseconds since 1970 (UTC); the first moment it no longer holds
    Column("reason", Text, nullable=False, default=""),
    Column("by", Text, nullable=False),
    Column("at", BigInteger, nullable=False),  # microseconds since 1970 (UTC)
    Column("withdraws", BigInteger, nullable=True),
    Index("marks_of_lead", "lead_id"),
)
