"""The store's schema: which it is, and how to bring it up to date."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from labelkit import __version__
from labelkit.services import backup
from labelkit.store import core, journal, migrate, schema
from labelkit.store.core import Store
from labelkit.store.engine import SQLITE_VERSION, make_engine, queue, translated


@dataclass(frozen=True, slots=True)
class Upgrade:
    """What an upgrade did; `backup` is None when there was nothing to do."""

    store: Path
    old: int
    new: int
    backup: Path | None = None

    def as_json(self) -> dict[str, Any]:
        return {
            "schema": "labelkit.upgrade/1",
            "store": str(self.store),
            "from": self.old,
            "to": self.new,
            "backup": str(self.backup) if self.backup else None,
        }


def upgrade(path: Path) -> Upgrade:
    """Bring a store to the present schema, in one transaction, after a verified backup.

    Raises SchemaMismatch for a store that is newer, and ForeignStore for a damaged one.
    """
    store = Store(path, make_engine(path))
    try:
        version = core.version_of(store)
        if version >= schema.SCHEMA_VERSION:
            core.check_version(path, version)
            return Upgrade(path, version, version)
        kept = backup.automatic(path, "upgrade")
        with queue(path), translated(path):
            migrate.upgrade(store.engine)
        with store.write() as tx:
            journal.note(tx, "db upgrade", **{"from": version, "to": schema.SCHEMA_VERSION})
    finally:
        store.close()
    return Upgrade(path, version, schema.SCHEMA_VERSION, kept.path)


def info(path: Path) -> dict[str, Any]:
    """Return the facts of a store file, whatever its schema version."""
    store = Store(path, make_engine(path))
    try:
        version = core.version_of(store)
        with store.read() as tx:
            project = core.get_setting(tx, "project")
            created = core.get_setting(tx, "created_at")
            journal_mode = tx.exec_driver_sql("PRAGMA journal_mode").scalar_one()
    finally:
        store.close()
    return {
        "schema": "labelkit.db-info/1",
        "store": str(path.absolute()),
        "project": project,
        "created_at": created,
        "version": version,
        "latest": schema.SCHEMA_VERSION,
        "bytes": path.stat().st_size,
        "journal_mode": journal_mode,
        "backups": len(backup.listed(path)),
        "labelkit": __version__,
        "sqlite": SQLITE_VERSION,
    }
