"""What was done to this store as a whole, and when."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import orjson
from sqlalchemy import func, insert, select

from labelkit.domain.canonical import canonical_json
from labelkit.domain.times import now_text
from labelkit.store.engine import Tx
from labelkit.store.schema import journal as table


def note(tx: Tx, command: str, **detail: Any) -> None:
    """Add an entry; `detail` is plain JSON and holds no text of prompts or completions."""
    said = canonical_json(detail).decode()
    tx.execute(insert(table).values(at=now_text(), command=command, detail=said))


def entries(tx: Tx, command: str) -> list[dict[str, Any]]:
    """Return the details of all entries of a command, the last one first."""
    query = select(table.c.detail).where(table.c.command == command).order_by(table.c.id.desc())
    return [orjson.loads(detail) for detail in tx.scalars(query)]


def last(tx: Tx, but: Sequence[str]) -> int:
    """Return the number of the last entry of any command but these, 0 where there is none."""
    return tx.scalar(select(func.max(table.c.id)).where(table.c.command.not_in(but))) or 0
