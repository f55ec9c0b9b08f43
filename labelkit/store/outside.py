"""Files that come from outside: looked at through a private copy that nothing can reach out of.

A SQLite file can carry triggers, views, odd schemas and values of any size. So nothing of it is
trusted before it is proved: the file is opened read-only and its pages are copied; the copy is
opened immutable, with an authorizer that lets only plain reads through and with SQLite's own limits
on lengths and memory; its schema must be ours to the letter; and then `doctor`'s checks work out
every uid and checksum again.
"""

from __future__ import annotations

import secrets
import sqlite3
import struct
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import quote

from labelkit.errors import (
    Conflict,
    ForeignStore,
    LabelkitError,
    SchemaMismatch,
    StoreMissing,
    command,
)
from labelkit.store import core, integrity, packing, schema
from labelkit.store.core import Store
from labelkit.store.disk import fresh_name, private_file, sweep_strays
from labelkit.store.engine import BUSY_SECONDS, Tx, make_engine, translated
from labelkit.store.integrity import pages
from labelkit.store.returned import check_answers

MOST_MEMORY = 512 << 20
"""Bytes that SQLite may hold in this process while a file from outside is open."""

LONGEST_VALUE = 16 << 20
"""Bytes of one row. A record that is imported has at most 8 MiB a line."""

PER_TASK = 256 << 10
"""Bytes by which a bundle may grow for each of its tasks."""

_HEADER = struct.Struct(">16s H 2B 40x I 4x I")
_MAGIC = b"SQLite format 3\x00"
_WAL = 2
_READS = frozenset(
    [sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_TRANSACTION, sqlite3.SQLITE_PRAGMA]
)
_CHECKS = frozenset(["integrity_check", "foreign_key_check"])
_PRAGMAS = _CHECKS | {"page_count", "page_size", "read_uncommitted"}
_FUNCTIONS = frozenset(["count", "max", "sum", "coalesce"])


@contextmanager
def inspected(path: Path, ours: Store) -> Iterator[Store]:
    """Yield a proved copy of a store or a bundle of our project.

    Raises StoreMissing, ForeignStore, SchemaMismatch, StoreBusy, and Conflict when it belongs to
    another project or was tampered with.
    """
    _check_header(path)
    sweep_strays(ours.path.parent)
    copy = fresh_name(ours.path.with_name(f"{ours.path.name}.{secrets.token_hex(4)}"))
    try:
        _copy(path, copy)
        store = _guarded(copy)
        try:
            with _about(path):
                bundle = _prove(store, ours)
                _examine(store)
                if bundle:
                    check_answers(store)
            yield store
        finally:
            store.close()
    finally:
        core.sweep(copy)


def _check_header(path: Path) -> None:
    if not path.exists():
        raise StoreMissing(f"there is no file {path}")
    if not path.is_file():
        raise ForeignStore(f"{path}: cannot be read: it is not a file")
    try:
        with path.open("rb") as file:
            head = file.read(100)
    except OSError as error:
        raise ForeignStore(f"{path}: cannot be read: {error.strerror}") from None
    if len(head) < 100 or not head.startswith(_MAGIC):
        raise ForeignStore(f"{path}: not a store and not a bundle", hint="labelkit import FILE")
    _, _, *modes, version, owner = _HEADER.unpack_from(head)
    if owner != schema.APPLICATION_ID:
        raise ForeignStore(f"{path} belongs to another program")
    if _WAL in modes:
        raise ForeignStore(
            f"{path}: another program switched it to WAL mode",
            hint=f"{command('labelkit', '--db', path, 'status')} switches it back",
        )
    _check_version(path, version)


def _check_version(path: Path, version: int) -> None:
    try:
        core.check_version(path, version)
    except SchemaMismatch as error:
        older = version < schema.SCHEMA_VERSION
        upgrade = command("labelkit", "--db", path, "db", "upgrade")
        raise SchemaMismatch(str(error), hint=upgrade if older else error.hint) from None


