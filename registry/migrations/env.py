"""How Alembic gets at the database: `registry.schema` gives it an open connection, in a transaction of its own."""

from __future__ import annotations

from alembic import context

context.configure(
    connection=context.config.attributes["connection"], version_table=context.config.attributes["version_table"]
)
context.run_migrations()
