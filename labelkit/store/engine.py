"""Connections: how a store file is opened, read, written and queued for.

SQLite runs with the settings that lose nothing (DELETE journal, synchronous EXTRA) and with our own
BEGIN, because the driver's legacy transactions neither roll back DDL nor hold a read. Writers queue
on an `flock` beside the file: the kernel frees it when its holder dies, and it is fair, where
SQLite's own busy handler is neither.

A store in use is opened by SQLite alone: closing any other descriptor of the file would drop the
locks that this process holds on it (https://www.sqlite.org/howtocorrupt.html, 2.2).
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import orjson
from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.exc import DBAPIError, DisconnectionError
from sqlalchemy.pool import QueuePool

from labelkit.errors import ForeignStore, LabelkitError, StoreBusy, StoreError

BUSY_SECONDS = 30.0
SQLITE_VERSION = sqlite3.sqlite_version
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

Configure = Callable[[sqlite3.Connection], None]


def make_engine(
    path: Path, *, create: bool = False, configure: Configure | None = None, **query: str
) -> Engine:
    """Return an engine on one SQLite file; only `create` brings a file into being.

    `configure` is called with every new connection; `query` goes into SQLite's URI.
    """
    settings = {"mode": "rwc" if create else "rw", **query}
    tail = "&".join(f"{key}={value}" for key, value in settings.items())
    location = f"file:{quote(str(path.absolute()))}?{tail}"

    def connect() -> sqlite3.Connection:
        connection = sqlite3.connect(
            location, uri=True, isolation_level=None, timeout=BUSY_SECONDS, check_same_thread=False
        )
        for pragma in _PRAGMAS:
            connection.execute(pragma)
        if configure:
            configure(connection)
        return connection

    engine = create_engine(
        "sqlite+pysqlite://", creator=connect, poolclass=QueuePool, hide_parameters=True
    )
    event.listen(engine, "connect", _remember_process)
    event.listen(engine, "checkout", _refuse_inherited)
    event.listen(engine, "begin", _begin)
    return engine


def _begin(connection: Connection) -> None:
    write = connection.get_execution_options().get(_WRITE)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")


_inherited: list[Any] = []


def _remember_process(_connection: object, record: Any) -> None:
    record.info["pid"] = os.getpid()


def _refuse_inherited(connection: Any, record: Any, proxy: Any) -> None:
    """After a fork the child must not touch its parent's connection, not even to close it."""
    if record.info["pid"] != os.getpid():
        _inherited.append(connection)
        record.dbapi_connection = proxy.dbapi_connection = None
        raise DisconnectionError("the connection belongs to the process that forked this one")


@contextmanager
def reading(engine: Engine, path: Path) -> Iterator[Tx]:
    """One consistent view. Keep it short: in this journal mode a reader holds up commits."""
    with translated(path), engine.connect() as connection, connection.begin():
        yield connection


@contextmanager
def writing(engine: Engine, path: Path) -> Iterator[Tx]:
    """One transaction: all of it is on disk when this returns, or none of it is."""
    with translated(path), queue(path), engine.connect() as connection:
        connection = connection.execution_options(**{_WRITE: True})
        with connection.begin():
            yield connection


@contextmanager
def queue(path: Path) -> Iterator[None]:
    """Wait for this writer's turn, and hold off the others."""
    flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
    fd = os.open(f"{path}.lock", flags, 0o600)
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
def translated(path: Path) -> Iterator[None]:
    """Turn what the driver raises into what a person can act on. No row data in messages."""
    try:
        yield
    except DBAPIError as error:
        raise _as_ours(error.orig, path) from error
    except sqlite3.Error as error:
        raise _as_ours(error, path) from error
    except (UnicodeDecodeError, orjson.JSONDecodeError) as error:
        # The driver cannot even say what is wrong, or a row is not what was once written.
        raise ForeignStore(f"{path}: the store is damaged", hint="labelkit doctor") from error
    except PermissionError as error:
        raise StoreError(
            f"{path}: no permission to write", hint="check who owns the file and its folder"
        ) from error
    except OSError as error:
        raise StoreError(f"{path}: {error.strerror or error}") from error


_MEANINGS: dict[str, tuple[type[LabelkitError], str, str]] = {
    "BUSY": (StoreBusy, "somebody else is writing", "try again in a moment"),
    "LOCKED": (StoreBusy, "somebody else is writing", "try again in a moment"),
    "READONLY": (
        StoreError,
        "the store is read-only",
        "check who owns the file and its folder",
    ),
    "FULL": (
        StoreError,
        "the disk is full; nothing was written",
        "free some space, then try again",
    ),
    "IOERR": (
        StoreError,
        "the disk refuses to read or write; nothing was written",
        "check free space, quota and the disk itself, then: labelkit doctor",
    ),
    "CANTOPEN": (
        StoreError,
        "the store or its journal cannot be opened",
        "check who owns the file and its folder",
    ),
    "NOTADB": (ForeignStore, "not a labelkit store, or a damaged one", "labelkit doctor"),
    "CORRUPT": (ForeignStore, "the store is damaged", "labelkit doctor"),
    "TOOBIG": (StoreError, "a text is too long for the store", "labelkit doctor"),
}


def _as_ours(error: BaseException | None, path: Path) -> LabelkitError:
    name = getattr(error, "sqlite_errorname", "").removeprefix("SQLITE_")
    known = _MEANINGS.get(name.partition("_")[0])
    if known:
        kind, meaning, hint = known
        return kind(f"{path}: {meaning}", hint=hint)
    if "decode" in str(error):  # the driver would quote the text
        return ForeignStore(f"{path}: the store is damaged", hint="labelkit doctor")
    return StoreError(f"{path}: {error}")
