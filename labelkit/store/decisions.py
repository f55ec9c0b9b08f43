"""What was decided about prompts: kept, looked up, and made to hold for tasks."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Table, case, exists, func, select, update

from labelkit.domain.decisions import Aspect, Use
from labelkit.domain.models import Decision
from labelkit.store import schema
from labelkit.store.codec import raw
from labelkit.store.engine import Tx
from labelkit.store.sql import chunks, insert_many, next_id

table, prompt, task = schema.decision, schema.prompt, schema.task

_COLUMNS = (
    "uid",
    "prompt_id",
    "aspect",
    "value",
    "reason",
    "note",
    "by",
    "made_at",
    "run",
    "supersedes",
    "restores",
)
OPEN, EXCLUDED = "open", "excluded"


def decision_from(row: Any) -> Decision:
    """Read a decision; `row` has the table's columns as attributes."""
    return Decision(
        uid=row.uid.hex(),
        aspect=row.aspect,
        value=row.value,
        reason=row.reason,
        note=row.note or "",
        by=row.by,
        made_at=row.made_at,
        run=row.run,
        supersedes=row.supersedes.hex() if row.supersedes else None,
        restores=row.restores.hex() if row.restores else None,
    )


def add(tx: Tx, made: Sequence[tuple[int, Decision]]) -> int:
    """Store decisions, each with its prompt's local key, and return how many were new."""
    before = next_id(tx, table)
    rows = [
        (
            raw(d.uid),
            key,
            d.aspect,
            d.value,
            d.reason,
            d.note or None,
            d.by,
            d.made_at,
            d.run,
            raw(d.supersedes) if d.supersedes else None,
            raw(d.restores) if d.restores else None,
        )
        for key, d in made
    ]
    insert_many(tx, table, _COLUMNS, rows, known_ok=True)
    return tx.scalar(select(func.count()).select_from(table).where(table.c.id >= before)) or 0


def of_prompts(tx: Tx, keys: Iterable[int]) -> dict[int, list[Decision]]:
    """Map prompts, by local key, to every decision about them, the oldest first."""
    found: dict[int, list[Decision]] = {}
    for chunk in chunks(keys):
        query = select(table).where(table.c.prompt_id.in_(chunk)).order_by(table.c.id)
        for row in tx.execute(query):
            found.setdefault(row.prompt_id, []).append(decision_from(row))
    return found


def any_about(tx: Tx, aspect: str) -> bool:
    """Whether anything was ever decided about this aspect."""
    return tx.scalar(select(table.c.id).where(table.c.aspect == aspect).limit(1)) is not None


@dataclass(frozen=True, slots=True)
class RunRow:
    """What one run said about one thing, and for how many prompts that still holds."""

    run: str
    made_at: str
    by: str | None
    aspect: str
    value: str | None
    reason: str
    prompts: int
    in_force: int


def runs(tx: Tx, limit: int | None = None) -> list[RunRow]:
    """Return the runs, the newest first."""
    newer = table.alias()
    superseded = exists().where(newer.c.supersedes == table.c.uid)
    said = (table.c.run, table.c.made_at, table.c.by, table.c.aspect, table.c.value, table.c.reason)
    query = select(*said, func.count(), func.sum(case((superseded, 0), else_=1)))
    query = query.group_by(*said).order_by(func.max(table.c.id).desc(), table.c.value).limit(limit)
    return [RunRow(*row) for row in tx.execute(query)]


def of_run(tx: Tx, run: str) -> list[tuple[int, Decision]]:
    """Return the decisions of a run, each with its prompt's local key."""
    query = select(table).where(table.c.run == run).order_by(table.c.id)
    return [(row.prompt_id, decision_from(row)) for row in tx.execute(query)]


# -- what holds, in SQL --------------------------------------------------------------------------


def in_force(aspect: str, of: Table = prompt) -> ColumnElement[Any]:
    """The value that holds for the prompt at hand, or NULL. `of` is prompt, or a table about it."""
    newer = table.alias()
    superseded = exists().where(newer.c.supersedes == table.c.uid)
    key = of.c.id if of is prompt else of.c.prompt_id
    return (
        select(table.c.value)
        .where(table.c.prompt_id == key, table.c.aspect == aspect, ~superseded)
        .order_by(table.c.made_at.desc(), table.c.uid.desc())
        .limit(1)
        .correlate(of)
        .scalar_subquery()
    )


def is_excluded(of: Table = prompt) -> ColumnElement[bool]:
    """Whether the prompt at hand is excluded."""
    return func.coalesce(in_force(Aspect.USE, of), "") == Use.EXCLUDE.value


def use_case() -> ColumnElement[Any]:
    """The use case of the prompt at hand: the tag, else what its file said."""
    return func.coalesce(in_force(Aspect.USE_CASE), prompt.c.use_case)


def split() -> ColumnElement[Any]:
    """The split of the prompt at hand: the one decided, else what its file said."""
    return func.coalesce(in_force(Aspect.SPLIT), prompt.c.split)


def count_excluded(tx: Tx) -> int:
    """Count the prompts that are excluded."""
    if not any_about(tx, Aspect.USE):
        return 0
    return tx.scalar(select(func.count()).select_from(prompt).where(is_excluded())) or 0


def use_cases(tx: Tx) -> dict[str, int]:
    """Count the prompts in use by use case; those without one under the empty name."""
    name = func.coalesce(use_case(), "")
    query = select(name, func.count()).select_from(prompt).where(~is_excluded()).group_by(name)
    return {row[0]: row[1] for row in tx.execute(query)}


def newest_note(tx: Tx, aspect: str, reason: str) -> str | None:
    """Return the note of the newest decision of a kind that holds, or None."""
    newer = table.alias()
    superseded = exists().where(newer.c.supersedes == table.c.uid)
    query = select(table.c.note).where(table.c.aspect == aspect, table.c.reason == reason)
    query = query.where(~superseded, table.c.value.is_not(None)).order_by(table.c.id.desc())
    return tx.scalar(query.limit(1))


def excluded_among(tx: Tx, keys: Iterable[int]) -> set[int]:
    """Return those of the prompts, by local key, that are excluded."""
    found: set[int] = set()
    for chunk in chunks(keys):
        found.update(tx.scalars(select(prompt.c.id).where(prompt.c.id.in_(chunk), is_excluded())))
    return found


def follow(tx: Tx, keys: Iterable[int]) -> None:
    """Hand out no task of these prompts that are excluded, and again those that no more are.

    A task set aside stays so, and a labeler at work on one may finish.
    """
    out = is_excluded(task)
    for chunk in chunks(sorted(set(keys))):
        theirs = update(task).where(task.c.prompt_id.in_(chunk))
        tx.execute(theirs.where(task.c.state == OPEN, out).values(state=EXCLUDED))
        tx.execute(theirs.where(task.c.state == EXCLUDED, ~out).values(state=OPEN))
