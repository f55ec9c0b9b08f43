"""The few statements that every part of the store needs, in the dialect at hand."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from importlib import import_module
from itertools import chain, islice
from typing import Any, TypeVar
from zlib import crc32

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

from labelkit.store import schema
from labelkit.store.engine import Tx

T = TypeVar("T")
_CHUNK = 500
_AT_ONCE = 256
"""Rows of one INSERT. SQLite looks up a table's last key once a statement, whatever it inserts."""


def chunks(items: Iterable[T], size: int = _CHUNK) -> Iterator[list[T]]:
    """Cut `items` into lists short enough for one statement's parameters."""
    rest = iter(items)
    while chunk := list(islice(rest, size)):
        yield chunk


def insert_many(
    tx: Tx,
    table: sa.Table,
    columns: Sequence[str],
    rows: Sequence[tuple[Any, ...]],
    *,
    known_ok: bool = False,
) -> None:
    """Insert rows of driver values, fast: many in one statement, compiled once, no per-row dicts.

    `columns` are in the table's own order. `known_ok` passes over rows whose key is already there.
    Rows of a table in `SEALED` get their checksum here.
    """
    if not rows:
        return
    values: dict[str, Sequence[Any]]
    values = dict(zip(columns, zip(*rows, strict=True), strict=True))
    if sealed := schema.SEALED.get(table.name):
        values["crc"] = _row_crcs([values[name] for name in sealed])
    # The driver takes a quarter of a microsecond over every NULL; what is left out is NULL too.
    values = {n: v for n, v in values.items() if not (_all_null(v) and _null_unsaid(table, n))}
    cursor = tx.connection.cursor()  # SQLAlchemy's way to it takes longer than a small statement
    start = 0
    while left := len(rows) - start:
        n = min(_AT_ONCE, 1 << left.bit_length() - 1)  # few sizes, so that statements are reused
        text = _insert_text(tx.dialect, table, tuple(values), known_ok, n)
        some = zip(*[column[start : start + n] for column in values.values()], strict=True)
        cursor.execute(text, tuple(chain.from_iterable(some)))
        start += n
    cursor.close()


def _all_null(values: Sequence[Any]) -> bool:
    return values[0] is None and values.count(None) == len(values)


def _null_unsaid(table: sa.Table, column: str) -> bool:
    """Whether a column is NULL where nothing is said of it."""
    return table.c[column].server_default is None


def rows_with(
    tx: Tx, table: sa.Table, columns: tuple[str, ...], by: str, values: Iterable[Any]
) -> Iterator[tuple[Any, ...]]:
    """Yield the columns of rows whose `by` is one of `values`, as the driver has them.

    Compiled once, where an `in_` is written anew for every list.
    """
    cursor = tx.connection.cursor()
    for chunk in chunks(values):
        n = 1 << (len(chunk) - 1).bit_length()  # few sizes: the last value is said again
        text = _select_text(tx.dialect, table, columns, by, n)
        cursor.execute(text, (*chunk, *[chunk[-1]] * (n - len(chunk))))
        yield from cursor.fetchall()
    cursor.close()


def plain_rows(tx: Tx, query: sa.Select[Any]) -> list[tuple[Any, ...]]:
    """Fetch as the driver has it: for many rows of simple columns, which need no wrapper each."""
    cursor = tx.execute(query).cursor
    return [] if cursor is None else list(cursor.fetchall())


def row_crc(values: Iterable[Any]) -> int:
    """Return the CRC-32 of driver values, to notice damage; it is no proof against forgery.

    >>> row_crc(["a", None]) == row_crc(["a", ""]), row_crc([1, "é"]) == row_crc([1, "é"])
    (False, True)
    """
    return _crc("\x1f".join(map(_said, values)))


def _row_crcs(columns: Iterable[Sequence[Any]]) -> list[int]:
    """Return `row_crc` of every row."""
    said = [c if {*map(type, c)} == {str} else [*map(_said, c)] for c in columns]
    return [_crc(each) for each in map("\x1f".join, zip(*said, strict=True))]


def _crc(said: str) -> int:
    return crc32(said.encode("utf-8", "surrogateescape"))


def _said(value: Any) -> str:
    if type(value) is str:
        return value
    if value is None:
        return "\x00"
    return value.hex() if isinstance(value, bytes | bytearray) else str(value)


@lru_cache(maxsize=256)
def _insert_text(
    dialect: sa.Dialect, table: sa.Table, columns: tuple[str, ...], known_ok: bool, n: int
) -> str:
    """The statement that inserts `n` rows."""
    # Only the family at hand: loading the other one would cost every command its time.
    family = import_module(f"sqlalchemy.dialects.{dialect.name}")
    statement = family.insert(table)
    if known_ok:
        statement = statement.on_conflict_do_nothing()
    text = str(statement.compile(dialect=dialect, column_keys=list(columns)))
    order = tuple(column.name for column in table.c if column.name in columns)
    assert order == columns, "driver values go by position: name columns in the table's order"
    head, values, tail = text.partition(" VALUES ")
    row, close, rest = tail.partition(")")
    return head + values + ", ".join([row + close] * n) + rest


@lru_cache(maxsize=64)
def _select_text(
    dialect: sa.Dialect, table: sa.Table, columns: tuple[str, ...], by: str, n: int
) -> str:
    """The statement that fetches rows with one of `n` values."""
    query = sa.select(*[table.c[name] for name in columns])
    text = str(query.where(table.c[by] == sa.bindparam("value")).compile(dialect=dialect))
    head, equals, mark = text.rpartition(" = ")
    assert equals
    return f"{head} IN ({', '.join([mark] * n)})"


def next_id(tx: Tx, table: sa.Table) -> int:
    """Return the first key of `table` that was never used. Only inside `writing`."""
    if tx.dialect.name == "sqlite":
        query = "SELECT seq FROM sqlite_sequence WHERE name = ?"
        last = tx.exec_driver_sql(query, (table.name,)).scalar()
        return (last or 0) + 1
    sequence = sa.func.pg_get_serial_sequence(table.name, "id")
    return int(tx.scalar(sa.select(sa.func.nextval(sequence))) or 1)


class Now(FunctionElement[float]):
    """The database's own clock, in seconds since 1970: leases never trust a client's."""

    type = sa.Float()
    inherit_cache = True


@compiles(Now)
def _now(_element: Now, _compiler: object, **_options: object) -> str:
    return "EXTRACT(epoch FROM clock_timestamp())"


@compiles(Now, "sqlite")
def _now_in_sqlite(_element: Now, _compiler: object, **_options: object) -> str:
    return "((julianday('now') - 2440587.5) * 86400.0)"
