"""Tasks by uid; slots and counters follow from the labels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import bindparam, func, select, update

from labelkit.domain.tasks import BatchSettings, TaskRole
from labelkit.store import schema
from labelkit.store.merging.context import Block, Merge, where
from labelkit.store.sql import chunks, insert_many, next_id

task, slot, batch = schema.task, schema.slot, schema.batch
member, author = schema.task_completion, schema.task_author

_ROLES = (TaskRole.NORMAL, TaskRole.CALIBRATION, TaskRole.GOLD)
_COLUMNS = ("id", "uid", "batch_id", "prompt_id", "role", "position", "overlap", "state")


def tasks(merge: Merge, block: Block) -> None:
    """Add tasks with their completions; a known one keeps the more particular role and overlap."""
    rows = where(merge.theirs, task, task.c.prompt_id, block.prompts)
    ours = {r.uid: r for r in where(merge.tx, task, task.c.uid, [r.uid for r in rows])}
    first, fresh = next_id(merge.tx, task), list[tuple[Any, ...]]()
    for row in rows:
        known = ours.get(row.uid)
        merge.came.count("tasks", known=known is not None)
        block.tasks[row.id] = first + len(fresh) if known is None else known.id
        if known is None:
            keys = (block.tasks[row.id], row.uid, merge.batches[row.batch_id])
            said = (row.role, row.position, row.overlap, row.state)
            fresh.append((*keys, block.prompts[row.prompt_id], *said))
        else:
            _join(merge, row, known)
    insert_many(merge.tx, task, _COLUMNS, fresh)
    new = {row.id for row in rows if row.uid not in ours}
    members = [
        (block.tasks[r.task_id], r.position, block.completions[r.completion_id])
        for r in where(merge.theirs, member, member.c.task_id, new)
    ]
    insert_many(merge.tx, member, ("task_id", "position", "completion_id"), members)
    authors = [
        (block.tasks[r.task_id], merge.labelers[r.labeler_id])
        for r in where(merge.theirs, author, author.c.task_id, block.tasks)
    ]
    insert_many(merge.tx, author, ("task_id", "labeler_id"), authors, known_ok=True)


def _join(merge: Merge, row: Any, known: Any) -> None:
    role = max(row.role, known.role, key=lambda r: _ROLES.index(TaskRole(r)))
    overlap = max(row.overlap, known.overlap)
    if (role, overlap) != (known.role, known.overlap):
        values = {"role": str(role), "overlap": overlap}
        merge.tx.execute(update(task).where(task.c.id == known.id).values(values))


@dataclass(frozen=True, slots=True, order=True)
class Arrival:
    """A label that is new here and answers a task: the slot it fills, in our keys.

    `later` when it takes the place of an earlier label.
    """

    task: int
    labeler: int
    round: int
    skipped: bool
    later: bool
    unclear: bool = False


def settle(merge: Merge, arrivals: Sequence[Arrival]) -> None:
    """Fill the slots that labels came for, and count again."""
    if not arrivals:
        return
    keys = {a.task for a in arrivals}
    names = {row.id: row.name for row in merge.tx.execute(select(schema.labeler))}
    before = {row.id: row for row in where(merge.tx, task, task.c.id, keys)}
    slots = {
        (r.task_id, r.labeler_id, r.round): (r.id, r.state)
        for r in where(merge.tx, slot, slot.c.task_id, keys)
    }
    there = dict(slots)
    for arrival in sorted(arrivals):
        place = (arrival.task, arrival.labeler, arrival.round)
        key, state = slots.get(place, (None, ""))
        if state == "filled" and not (arrival.later or arrival.skipped):
            uid = before[arrival.task].uid.hex()
            said = f"{names[arrival.labeler]!r} answered task {uid[:12]} twice: both are kept"
            merge.came.conflict(said)
        if state != "filled":
            slots[place] = (key, "skipped" if arrival.skipped else "filled")
    _write(merge, there, slots)
    _count(merge, keys)
    _set_aside(merge, arrivals)
    _late(merge, before)


def _write(merge: Merge, there: dict[Any, Any], slots: dict[Any, Any]) -> None:
    columns = ("task_id", "labeler_id", "round", "state", "token", "expires")
    fresh = [(*place, state, "", 0.0) for place, (key, state) in slots.items() if key is None]
    insert_many(merge.tx, slot, columns, fresh)
    changed = [
        {"key": key, "now": state}
        for place, (key, state) in slots.items()
        if key is not None and there[place][1] != state
    ]
    if changed:
        change = update(slot).where(slot.c.id == bindparam("key")).values(state=bindparam("now"))
        merge.tx.execute(change, changed)


def _count(merge: Merge, keys: set[int]) -> None:
    """Work out again how many places of each task are filled and leased."""

    def counted(state: str) -> Any:
        places = (slot.c.task_id == task.c.id, slot.c.round == 0, slot.c.state == state)
        return select(func.count()).select_from(slot).where(*places).scalar_subquery()

    values = {"filled": counted("filled"), "leased": counted("leased")}
    for chunk in chunks(sorted(keys)):
        merge.tx.execute(update(task).where(task.c.id.in_(chunk)).values(values))


def _set_aside(merge: Merge, arrivals: Sequence[Arrival]) -> None:
    """Hand a task out no more when enough labelers, here and there, could not tell what it asks."""
    unclear = [a.task for a in arrivals if a.unclear]
    for key in sorted(set(unclear)):
        more = task.c.unclear + unclear.count(key)
        merge.tx.execute(update(task).where(task.c.id == key).values(unclear=more))
        facts = select(task.c.unclear, batch.c.settings).join(batch, batch.c.id == task.c.batch_id)
        row = merge.tx.execute(facts.where(task.c.id == key)).one()
        if row.unclear >= BatchSettings(**orjson.loads(row.settings)).set_aside_after:
            handed_out = update(task).where(task.c.id == key, task.c.state == "open")
            merge.tx.execute(handed_out.values(state="set_aside"))


def _late(merge: Merge, before: dict[int, Any]) -> None:
    """Say which tasks were answered more often than was asked for: somebody came too late."""
    for row in where(merge.tx, task, task.c.id, before):
        if row.filled > max(row.overlap, before[row.id].filled):
            said = f"task {row.uid.hex()[:12]} was answered {row.filled} times where "
            merge.came.conflict(f"{said}{row.overlap} were asked for: all are kept")
