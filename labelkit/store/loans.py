"""Tasks that were taken away in a bundle: lent for days, counted, and given back.

A lent slot is leased like any other; its token names the bundle instead of a window. So nobody else
gets the task before the time is over, and whatever comes back later finds its place.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import func, select, update

from labelkit.domain.times import utc_text
from labelkit.errors import NotFound
from labelkit.store import schema
from labelkit.store.desk import Desk, Lease, expire, fresh, leave
from labelkit.store.desk_statements import LENT
from labelkit.store.engine import Tx

slot, labeler = schema.slot, schema.labeler


@dataclass(frozen=True, slots=True)
class Loan:
    """A bundle as the store it was made from remembers it. `due` is when its places are free again.

    `out` tasks are still with the labeler, `back` were answered, `skipped` put back, and `over`
    ran out or were released.
    """

    bundle: str
    labeler: str
    due: str
    out: int
    back: int
    skipped: int
    over: int


def lend(tx: Tx, desk: Desk, bundle: str, limit: int) -> list[Lease]:
    """Lease up to `limit` tasks that the labeler does not have yet, all for one bundle."""
    expire(tx)
    leases: list[Lease] = []
    while len(leases) < limit and (lease := fresh(tx, desk)):
        leases.append(lease)
    keys = [lease.slot_key for lease in leases]
    for start in range(0, len(keys), 500):
        lent = update(slot).where(slot.c.id.in_(keys[start : start + 500]))
        tx.execute(lent.values(token=LENT + bundle))
    return leases


def loans(tx: Tx) -> list[Loan]:
    """Return every bundle that still has a slot to its name, the oldest first."""
    query = (
        select(
            slot.c.token,
            labeler.c.name,
            slot.c.state,
            func.count().label("n"),
            func.max(slot.c.expires).label("due"),
            func.min(slot.c.id).label("first"),
        )
        .join(labeler, labeler.c.id == slot.c.labeler_id)
        .where(slot.c.token.startswith(LENT))
        .group_by(slot.c.token, labeler.c.name, slot.c.state)
        .order_by(func.min(slot.c.id))
    )
    found: dict[tuple[str, str], list[Any]] = {}
    for row in tx.execute(query):
        found.setdefault((row.token, row.name), []).append(row)
    return [_loan(token, name, rows) for (token, name), rows in found.items()]


def _loan(token: str, name: str, rows: list[Any]) -> Loan:
    states: Mapping[str, int] = Counter({row.state: row.n for row in rows})
    due = datetime.fromtimestamp(max(row.due for row in rows), UTC).replace(microsecond=0)
    counts = [states[s] for s in ("leased", "filled", "skipped", "expired")]
    return Loan(token.removeprefix(LENT), name, utc_text(due), *counts)


def release(tx: Tx, bundle: str) -> int:
    """Give the places of a bundle back and return how many those were. Raises NotFound."""
    mine = slot.c.token == LENT + bundle
    if tx.scalar(select(slot.c.id).where(mine).limit(1)) is None:
        raise NotFound(f"no bundle {bundle!r} is known here", hint="labelkit bundle list")
    query = select(slot.c.id, slot.c.task_id, slot.c.round).where(mine, slot.c.state == "leased")
    rows = tx.execute(query).all()
    for row in rows:
        leave(tx, row, "expired")
    return len(rows)