def _copy(path: Path, copy: Path) -> None:
    """Copy the pages as they are at one moment; nothing in the file is run for that."""
    location = f"file:{quote(str(path.absolute()))}?mode=ro"
    with translated(copy):
        private_file(copy)
    try:
        with (
            closing(sqlite3.connect(location, uri=True, timeout=BUSY_SECONDS)) as from_,
            closing(sqlite3.connect(copy)) as to,
        ):
            to.execute("PRAGMA synchronous=OFF")
            from_.backup(to, pages=-1)
    except sqlite3.Error as error:
        if "READONLY" in error.sqlite_errorname or Path(f"{path}-journal").exists():
            raise ForeignStore(
                f"{path}: was not closed properly",
                hint=f"{command('labelkit', '--db', path, 'status')}, then again",
            ) from None
        with translated(path):
            raise


def _guarded(copy: Path) -> Store:
    """Open a copy so that reading is all that can be done with it."""

    def configure(connection: sqlite3.Connection) -> None:
        connection.execute(f"PRAGMA hard_heap_limit={MOST_MEMORY}")
        connection.execute("PRAGMA cache_size=-8192")
        connection.execute("PRAGMA query_only=ON")
        connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, LONGEST_VALUE)
        connection.setlimit(sqlite3.SQLITE_LIMIT_ATTACHED, 0)
        if sys.version_info >= (3, 12):
            connection.setconfig(sqlite3.SQLITE_DBCONFIG_DEFENSIVE, True)
        connection.set_authorizer(_reads_only)

    engine = make_engine(copy, configure=configure, mode="ro", immutable="1")
    return Store(copy, engine)


def _reads_only(action: int, what: str | None, which: str | None, *_: str | None) -> int:
    allowed = action in _READS
    if action == sqlite3.SQLITE_PRAGMA:
        allowed = what in _PRAGMAS and which is None
    elif action == sqlite3.SQLITE_FUNCTION:
        allowed = which in _FUNCTIONS
    return sqlite3.SQLITE_OK if allowed else sqlite3.SQLITE_DENY


@contextmanager
def _about(path: Path) -> Iterator[None]:
    """Failures name the file that was given, not its copy."""
    try:
        yield
    except MemoryError:
        raise ForeignStore(f"{path}: wants more memory than a store may") from None
    except LabelkitError as error:
        kind = type(error) if isinstance(error, ForeignStore | Conflict) else ForeignStore
        said = str(error).partition(".new: ")[2] or str(error)
        raise kind(f"{path}: {said}", hint=error.hint) from None


def _prove(store: Store, ours: Store) -> bool:
    """Raise unless the file is of our project; return whether it is a bundle."""
    problem = next(pages.structure(store), None)
    if problem:
        raise ForeignStore(f"{problem.where} {problem.what}")
    with ours.read() as here, store.read() as there:
        if core.get_setting(here, "project") != core.get_setting(there, "project"):
            raise Conflict(
                "belongs to another project",
                hint="labelkit export --format records there, labelkit import here",
            )
        found = packing.manifest(there)
        if found is not None:
            packing.prove(here, there)
            _check_size(store.path, found)
        elif not _same_salt(here, there):
            raise Conflict("is not a copy of this project's store: its secret is another one")
    return found is not None


def _same_salt(here: Tx, there: Tx) -> bool:
    """Only copies of a store know its salt; a bundle made to look like a store does not."""
    return core.get_setting(here, "salt") == core.get_setting(there, "salt") != ""


def _check_size(copy: Path, found: packing.Manifest) -> None:
    most = found.size + found.tasks * PER_TASK
    if copy.stat().st_size > most:
        raise Conflict(f"has grown beyond {most >> 20} MiB: that is no labeler's work")


def _examine(store: Store) -> None:
    for problem in integrity.examine(store, skip=("schema", "drafts")):
        if problem.serious:
            raise ForeignStore(
                f"{problem.where} {problem.what}",
                hint="labelkit --db FILE doctor says more; have a new one made",
            )
