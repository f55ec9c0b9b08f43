"""Labelers."""

from __future__ import annotations

from typing import Any

from sqlalchemy import insert, select, update

from labelkit.domain.models import Labeler, LabelerKind
from labelkit.domain.times import now_text
from labelkit.errors import Conflict, NotFound, command
from labelkit.store.engine import Tx
from labelkit.store.schema import labeler as table


def add(tx: Tx, labeler: Labeler) -> int:
    """Store a new labeler and return the local key. Raises Conflict when the name is taken."""
    if find(tx, labeler.name) is not None:
        raise Conflict(f"labeler {labeler.name!r} is already there", hint="labelkit labelers list")
    values = {
        "name": labeler.name,
        "kind": str(labeler.kind),
        "cohort": labeler.cohort,
        "active": int(labeler.active),
        "created_at": now_text(),
    }
    key = tx.execute(insert(table).values(values)).inserted_primary_key
    assert key is not None
    return int(key[0])


def change(tx: Tx, name: str, **values: Any) -> None:
    """Set kind, cohort or active of a labeler."""
    key(tx, name)
    tx.execute(update(table).where(table.c.name == name).values(values))


def find(tx: Tx, name: str) -> int | None:
    """Return the local key of a labeler, or None."""
    return tx.scalar(select(table.c.id).where(table.c.name == name))


def key(tx: Tx, name: str) -> int:
    """Return the local key of a labeler. Raises NotFound with a way on."""
    found = find(tx, name)
    if found is None:
        raise NotFound(
            f"there is no labeler {name!r}", hint=command("labelkit", "labelers", "add", name)
        )
    return found


def get(tx: Tx, name: str) -> Labeler:
    """Return one labeler. Raises NotFound."""
    key(tx, name)
    row = tx.execute(select(table).where(table.c.name == name)).one()
    return Labeler(row.name, LabelerKind(row.kind), row.cohort, bool(row.active))


def everyone(tx: Tx) -> list[Labeler]:
    """Return all labelers by name."""
    columns = (table.c.name, table.c.kind, table.c.cohort, table.c.active)
    return [
        Labeler(row.name, LabelerKind(row.kind), row.cohort, bool(row.active))
        for row in tx.execute(select(*columns).order_by(table.c.name))
    ]


def names(tx: Tx) -> dict[int, tuple[str, str]]:
    """Map local keys to (name, kind)."""
    return {
        row.id: (row.name, row.kind)
        for row in tx.execute(select(table.c.id, table.c.name, table.c.kind))
    }
