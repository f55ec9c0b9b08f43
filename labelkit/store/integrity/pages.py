"""The file itself: its pages, its schema, its keys."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

from sqlalchemy import create_engine, func, select, text
from sqlalchemy.exc import DBAPIError

from labelkit.errors import ForeignStore
from labelkit.store import migrate, schema
from labelkit.store.core import Store
from labelkit.store.engine import Tx
from labelkit.store.integrity.findings import Finding

_OBJECTS = text("SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY type, name")
Objects = dict[tuple[str, str], tuple[str, str | None]]


def structure(store: Store) -> Iterator[Finding]:
    """Tables, indexes and triggers are those that the migrations make, to the letter."""
    with store.read() as tx:
        there, revision = _objects(tx), _revision(tx)
    if revision != migrate.head():
        what = f"says {revision!r}, and should say {migrate.head()!r}"
        yield Finding("schema", "the last migration", what)
    wanted = expected_objects()
    for kind, name in sorted(wanted.keys() - there.keys()):
        yield Finding("schema", f"{kind} {name}", "is missing")
    for kind, name in sorted(there.keys() - wanted.keys()):
        yield Finding("schema", f"{kind} {name}", "does not belong in a labelkit store")
    for key in sorted(wanted.keys() & there.keys()):
        if wanted[key] != there[key]:
            yield Finding("schema", " ".join(key), "is not defined as it should be")


def _revision(tx: Tx) -> str | None:
    """The migration that the next upgrade goes on from."""
    try:
        said = tx.scalars(text("SELECT version_num FROM alembic_version LIMIT 2")).all()
    except DBAPIError:
        return None  # the table is missing, and is said to be
    return ", ".join(map(str, said))


@cache
def expected_objects() -> Objects:
    """Return what a store of the present schema holds, by building one in memory."""
    engine = create_engine("sqlite://")
    with engine.connect() as connection:
        migrate.run(connection)
        found = _objects(connection)
    engine.dispose()
    return found


def _objects(tx: Tx) -> Objects:
    return {(row.type, row.name): (row.tbl_name, row.sql) for row in tx.execute(_OBJECTS)}


_SIZE = ("count", "size")


def pages(store: Store) -> Iterator[Finding]:
    """SQLite's own check of every page and index. One read: it holds up commits while it runs."""
    with store.read() as tx:  # others may write, and make the file longer, but not shorter
        count, size = (tx.exec_driver_sql(f"PRAGMA page_{p}").scalar_one() for p in _SIZE)
        if store.path.stat().st_size < count * size:
            yield Finding("pages", "the file", "is shorter than it says it is")
    problems = _damaged_pages(store)
    if problems:
        # A disk that cannot be read for a moment looks the same as damage: look again.
        store.engine.dispose()
        problems = _damaged_pages(store)
    for problem in problems:
        yield Finding("pages", "the file", problem)


def _damaged_pages(store: Store) -> list[str]:
    try:
        with store.read() as tx:
            said = [str(row[0]) for row in tx.exec_driver_sql("PRAGMA integrity_check")]
    except ForeignStore:
        return ["cannot be read to the end"]
    return [] if said == ["ok"] else [line for text in said for line in text.splitlines()]


def keys(store: Store) -> Iterator[Finding]:
    """Every key leads somewhere, and none will be used twice."""
    with store.read() as tx:
        for row in tx.execute(text("PRAGMA foreign_key_check")):
            where = f"{row[0]} row {row[1]}"
            yield Finding("keys", where, f"leads to a row of {row[2]} that is not there")
        # A backup from before an upgrade lacks newer tables; `structure` says what is missing.
        there = {name for kind, name in _objects(tx) if kind == "table"}
        for table in schema.metadata.sorted_tables:
            if "id" in table.c and table.name in there:
                yield from _sequence(tx, table)


def _sequence(tx: Tx, table: Any) -> Iterator[Finding]:
    highest = tx.scalar(select(func.max(table.c.id))) or 0
    query = "SELECT seq FROM sqlite_sequence WHERE name = ?"
    last = tx.exec_driver_sql(query, (table.name,)).scalar() or 0
    if last < highest:
        yield Finding("keys", f"table {table.name}", "would use a key a second time")
