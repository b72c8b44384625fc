"""Alembic's way in: the connection is handed over by `pipeline.crm.ledger.opening`."""

from alembic import context

from pipeline.crm.ledger.tables import METADATA
from pipeline.crm.ledger.unusable import VERSION_TABLE

context.configure(
    connection=context.config.attributes["connection"], target_metadata=METADATA, version_table=VERSION_TABLE
)
with context.begin_transaction():
    context.run_migrations()
