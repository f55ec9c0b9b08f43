"""Make batches and their tasks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Select, exists, func, select

from labelkit.domain.canonical import uid_of
from labelkit.domain.identity import completion_uid
from labelkit.domain.shuffle import seed_of
from labelkit.domain.tasks import Choice, TaskRole
from labelkit.store import decisions, schema
from labelkit.store.batches import Batch
from labelkit.store.codec import raw
from labelkit.store.demonstrations import Written, adopt, demonstrations_of
from labelkit.store.engine import Tx
from labelkit.store.sql import chunks, insert_many, next_id

_POSITIONS = 1 << 62
_PAGE = 500
_TASK = ("id", "uid", "batch_id", "prompt_id", "role", "position", "overlap")


@dataclass(frozen=True, slots=True)
class Material:
    """A prompt that could become a task: local keys, and uids for what must not depend on them.

    `authors` maps completions to the labelers who wrote the same text as a demonstration.
    """

    prompt_key: int
    prompt: str
    completions: dict[str, int]
    authors: Mapping[str, set[int]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class NewTask:
    """One task to be made."""

    material: Material
    completions: Sequence[str]
    role: str = TaskRole.NORMAL
    overlap: int = 1


def limit_to(tx: Tx, batch_key: int, labeler_keys: Sequence[int], cohorts: Sequence[str]) -> None:
    """Let only these labelers and groups work on a batch."""
    people = [(batch_key, key) for key in labeler_keys]
    insert_many(tx, schema.batch_labeler, ("batch_id", "labeler_id"), people, known_ok=True)
    groups = [(batch_key, cohort) for cohort in cohorts]
    insert_many(tx, schema.batch_cohort, ("batch_id", "cohort"), groups, known_ok=True)


def materials(
    tx: Tx, kind: str, choice: Choice, *, with_demonstrations: bool = False
) -> Iterator[Material]:
    """Yield the prompts that have no task of this kind yet, in uid order.

    `with_demonstrations` makes the current demonstrations completions of their prompts. Works in
    pages, so that tasks may be stored in between.
    """
    last = b""
    while rows := tx.execute(_wanted(kind, choice, last).limit(_PAGE)).all():
        prompts = {row.id: row.uid.hex() for row in rows}
        yield from materials_of(tx, prompts, with_demonstrations=with_demonstrations)
        last = rows[-1].uid


def materials_of(
    tx: Tx, prompts: Mapping[int, str], *, with_demonstrations: bool = False
) -> list[Material]:
    """Return what there is to work with for some prompts: {local key: uid}."""
    written = demonstrations_of(tx, prompts)
    if with_demonstrations:
        adopt(tx, prompts, written)
    completion = schema.completion
    found: dict[int, dict[str, int]] = {key: {} for key in prompts}
    query = select(completion.c.prompt_id, completion.c.uid, completion.c.id)
    for row in tx.execute(query.where(completion.c.prompt_id.in_(list(prompts)))):
        found[row.prompt_id][row.uid.hex()] = row.id
    return [
        Material(key, prompt, found[key], _authors(prompt, written.get(key, ())))
        for key, prompt in prompts.items()
    ]


def _authors(prompt: str, written: Sequence[Written]) -> dict[str, set[int]]:
    """Who wrote which completion of a prompt: nobody ranks their own words."""
    authors: dict[str, set[int]] = {}
    for one in written:
        if one.labeler_key is not None:
            authors.setdefault(completion_uid(prompt, one.text), set()).add(one.labeler_key)
    return authors


def _wanted(kind: str, choice: Choice, after: bytes) -> Select[Any]:
    prompt, task, batch = schema.prompt, schema.task, schema.batch
    query = select(prompt.c.id, prompt.c.uid).where(prompt.c.uid > after).order_by(prompt.c.uid)
    columns = {"use_case": decisions.use_case(), "source": prompt.c.source}
    for name, column in {**columns, "language": prompt.c.language}.items():
        if value := getattr(choice, name):
            query = query.where(column == value)
    query = query.where(~decisions.is_excluded())
    if not choice.again:
        taken = exists().where(
            task.c.prompt_id == prompt.c.id, task.c.batch_id == batch.c.id, batch.c.kind == kind
        )
        query = query.where(~taken)
    return query


def add_tasks(tx: Tx, batch_key: int, batch: Batch, tasks: Sequence[NewTask]) -> int:
    """Store tasks that are not there yet and return how many were new."""
    uids = {task_uid(batch.name, t.material.prompt, t.completions): t for t in tasks}
    column = schema.task.c.uid
    for chunk in chunks(list(uids)):
        for known in tx.scalars(select(column).where(column.in_([raw(uid) for uid in chunk]))):
            del uids[known.hex()]
    first = next_id(tx, schema.task)
    rows, members, authors = [], [], []
    for key, (uid, task) in enumerate(uids.items(), first):
        position = position_of(batch.seed, uid)
        material = task.material
        rows.append(
            (key, raw(uid), batch_key, material.prompt_key, task.role, position, task.overlap)
        )
        order = sorted(task.completions)
        members += [(key, i, material.completions[c]) for i, c in enumerate(order)]
        wrote = set().union(*(material.authors.get(c, ()) for c in order))
        authors += [(key, author) for author in sorted(wrote)]
    insert_many(tx, schema.task, _TASK, rows)
    insert_many(tx, schema.task_completion, ("task_id", "position", "completion_id"), members)
    insert_many(tx, schema.task_author, ("task_id", "labeler_id"), authors)
    return len(rows)


def position_of(seed: str, uid: str) -> int:
    """Where a task stands among those of its batch."""
    return seed_of(seed, uid) % _POSITIONS


def task_uid(batch: str, prompt: str, completions: Sequence[str]) -> str:
    """Name a task by its batch, its prompt and the completions it holds."""
    return uid_of("task", [batch, prompt, sorted(completions)])


def count_prompts(tx: Tx) -> int:
    return tx.scalar(select(func.count()).select_from(schema.prompt)) or 0
