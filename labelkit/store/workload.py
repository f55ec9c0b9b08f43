"""What is left to do, for each batch and for each labeler."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import ColumnElement, and_, case, func, select

from labelkit.domain.tasks import EVERYONE
from labelkit.store import schema
from labelkit.store.desk_statements import HELD
from labelkit.store.engine import Tx

task, slot, batch, labeler = schema.task, schema.slot, schema.batch, schema.labeler

LABELS = {"rank": schema.ranking, "write": schema.demonstration}


@dataclass(frozen=True, slots=True)
class BatchLoad:
    """One batch. `open` counts places for tasks with a limit; `everyone` tasks have none."""

    key: int
    name: str
    kind: str
    priority: int
    tasks: int
    filled: int
    leased: int
    open: int
    set_aside: int
    everyone: int
    everyone_taken: int


def batches(tx: Tx) -> list[BatchLoad]:
    """Return every batch with its counts, in the order they were made."""
    limited = task.c.overlap < EVERYONE
    is_open = task.c.state == "open"
    taken = task.c.filled + task.c.leased
    counts = select(
        task.c.batch_id,
        func.count(),
        func.sum(task.c.filled),
        func.sum(task.c.leased),
        _sum(and_(is_open, limited), task.c.overlap - taken),
        _sum(task.c.state == "set_aside", 1),
        _sum(and_(is_open, ~limited), 1),
        _sum(and_(is_open, ~limited), taken),
    ).group_by(task.c.batch_id)
    # Counted first and joined here: a join would look every task up in an index made for it.
    found = {row[0]: tuple(row[1:]) for row in tx.execute(counts)}
    query = select(batch.c.id, batch.c.name, batch.c.kind, batch.c.priority).order_by(batch.c.id)
    return [BatchLoad(*row, *found.get(row.id, (0,) * 7)) for row in tx.execute(query)]


def _sum(condition: ColumnElement[bool], value: ColumnElement[int] | int) -> ColumnElement[int]:
    return func.sum(case((condition, value), else_=0))


def allowed(tx: Tx) -> dict[int, set[int]]:
    """Map each batch to the active labelers who may work on it."""
    people = tx.execute(select(labeler.c.id, labeler.c.cohort).where(labeler.c.active == 1)).all()
    named, grouped = schema.batch_labeler, schema.batch_cohort
    names: dict[int, set[int]] = defaultdict(set)
    for row in tx.execute(select(named)):
        names[row.batch_id].add(row.labeler_id)
    groups: dict[int, set[str]] = defaultdict(set)
    for row in tx.execute(select(grouped)):
        groups[row.batch_id].add(row.cohort)
    return {
        key: {
            p.id
            for p in people
            if (key not in names and key not in groups)
            or p.id in names.get(key, ())
            or p.cohort in groups.get(key, ())
        }
        for key in tx.scalars(select(batch.c.id))
    }


def open_tasks(tx: Tx) -> dict[int, int]:
    """Map each batch to how many of its tasks have room."""
    query = select(task.c.batch_id, func.count()).where(schema.OPEN_TASK).group_by(task.c.batch_id)
    return dict(tx.execute(query).all())


def had(tx: Tx) -> dict[tuple[int, int], int]:
    """Map (labeler, batch) to how many tasks with room that labeler has had already."""
    roomy = and_(task.c.state == "open", task.c.filled + task.c.leased < task.c.overlap)
    query = (
        select(slot.c.labeler_id, task.c.batch_id, func.count())
        .join(task, task.c.id == slot.c.task_id)
        .where(roomy, slot.c.round == 0, slot.c.state.in_(HELD))
        .group_by(slot.c.labeler_id, task.c.batch_id)
    )
    return {(who, where): n for who, where, n in tx.execute(query)}


def seconds_by_batch(tx: Tx) -> dict[int, float]:
    """Map each batch to the mean active seconds of its answers, where they are known."""
    found: dict[int, float] = {}
    for kind, table in LABELS.items():
        query = (
            select(task.c.batch_id, func.avg(table.c.seconds))
            .join(task, task.c.id == table.c.task_id)
            .join(batch, batch.c.id == task.c.batch_id)
            .where(batch.c.kind == kind, table.c.supersedes.is_(None))
            .group_by(task.c.batch_id)
        )
        found |= {key: mean for key, mean in tx.execute(query) if mean is not None}
    return found


def skips_by_batch(tx: Tx) -> dict[int, dict[str, int]]:
    """Map each batch to {reason: skips}."""
    skip = schema.skip
    query = (
        select(task.c.batch_id, skip.c.reason, func.count())
        .join(task, task.c.id == skip.c.task_id)
        .group_by(task.c.batch_id, skip.c.reason)
        .order_by(skip.c.reason)
    )
    found: dict[int, dict[str, int]] = defaultdict(dict)
    for key, reason, n in tx.execute(query):
        found[key][reason] = n
    return dict(found)


def labeler_keys(tx: Tx) -> dict[str, int]:
    """Map names to local keys."""
    return {name: key for key, name in tx.execute(select(labeler.c.id, labeler.c.name))}


def open_for(
    who: int,
    may: Mapping[int, set[int]],
    room: Mapping[int, int],
    done: Mapping[tuple[int, int], int],
) -> int:
    """How many tasks a labeler could still be handed, at the most."""
    mine = [key for key, people in may.items() if who in people]
    return sum(max(0, room.get(key, 0) - done.get((who, key), 0)) for key in mine)
