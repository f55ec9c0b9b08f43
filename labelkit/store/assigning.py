"""Make batches and their tasks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import orjson
from sqlalchemy import Select, exists, func, insert, select

from labelkit.domain.canonical import canonical_json, uid_of
from labelkit.domain.shuffle import seed_of
from labelkit.domain.tasks import BatchSettings, Choice, TaskRole
from labelkit.domain.times import now_text
from labelkit.errors import Conflict, NotFound
from labelkit.store import schema
from labelkit.store.codec import raw
from labelkit.store.engine import Tx
from labelkit.store.sql import insert_many, next_id

_POSITIONS = 1 << 62
_TASK = ("id", "uid", "batch_id", "prompt_id", "role", "position", "overlap")


@dataclass(frozen=True, slots=True)
class Batch:
    """A named set of tasks that were handed out together."""

    name: str
    kind: str
    priority: int
    seed: str
    settings: BatchSettings
    guideline: str | None = None
    labelers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Material:
    """A prompt that could become a task: local keys, and uids for what must not depend on them."""

    prompt_key: int
    prompt: str
    completions: dict[str, int]


@dataclass(frozen=True, slots=True)
class NewTask:
    """One task to be made."""

    material: Material
    completions: Sequence[str]
    role: str = TaskRole.NORMAL
    overlap: int = 1
    authors: Sequence[int] = ()


def find_batch(tx: Tx, name: str) -> tuple[int, Batch] | None:
    """Return (local key, batch), or None."""
    table = schema.batch
    row = tx.execute(select(table).where(table.c.name == name)).first()
    if row is None:
        return None
    people = (
        select(schema.labeler.c.name)
        .join(schema.batch_labeler, schema.batch_labeler.c.labeler_id == schema.labeler.c.id)
        .where(schema.batch_labeler.c.batch_id == row.id)
        .order_by(schema.labeler.c.name)
    )
    settings = BatchSettings(**orjson.loads(row.settings))
    names = tuple(tx.scalars(people))
    return row.id, Batch(row.name, row.kind, row.priority, row.seed, settings, None, names)


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


def limit_to(tx: Tx, batch_key: int, labeler_keys: Sequence[int]) -> None:
    """Let only these labelers work on a batch."""
    rows = [(batch_key, key) for key in labeler_keys]
    insert_many(tx, schema.batch_labeler, ("batch_id", "labeler_id"), rows, known_ok=True)


def materials(tx: Tx, kind: str, choice: Choice) -> Iterator[Material]:
    """Yield the prompts that have no task of this kind yet, in uid order."""
    completion = schema.completion
    rows = tx.execute(_wanted(kind, choice)).all()
    for start in range(0, len(rows), 500):
        chunk = rows[start : start + 500]
        found: dict[int, dict[str, int]] = {row.id: {} for row in chunk}
        query = select(completion.c.prompt_id, completion.c.uid, completion.c.id)
        for row in tx.execute(query.where(completion.c.prompt_id.in_(list(found)))):
            found[row.prompt_id][row.uid.hex()] = row.id
        for row in chunk:
            yield Material(row.id, row.uid.hex(), found[row.id])


def _wanted(kind: str, choice: Choice) -> Select[Any]:
    prompt, task, batch = schema.prompt, schema.task, schema.batch
    query = select(prompt.c.id, prompt.c.uid).order_by(prompt.c.uid)
    for name in ("use_case", "source", "language"):
        if value := getattr(choice, name):
            query = query.where(prompt.c[name] == value)
    if not choice.again:
        taken = exists().where(
            task.c.prompt_id == prompt.c.id, task.c.batch_id == batch.c.id, batch.c.kind == kind
        )
        query = query.where(~taken)
    return query


def add_tasks(tx: Tx, batch_key: int, batch: Batch, tasks: Sequence[NewTask]) -> int:
    """Store tasks that are not there yet and return how many were new."""
    known = set(tx.scalars(select(schema.task.c.uid).where(schema.task.c.batch_id == batch_key)))
    key = next_id(tx, schema.task)
    rows, members, authors = [], [], []
    for task in tasks:
        uid = task_uid(batch.name, task.material.prompt, task.completions)
        if raw(uid) in known:
            continue
        position = seed_of(batch.seed, uid) % _POSITIONS
        prompt_key = task.material.prompt_key
        rows.append((key, raw(uid), batch_key, prompt_key, task.role, position, task.overlap))
        keys = task.material.completions
        members += [(key, i, keys[c]) for i, c in enumerate(sorted(task.completions))]
        authors += [(key, author) for author in task.authors]
        key += 1
    insert_many(tx, schema.task, _TASK, rows)
    insert_many(tx, schema.task_completion, ("task_id", "position", "completion_id"), members)
    insert_many(tx, schema.task_author, ("task_id", "labeler_id"), authors)
    return len(rows)


def task_uid(batch: str, prompt: str, completions: Sequence[str]) -> str:
    """Name a task by its batch, its prompt and the completions it holds."""
    return uid_of("task", [batch, prompt, sorted(completions)])


def any_batch(tx: Tx, kind: str) -> bool:
    """Whether anything of this kind was ever handed out."""
    query = select(schema.batch.c.id).where(schema.batch.c.kind == kind)
    return tx.scalar(query.limit(1)) is not None


def count_prompts(tx: Tx) -> int:
    return tx.scalar(select(func.count()).select_from(schema.prompt)) or 0
