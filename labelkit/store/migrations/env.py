"""Alembic's entry: runs on the connection that `migrate.upgrade` opened, in its transaction."""

from __future__ import annotations

from alembic import context

from labelkit.store.schema import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,
)
context.run_migrations()
