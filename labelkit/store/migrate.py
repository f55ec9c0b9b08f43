"""Bring a store's schema up to date, in one transaction."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, Engine

_SCRIPTS = Path(__file__).parent / "migrations"


def upgrade(engine: Engine, revision: str = "head") -> None:
    """Run every pending migration. A crash in the middle leaves the old schema whole.

    Foreign keys are off while tables are rebuilt (SQLite moves and copies), so that no rule fires
    on rows that only change places; they are checked again before the commit.
    """
    config = Config()
    config.set_main_option("script_location", str(_SCRIPTS))
    with engine.connect() as connection:
        _foreign_keys(connection, on=False)
        writer = connection.execution_options(labelkit_write=True)
        try:
            with writer.begin():
                config.attributes["connection"] = writer
                command.upgrade(config, revision)
                _check_keys(writer)
        finally:
            _foreign_keys(connection, on=True)


def _foreign_keys(connection: Connection, *, on: bool) -> None:
    """Set the switch on the driver: inside a transaction SQLite ignores it without a word."""
    driver = connection.connection.dbapi_connection
    assert driver is not None
    driver.execute(f"PRAGMA foreign_keys={'ON' if on else 'OFF'}")


def _check_keys(connection: Connection) -> None:
    broken = connection.exec_driver_sql("PRAGMA foreign_key_check").first()
    if broken:
        raise RuntimeError(f"the migration left a dangling key in table {broken[0]}")
