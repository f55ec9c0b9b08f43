"""Batches: named sets of tasks that were handed out together."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from functools import cache
from typing import Any

import orjson
from sqlalchemy import Select, bindparam, insert, select

from labelkit.domain.canonical import canonical_json
from labelkit.domain.tasks import BatchSettings
from labelkit.domain.times import now_text
from labelkit.errors import Conflict, NotFound
from labelkit.store import schema
from labelkit.store.engine import Tx


@dataclass(frozen=True, slots=True)
class Batch:
    """A named set of tasks that were handed out together."""

    name: str
    kind: str
    priority: int
    seed: str
    settings: BatchSettings


def find_batch(tx: Tx, name: str) -> tuple[int, Batch] | None:
    """Return (local key, batch), or None."""
    table = schema.batch
    row = tx.execute(select(table).where(table.c.name == name)).first()
    if row is None:
        return None
    settings = BatchSettings(**orjson.loads(row.settings))
    return row.id, Batch(row.name, row.kind, row.priority, row.seed, settings)


def get_batch(tx: Tx, name: str) -> Batch:
    """Return a batch by name. Raises NotFound."""
    found = find_batch(tx, name)
    if found is None:
        raise NotFound(f"there is no batch {name!r}", hint="labelkit status")
    return found[1]


def batch_names(tx: Tx) -> list[str]:
    return list(tx.scalars(select(schema.batch.c.name).order_by(schema.batch.c.id)))


def open_batch(tx: Tx, batch: Batch, guideline_key: int | None) -> int:
    """Return the local key of a batch, making it when it is new.

    Raises Conflict when a batch of that name was made with other settings.
    """
    found = find_batch(tx, batch.name)
    if found is not None:
        key, stored = found
        if (stored.kind, stored.settings) != (batch.kind, batch.settings):
            raise Conflict(
                f"batch {batch.name!r} was made with other settings",
                hint="choose another --batch name, or leave its options as they were",
            )
        return key
    values = {
        "name": batch.name,
        "kind": batch.kind,
        "priority": batch.priority,
        "seed": batch.seed,
        "settings": canonical_json(asdict(batch.settings)).decode(),
        "guideline_id": guideline_key,
        "created_at": now_text(),
    }
    inserted = tx.execute(insert(schema.batch).values(values)).inserted_primary_key
    assert inserted is not None
    return int(inserted[0])


def any_batch(tx: Tx, kind: str) -> bool:
    """Whether anything of this kind was ever handed out."""
    return tx.scalar(_any_of(), {"kind": kind}) is not None


@cache
def _any_of() -> Select[Any]:
    table = schema.batch
    return select(table.c.id).where(table.c.kind == bindparam("kind")).limit(1)
