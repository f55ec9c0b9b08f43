"""Open and create stores."""

from __future__ import annotations

import os
import secrets
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, Select, bindparam, delete, insert, select

from labelkit.domain.times import now_text
from labelkit.errors import Conflict, ForeignStore, SchemaMismatch, StoreError, StoreMissing
from labelkit.store import schema
from labelkit.store.disk import drop, fresh_name, private_file, publish, sweep_strays
from labelkit.store.engine import Tx, make_engine, queue, reading, translated, writing
from labelkit.store.sql import row_crc

CHECKSUM = "checksum"
"""The setting that all others are held against, to notice damage."""

BUNDLE = "bundle"
"""The setting that only a bundle has: what it was made for."""


@dataclass(frozen=True, slots=True)
class Store:
    """An open store. Everything happens inside `read()` or `write()`.

    `managed` when it is opened to be managed, not to be worked at: a bundle can only be worked at.
    """

    path: Path
    engine: Engine
    managed: bool = False

    @contextmanager
    def read(self) -> Iterator[Tx]:
        """A short, consistent view."""
        with reading(self.engine, self.path) as tx:
            yield tx

    @contextmanager
    def write(self) -> Iterator[Tx]:
        """A transaction that is on disk when it ends, or never was.

        Raises SchemaMismatch when the store was upgraded since it was opened, and Conflict when it
        is a bundle and somebody wants to do more than work at it.
        """
        with writing(self.engine, self.path) as tx:
            check_version(self.path, tx.exec_driver_sql("PRAGMA user_version").scalar_one())
            if self.managed:
                refuse_bundle(self.path, tx)
            yield tx

    def close(self) -> None:
        self.engine.dispose()


def create(path: Path, fill: Callable[[Tx], object] = lambda _tx: None) -> None:
    """Make a new store, readable by its owner only. Raises Conflict when something is there.

    It is built under another name, filled, and given its own when whole, so that nobody ever sees
    half a store.
    """
    taken = Conflict(
        f"{path} is already there",
        hint="labelkit init FOLDER makes another; labelkit config list says what chose this one",
    )
    sweep_strays(path.parent)
    if path.exists():
        raise taken
    draft = fresh_name(path)
    try:
        engine = build(draft)
        with writing(engine, draft) as tx:
            _first_settings(tx)
            fill(tx)
        engine.dispose()
        publish(draft, path)
    except FileExistsError:
        raise taken from None
    except OSError as error:
        raise StoreError(f"{path}: cannot be created: {error.strerror}") from error
    finally:
        sweep(draft)


def build(path: Path) -> Engine:
    """Make a file with the present schema and nothing in it. Raises FileExistsError."""
    from labelkit.store.migrate import upgrade

    private_file(path)
    engine = make_engine(path)
    try:
        with translated(path):
            upgrade(engine)
    except BaseException:
        engine.dispose()
        sweep(path)
        raise
    return engine


def sweep(path: Path) -> None:
    """Remove a file that was never given a name, and what stood beside it."""
    for leftover in (path, Path(f"{path}.lock"), Path(f"{path}-journal")):
        drop(leftover)


def _first_settings(tx: Tx) -> None:
    """The project's own name, and the salt that its blind shuffles start from."""
    values = {
        "project": secrets.token_hex(16),
        "salt": secrets.token_hex(16),
        "created_at": now_text(),
    }
    put_settings(tx, values)


def open_store(path: Path, *, managed: bool = False) -> Store:
    """Open an existing store, or say why it cannot be used."""
    store = Store(path, make_engine(path), managed)
    check_version(path, version_of(store))
    return store


def version_of(store: Store) -> int:
    """Return the schema version of a store. Raises StoreMissing, StoreError or ForeignStore."""
    path = store.path
    if not path.exists():
        raise StoreMissing(f"there is no store at {path}", hint="labelkit init")
    if not path.is_file():
        raise StoreError(f"{path}: cannot be read: it is not a file")
    if not os.access(path, os.R_OK):
        raise StoreError(f"{path}: cannot be read: Permission denied")
    with store.read() as tx:
        pragmas = ("application_id", "user_version", "journal_mode")
        owner, version, journal = (tx.exec_driver_sql(f"PRAGMA {p}").scalar_one() for p in pragmas)
    if owner != schema.APPLICATION_ID:
        whose = "belongs to another program" if path.stat().st_size else "is an empty file"
        raise ForeignStore(f"{path} {whose}", hint="point --db at the right file")
    if journal == "wal":
        _leave_wal(store)
    return int(version)


def _leave_wal(store: Store) -> None:
    """Undo what another program set, unless the store is in use just now."""
    with queue(store.path), translated(store.path):
        connection = store.engine.raw_connection()
        try:
            connection.execute("PRAGMA busy_timeout=0")
            connection.execute("PRAGMA journal_mode=DELETE")
        except sqlite3.OperationalError:
            pass
        finally:
            connection.invalidate()


def check_version(path: Path, version: int) -> None:
    """Raise SchemaMismatch, with a way on, unless this labelkit is the right one for the store."""
    if version < schema.SCHEMA_VERSION:
        raise SchemaMismatch(
            f"{path} was written by an older labelkit (schema {version}, "
            f"this one uses {schema.SCHEMA_VERSION})",
            hint="labelkit db upgrade",
        )
    if version > schema.SCHEMA_VERSION:
        raise SchemaMismatch(
            f"{path} was written by a newer labelkit (schema {version}, "
            f"this one knows {schema.SCHEMA_VERSION})",
            hint="pip install --upgrade labelkit-rlhf",
        )


def refuse_bundle(path: Path, tx: Tx) -> None:
    """Raise Conflict when somebody wants to do more than work at a bundle."""
    if get_setting(tx, BUNDLE):
        raise Conflict(
            f"{path} is a bundle: it is for ranking and writing only",
            hint="do this in the store that it was made from",
        )


def get_setting(tx: Tx, key: str, default: str = "") -> str:
    """Return one of the project's settings."""
    found = tx.scalar(_setting(), {"called": key})
    return default if found is None else found


@cache
def _setting() -> Select[Any]:
    table = schema.setting
    return select(table.c.value).where(table.c.key == bindparam("called"))


def put_setting(tx: Tx, key: str, value: str) -> None:
    """Set one of the project's settings."""
    put_settings(tx, {key: value})


def put_settings(tx: Tx, values: Mapping[str, str]) -> None:
    """Set some of the project's settings, and the checksum over all of them."""
    table = schema.setting
    tx.execute(delete(table).where(table.c.key.in_([*values, CHECKSUM])))
    tx.execute(insert(table), [{"key": k, "value": v} for k, v in values.items()])
    tx.execute(insert(table).values(key=CHECKSUM, value=settings_checksum(tx)))


def settings_checksum(tx: Tx) -> str:
    """Return what the checksum of the settings should be."""
    table = schema.setting
    rows = tx.execute(select(table).where(table.c.key != CHECKSUM).order_by(table.c.key))
    return str(row_crc(part for row in rows for part in (row.key, row.value)))
