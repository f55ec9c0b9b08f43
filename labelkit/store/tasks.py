"""Tasks as a lead sees them: what state each is in, and why labelers put it back."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson
from sqlalchemy import Select, and_, exists, select, update

from labelkit.domain.tasks import EVERYONE
from labelkit.errors import NotFound
from labelkit.store import decisions, schema
from labelkit.store.engine import Tx
from labelkit.store.sql import chunks

task, slot, batch, prompt = schema.task, schema.slot, schema.batch, schema.prompt

SET_ASIDE, OPEN = "set_aside", "open"


@dataclass(frozen=True, slots=True)
class TaskRow:
    """One task. `overlap` is None when it goes to everybody; `prompt` is its last message."""

    uid: str
    batch: str
    kind: str
    role: str
    state: str
    filled: int
    leased: int
    overlap: int | None
    prompt_name: str
    prompt: str
    skips: Counter[str] = field(default_factory=Counter)
    notes: tuple[str, ...] = ()


def tasks(tx: Tx, batch_name: str | None, state: str | None, limit: int | None) -> list[TaskRow]:
    """Return tasks by batch and age; those of one batch and in one state, if that is asked."""
    query = _query()
    if batch_name is not None:
        query = query.where(batch.c.name == batch_name)
    if state is not None:
        query = query.where(task.c.state == state)
    rows = tx.execute(query.order_by(task.c.id).limit(limit)).all()
    reasons = _skips(tx, [row.id for row in rows])
    return [_row(row, reasons.get(row.id, [])) for row in rows]


def tasks_of(tx: Tx, prompt_key: int) -> list[TaskRow]:
    """Return the tasks of one prompt, the oldest first."""
    rows = tx.execute(_query().where(task.c.prompt_id == prompt_key).order_by(task.c.id)).all()
    reasons = _skips(tx, [row.id for row in rows])
    return [_row(row, reasons.get(row.id, [])) for row in rows]


def _query() -> Select[Any]:
    columns = (task.c.id, task.c.uid, task.c.role, task.c.state, task.c.filled, task.c.leased)
    return (
        select(
            *columns,
            task.c.overlap,
            batch.c.name,
            batch.c.kind,
            prompt.c.uid.label("prompt_uid"),
            prompt.c.external_id,
            prompt.c.messages,
        )
        .join(batch, batch.c.id == task.c.batch_id)
        .join(prompt, prompt.c.id == task.c.prompt_id)
    )


def _row(row: Any, skips: Sequence[tuple[str, str | None]]) -> TaskRow:
    return TaskRow(
        uid=row.uid.hex(),
        batch=row.name,
        kind=row.kind,
        role=row.role,
        state=row.state,
        filled=row.filled,
        leased=row.leased,
        overlap=None if row.overlap >= EVERYONE else row.overlap,
        prompt_name=row.external_id or row.prompt_uid.hex(),
        prompt=orjson.loads(row.messages)[-1][1],
        skips=Counter(reason for reason, _ in skips),
        notes=tuple(note for _, note in skips if note),
    )


def _skips(tx: Tx, keys: Sequence[int]) -> dict[int, list[tuple[str, str | None]]]:
    """Map tasks to (reason, note) of every time they were put back."""
    table = schema.skip
    found: dict[int, list[tuple[str, str | None]]] = {}
    for chunk in chunks(keys):
        query = select(table.c.task_id, table.c.reason, table.c.note).order_by(table.c.id)
        for row in tx.execute(query.where(table.c.task_id.in_(chunk))):
            found.setdefault(row.task_id, []).append((row.reason, row.note))
    return found


def find(tx: Tx, name: str) -> int:
    """Return the local key of the task whose uid begins with `name`. Raises NotFound."""
    try:
        low = bytes.fromhex(name.ljust(32, "0"))
        high = bytes.fromhex(name.ljust(32, "f"))
    except ValueError:
        low = high = b""
    found = tx.scalars(select(task.c.id).where(task.c.uid.between(low, high)).limit(2)).all()
    if len(found) != 1 or len(name) < 6:
        many = "more than one task begins" if len(found) > 1 else "there is no task that begins"
        raise NotFound(f"{many} with {name!r}", hint="labelkit tasks list")
    return int(found[0])


def set_aside(tx: Tx, key: int) -> bool:
    """Hand a task out no more; False when it was set aside already."""
    statement = update(task).where(task.c.id == key, task.c.state == OPEN)
    return bool(tx.execute(statement.values(state=SET_ASIDE)).rowcount)


def release(tx: Tx, key: int) -> bool:
    """Hand a task out again, also to those who found it unclear; False when it was not set aside.

    What they said stays; only their slots are free again.
    """
    statement = update(task).where(task.c.id == key, task.c.state == SET_ASIDE)
    if not tx.execute(statement.values(state=OPEN, unclear=0)).rowcount:
        return False
    decisions.follow(tx, tx.scalars(select(task.c.prompt_id).where(task.c.id == key)))
    unclear = exists().where(
        schema.skip.c.task_id == slot.c.task_id,
        schema.skip.c.labeler_id == slot.c.labeler_id,
        schema.skip.c.reason == "unclear",
    )
    theirs = and_(slot.c.task_id == key, slot.c.state == "skipped", unclear)
    tx.execute(update(slot).where(theirs).values(state="returned"))
    return True
