"""Connections: how a store file is opened, read, written and queued for.

SQLite runs with the settings that lose nothing (DELETE journal, synchronous EXTRA) and with our own
BEGIN, because the driver's legacy transactions neither roll back DDL nor hold a read. Writers queue
on an `flock` beside the file: the kernel frees it when its holder dies, and it is fair, where
SQLite's own busy handler is neither.
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import QueuePool

from labelkit.errors import ForeignStore, LabelkitError, StoreBusy, StoreError

BUSY_SECONDS = 30.0
_PRAGMAS = (
    f"PRAGMA busy_timeout={int(BUSY_SECONDS * 1000)}",
    "PRAGMA synchronous=EXTRA",
    "PRAGMA foreign_keys=ON",
    "PRAGMA trusted_schema=OFF",
    "PRAGMA cell_size_check=ON",
    "PRAGMA mmap_size=0",
    "PRAGMA cache_size=-65536",
)
_WRITE = "labelkit_write"

Tx = Connection
"""A transaction in progress, as `reading` and `writing` hand it out."""


def make_engine(path: Path, *, create: bool = False) -> Engine:
    """Return an engine on one SQLite file; only `create` brings a file into being."""
    mode = "rwc" if create else "rw"
    location = f"file:{quote(str(path.absolute()))}?mode={mode}"

    def connect() -> sqlite3.Connection:
        return sqlite3.connect(
            location, uri=True, isolation_level=None, timeout=BUSY_SECONDS, check_same_thread=False
        )

    engine = create_engine(
        "sqlite+pysqlite://", creator=connect, poolclass=QueuePool, hide_parameters=True
    )
    event.listen(engine, "connect", _configure)
    event.listen(engine, "begin", _begin)
    return engine


def _configure(connection: sqlite3.Connection, _record: object) -> None:
    for pragma in _PRAGMAS:
        connection.execute(pragma)


def _begin(connection: Connection) -> None:
    write = connection.get_execution_options().get(_WRITE)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")


@contextmanager
def reading(engine: Engine, path: Path) -> Iterator[Tx]:
    """One consistent view. Keep it short: in this journal mode a reader holds up commits."""
    with _translated(path), engine.connect() as connection, connection.begin():
        yield connection


@contextmanager
def writing(engine: Engine, path: Path) -> Iterator[Tx]:
    """One transaction: all of it is on disk when this returns, or none of it is."""
    with _translated(path), _queue(path), engine.connect() as connection:
        connection = connection.execution_options(**{_WRITE: True})
        with connection.begin():
            yield connection


@contextmanager
def _queue(path: Path) -> Iterator[None]:
    """Wait for this writer's turn."""
    fd = os.open(f"{path}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        _lock(fd)
        yield
    finally:
        os.close(fd)


def _lock(fd: int) -> None:
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return
    except BlockingIOError:
        pass
    # flock has no time limit of its own: wait in a thread, so that this one can give up.
    spare = os.dup(fd)

    def wait() -> None:
        try:
            fcntl.flock(spare, fcntl.LOCK_EX)
        finally:
            os.close(spare)

    waiter = threading.Thread(target=wait, daemon=True)
    waiter.start()
    waiter.join(BUSY_SECONDS)
    if waiter.is_alive():
        raise StoreBusy(
            f"another labelkit has been writing for over {BUSY_SECONDS:.0f} s",
            hint="wait for its import or export to end, then try again",
        )


@contextmanager
def _translated(path: Path) -> Iterator[None]:
    """Turn what the driver raises into what a person can act on. No row data in messages."""
    try:
        yield
    except DBAPIError as error:
        raise _as_ours(str(error.orig), path) from error
    except sqlite3.Error as error:
        raise _as_ours(str(error), path) from error
    except PermissionError as error:
        raise StoreError(
            f"{path}: no permission to write", hint="check who owns the file and its folder"
        ) from error
    except OSError as error:
        raise StoreError(f"{path}: {error.strerror or error}") from error


def _as_ours(message: str, path: Path) -> LabelkitError:
    if "locked" in message or "busy" in message:
        return StoreBusy(f"{path}: somebody else is writing", hint="try again in a moment")
    if "readonly" in message:
        return StoreError(
            f"{path}: the store is read-only", hint="check who owns the file and its folder"
        )
    if "full" in message:
        return StoreError(
            f"{path}: the disk is full; nothing was written", hint="free some space, then try again"
        )
    if "not a database" in message or "malformed" in message:
        return ForeignStore(
            f"{path}: not a labelkit store, or a damaged one ({message})", hint="labelkit doctor"
        )
    return StoreError(f"{path}: {message}")
