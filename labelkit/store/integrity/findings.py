"""What a check finds, and how checks read: in blocks, so that nobody at work is held up."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, Table, select

from labelkit.store.core import Store

BLOCK = 100


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is not as it should be. One that is not serious is only worth knowing."""

    check: str
    where: str
    what: str
    serious: bool = True
    cure: str | None = None


Check = Callable[[Store], Iterator[Finding]]


def blocks(store: Store, table: Table, *columns: Any) -> Iterator[list[Any]]:
    """Yield the rows of a table in blocks by key; each block is a short read of its own."""
    wanted: Select[Any] = select(*(columns or (table,)))
    last = -(1 << 63)
    while True:
        with store.read() as tx:
            query = wanted.where(table.c.id > last).order_by(table.c.id).limit(BLOCK)
            rows = list(tx.execute(query))
        if not rows:
            return
        yield rows
        last = rows[-1].id


def found(store: Store, query: Select[Any]) -> list[Any]:
    """Run one query that finds what is wrong; most find nothing."""
    with store.read() as tx:
        return list(tx.execute(query))


def name(table: Table, uid: bytes | None) -> str:
    """What to call a row in a message: no text out of the store."""
    return f"{table.name} {uid.hex() if isinstance(uid, bytes) else '?'}"
