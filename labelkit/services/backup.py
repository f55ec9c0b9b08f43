"""Backups of a store, and the way back."""

from __future__ import annotations

import re
import time
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from labelkit.errors import Conflict, ForeignStore, SchemaMismatch, StoreError
from labelkit.services.project import opened
from labelkit.store import copies, core, journal, schema
from labelkit.store.disk import drop

KEPT_AUTOMATIC = 5
"""Automatic backups of one kind that are kept: before an upgrade, a merge, a restore."""

_STAMP = "%Y%m%dT%H%M%S"
_NAME = re.compile(r".+-(?P<at>\d{8}T\d{6}\.\d{3}Z)(?:-before-(?P<before>[a-z]+))?\.db")


@dataclass(frozen=True, slots=True)
class Backup:
    """One backup file. `before` is what it was made for, or None when somebody asked for it."""

    path: Path
    at: str
    size: int
    before: str | None = None
    removed: tuple[Path, ...] = ()

    def as_json(self) -> dict[str, Any]:
        return {
            "path": str(self.path),
            "at": self.at,
            "bytes": self.size,
            "before": self.before,
            "removed": [str(path) for path in self.removed],
        }


def folder_of(store: Path) -> Path:
    """Where the backups of a store are kept unless asked otherwise."""
    return store.with_name(f"{store.name}.backups")


def listed(store: Path, folder: Path | None = None) -> list[Backup]:
    """Return the backups of a store, the newest first."""
    stem = re.escape(store.stem)
    found = []
    for path in (folder or folder_of(store)).glob("*.db"):
        match = _NAME.fullmatch(path.name)
        if match and re.match(rf"{stem}-\d", path.name):
            found.append(Backup(path, match["at"], path.stat().st_size, match["before"]))
    return sorted(found, key=lambda b: b.at, reverse=True)


def as_json(store: Path, backups: list[Backup]) -> dict[str, Any]:
    return {
        "schema": "labelkit.backup/1",
        "store": str(store),
        "backups": [backup.as_json() for backup in backups],
    }


def backup(
    store: Path,
    folder: Path | None = None,
    *,
    keep: int | None = None,
    before: str | None = None,
    progress: copies.Progress | None = None,
) -> Backup:
    """Copy the store to a file named by the time, verify it, and only then let old ones go.

    `keep` counts this one. Raises ForeignStore when the store is damaged: nothing is removed then.
    """
    folder = folder or folder_of(store)
    _make(folder)
    path = _copy(store, folder, before, progress=progress)
    match = _NAME.fullmatch(path.name)
    assert match is not None
    removed = _prune(store, folder, before, keep) if keep is not None else ()
    return Backup(path, match["at"], path.stat().st_size, before, removed)


def _make(folder: Path) -> None:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(f"{folder}: cannot be made: {error.strerror}") from error


def _copy(
    store: Path,
    folder: Path,
    before: str | None,
    *,
    verify: bool = True,
    progress: copies.Progress | None = None,
) -> Path:
    while True:
        path = folder / _name(store, before)
        try:
            copies.copy_store(store, path, verify=verify, progress=progress)
            return path
        except FileExistsError:
            time.sleep(0.001)  # another one was made in the same millisecond


def _name(store: Path, before: str | None) -> str:
    now = datetime.now(UTC)
    stamp = f"{now.strftime(_STAMP)}.{now.microsecond // 1000:03d}Z"
    return f"{store.stem}-{stamp}{f'-before-{before}' if before else ''}.db"


def _prune(store: Path, folder: Path, before: str | None, keep: int) -> tuple[Path, ...]:
    """Remove all but the newest `keep` backups of one kind; never another project's."""
    ours = copies.project_of(listed(store, folder)[0].path)
    same = [b.path for b in listed(store, folder) if b.before == before]
    return tuple(p for p in same[keep:] if copies.project_of(p) == ours and drop(p))


def automatic(store: Path, before: str) -> Backup:
    """Back up before something that changes much; old ones of the same kind make room."""
    return backup(store, keep=KEPT_AUTOMATIC, before=before)


# -- the way back --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Restored:
    """What `restore` did. `since` counts labels that the backup does not have."""

    store: Path
    backup: Path
    version: int
    replaced: Path | None = None
    since: int | None = 0

    def as_json(self) -> dict[str, Any]:
        return {
            "schema": "labelkit.restore/1",
            "store": str(self.store),
            "backup": str(self.backup),
            "version": self.version,
            "replaced": str(self.replaced) if self.replaced else None,
            "labels_since": self.since,
        }

    @property
    def outdated(self) -> bool:
        """Whether the store needs `labelkit db upgrade` now."""
        return self.version < schema.SCHEMA_VERSION


def restore(store: Path, source: Path) -> Restored:
    """Make the store what a backup was. What it is now is kept as a backup of its own.

    Raises Conflict when the backup is of another project, and ForeignStore when it is damaged.
    """
    version = copies.check_copy(source)
    if version > schema.SCHEMA_VERSION:
        core.check_version(source, version)
    if not store.exists():
        copies.copy_store(source, store)
        return Restored(store, source, version)
    _refuse_other_project(store, source)
    replaced = _keep_present(store)
    if store.exists():
        copies.put_back(source, store)
    else:
        copies.copy_store(source, store)
    since = copies.labels_missing(replaced, source)
    if version == schema.SCHEMA_VERSION:
        with closing(core.open_store(store)) as now, now.write() as tx:
            journal.note(tx, "restore", backup=source.name, labels_since=since)
    return Restored(store, source, version, replaced, since)


def _refuse_other_project(store: Path, source: Path) -> None:
    try:
        with opened(store) as now, now.read() as tx:
            ours = core.get_setting(tx, "project")
    except (ForeignStore, SchemaMismatch):
        return  # too damaged to tell, or too old: a backup is wanted all the more
    if ours != copies.project_of(source):
        raise Conflict(f"{source} is a backup of another project", hint="restore it with --db NEW")


def _keep_present(store: Path) -> Path:
    """Copy the present state, damaged or not; what SQLite cannot even read is moved as it is."""
    folder = folder_of(store)
    _make(folder)
    try:
        return _copy(store, folder, "restore", verify=False)
    except ForeignStore:
        aside = folder / _name(store, "restore")
        store.rename(aside)
        return aside
