"""Migrations of the ledger, applied in order by Alembic when it is opened."""
