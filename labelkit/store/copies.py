"""Copies of a store: consistent while people work, durable, and put back without harming anybody.

A copy is made page by page through SQLite's backup interface. Each step is a short read, so commits
get in between; SQLite begins again when somebody else has written, and after a few such starts the
copy waits its turn as a writer does and finishes in one go. (VACUUM INTO would be one long read,
which in this journal mode holds up every commit, and it does not promise to sync what it wrote.)
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import quote

from labelkit.errors import ForeignStore, StoreBusy, StoreError
from labelkit.store import core, integrity
from labelkit.store.disk import fresh_name, private_file, publish, sweep_strays
from labelkit.store.engine import BUSY_SECONDS, make_engine, queue, translated
from labelkit.store.integrity import pages

_STEP_PAGES = 1024
_STARTS = 3
_WAIT = 0.005


class _Restarted(Exception):
    """Somebody wrote in the middle of a copy."""


Progress = Callable[[int, int | None], None]
"""Called with (bytes copied, bytes in all)."""


def copy_store(
    source: Path, target: Path, *, verify: bool = True, progress: Progress | None = None
) -> None:
    """Copy a store to a file that is not there yet; it is whole and on the disk when this returns.

    Raises ForeignStore when `verify` finds the copy damaged (which then is not kept), StoreError,
    and FileExistsError.
    """
    fresh = fresh_name(target)
    sweep_strays(target.parent)
    try:
        with translated(target):
            private_file(fresh)
        with _raw(source) as from_, translated(fresh), closing(sqlite3.connect(fresh)) as to:
            to.execute("PRAGMA synchronous=OFF")
            _copy(from_, to, source, progress)
        if verify:
            check_copy(fresh, target)
        with translated(target):
            publish(fresh, target)
    finally:
        core.sweep(fresh)


@contextmanager
def _raw(path: Path) -> Iterator[sqlite3.Connection]:
    """The driver's own connection to a store."""
    engine = make_engine(path)
    try:
        with translated(path), closing(engine.raw_connection()) as proxy:
            driver = proxy.driver_connection
            assert isinstance(driver, sqlite3.Connection)
            yield driver
    finally:
        engine.dispose()


def _copy(
    source: sqlite3.Connection,
    target: sqlite3.Connection,
    path: Path,
    progress: Progress | None = None,
) -> None:
    page = int(source.execute("PRAGMA page_size").fetchone()[0])
    for _ in range(_STARTS):
        left = 1 << 62

        def watch(_status: int, remaining: int, total: int) -> None:
            nonlocal left
            if remaining > left:
                raise _Restarted
            left = remaining
            if progress:
                progress(page * (total - remaining), page * total)

        try:
            source.backup(target, pages=_STEP_PAGES, progress=watch, sleep=_WAIT)
            return
        except _Restarted:
            continue
    with queue(path):
        source.backup(target, pages=_STEP_PAGES, sleep=_WAIT)


def check_copy(path: Path, name: Path | None = None) -> int:
    """Return the schema version of a copy whose pages and keys are sound. Raises ForeignStore."""
    store = integrity.lenient(path)
    try:
        version = core.version_of(store)
        problems = [f.what for check in (pages.pages, pages.keys) for f in check(store)]
    finally:
        store.close()
    if problems:
        raise ForeignStore(
            f"{name or path}: the store is damaged: {problems[0]}", hint="labelkit doctor"
        )
    return version


def put_back(copy: Path, path: Path) -> None:
    """Make the store at `path` what `copy` is, in one transaction of its own.

    Whoever has it open goes on with the old or with the new state; a crash leaves the old one.
    """
    deadline = time.monotonic() + BUSY_SECONDS

    def give_up(*_: int) -> None:
        if time.monotonic() > deadline:
            raise StoreBusy(f"{path}: somebody else is reading", hint="try again in a moment")

    with queue(path), _raw(path) as to, _frozen(copy) as from_:
        from_.backup(to, pages=-1, progress=give_up, sleep=_WAIT)


@contextmanager
def _frozen(path: Path, *attached: Path) -> Iterator[sqlite3.Connection]:
    """A file nobody writes to, and others attached to it as b0, b1, ...: nothing can be changed."""

    def location(of: Path) -> str:
        return f"file:{quote(str(of.absolute()))}?mode=ro&immutable=1"

    with translated(path), closing(sqlite3.connect(location(path), uri=True)) as connection:
        for i, other in enumerate(attached):
            connection.execute(f"ATTACH ? AS b{i}", (location(other),))
        yield connection


def project_of(path: Path) -> str | None:
    """Return the project that a copy belongs to, or None when that cannot be read."""
    try:
        with _frozen(path) as connection:
            row = connection.execute("SELECT value FROM setting WHERE key = 'project'").fetchone()
    except (ForeignStore, StoreError):
        return None
    return str(row[0]) if row else None


def labels_missing(newer: Path, older: Path) -> int | None:
    """Count the labels in `newer` that `older` does not have, or None when that cannot be told."""
    count = "SELECT count(*) FROM {0} n WHERE n.uid NOT IN (SELECT o.uid FROM b0.{0} o)"
    tables = ("ranking", "demonstration", "skip")
    try:
        with _frozen(newer, older) as both:
            return sum(int(both.execute(count.format(t)).fetchone()[0]) for t in tables)
    except (ForeignStore, StoreError):
        return None
