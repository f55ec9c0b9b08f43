"""Bring a store's schema up to date, in one transaction."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine

from labelkit.errors import StoreError

_SCRIPTS = Path(__file__).parent / "migrations"
# What people said and what they were asked: a migration may add to these, never take away.
_KEPT = (
    *("labeler", "guideline", "prompt", "completion", "ranking", "demonstration", "skip"),
    *("decision", "purge", "purged"),
)


def upgrade(engine: Engine, revision: str = "head") -> None:
    """Run every pending migration. A crash in the middle leaves the old schema whole.

    Foreign keys are off while tables are rebuilt (SQLite moves and copies), so that no rule fires
    on rows that only change places; they are checked again before the commit.
    """
    with engine.connect() as connection:
        _foreign_keys(connection, on=False)
        writer = connection.execution_options(labelkit_write=True)
        try:
            with writer.begin():
                before = _counts(writer)
                run(writer, revision)
                _check_keys(writer)
                _check_counts(before, _counts(writer))
        finally:
            _foreign_keys(connection, on=True)


def head() -> str | None:
    """Return the name of the last migration there is."""
    return ScriptDirectory.from_config(_config()).get_current_head()


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(_SCRIPTS).replace("%", "%%"))
    return config


def run(connection: Connection, revision: str = "head") -> None:
    """Run the pending migrations on a connection, in whatever transaction it is in."""
    config = _config()
    config.attributes["connection"] = connection
    command.upgrade(config, revision)


def _foreign_keys(connection: Connection, *, on: bool) -> None:
    """Set the switch on the driver: inside a transaction SQLite ignores it without a word."""
    driver = connection.connection.dbapi_connection
    assert driver is not None
    driver.execute(f"PRAGMA foreign_keys={'ON' if on else 'OFF'}")


def _check_keys(connection: Connection) -> None:
    broken = connection.exec_driver_sql("PRAGMA foreign_key_check").first()
    if broken:
        raise StoreError(f"the upgrade was undone: it left a dangling key in table {broken[0]}")


def _counts(connection: Connection) -> dict[str, int]:
    there = set(connection.exec_driver_sql("SELECT name FROM sqlite_schema").scalars())
    return {
        table: connection.exec_driver_sql(f"SELECT count(*) FROM {table}").scalar_one()  # noqa: S608
        for table in _KEPT
        if table in there
    }


def _check_counts(before: dict[str, int], after: dict[str, int]) -> None:
    for table, count in before.items():
        if after.get(table) != count:
            raise StoreError(f"the upgrade was undone: it changed the rows of table {table}")
