"""Run by Alembic, on the connection and within the transaction that schema.upgrade has opened."""

from alembic import context

from trackrecord.directory.tables import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
with context.begin_transaction():
    context.run_migrations()
