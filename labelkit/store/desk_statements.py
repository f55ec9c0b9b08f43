"""What the desk asks the database, each statement built once.

Everybody else waits while one labeler is handed a task, and building these takes longer than
running them. Parameters: `me` is the labeler's key, `this` the key of the row in question.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Select,
    Text,
    Update,
    and_,
    bindparam,
    exists,
    or_,
    select,
    update,
)

from labelkit.store import schema
from labelkit.store.sql import Now

HELD = ("leased", "filled", "skipped")
LENT = "bundle."
"""How the tokens of slots begin whose tasks were taken away in a bundle."""

task, slot, batch = schema.task, schema.slot, schema.batch


@cache
def overdue() -> Select[Any]:
    """Leases that ran out."""
    overdue = and_(schema.LEASED_SLOT, slot.c.expires < Now())
    return select(slot.c.id, slot.c.task_id, slot.c.round).where(overdue)


@cache
def set_state() -> Update:
    """Give a slot its `new` state."""
    return update(slot).where(slot.c.id == bindparam("this")).values(state=bindparam("new"))


@cache
def count(**more: int) -> Update:
    """Add to a task's counts."""
    counts = {name: task.c[name] + n for name, n in more.items()}
    return update(task).where(task.c.id == bindparam("this")).values(counts)


def _of_desk() -> ColumnElement[bool]:
    named = bindparam("named", type_=Text)
    return and_(batch.c.kind == bindparam("kind"), or_(named.is_(None), batch.c.name == named))


@cache
def slots(state: str) -> Select[Any]:
    """The labeler's slots on tasks of the desk's kind."""
    return (
        select(slot.c.id, slot.c.task_id, slot.c.round, slot.c.due)
        .join(task, task.c.id == slot.c.task_id)
        .join(batch, batch.c.id == task.c.batch_id)
        .where(slot.c.labeler_id == bindparam("me"), slot.c.state == state, _of_desk())
    )


@cache
def held_here() -> Select[Any]:
    """A slot that the labeler holds, not one that is away in a bundle."""
    return slots("leased").where(~slot.c.token.startswith(LENT)).limit(1)


@cache
def ran_out() -> Select[Any]:
    """Slots the labeler held too long, the latest first."""
    return slots("expired").order_by(slot.c.id.desc()).limit(20)


@cache
def next_repeat() -> Select[Any]:
    """The silent repeat that is due first."""
    return slots("waiting").where(task.c.state != "excluded").order_by(slot.c.due).limit(1)


@cache
def lease() -> Update:
    """Hold a slot for `seconds` from now, with a `new_token`."""
    return (
        update(slot)
        .where(slot.c.id == bindparam("this"))
        .values(state="leased", token=bindparam("new_token"), expires=Now() + bindparam("seconds"))
    )


@cache
def open_batches() -> Select[Any]:
    """Batches this labeler may work on that have room somewhere, the most urgent first."""
    room = exists().where(task.c.batch_id == batch.c.id, schema.OPEN_TASK)
    query = select(batch.c.id, batch.c.seed).where(_of_desk(), may_work(), room)
    return query.order_by(batch.c.priority.desc(), batch.c.id)


def may_work() -> ColumnElement[bool]:
    """Whether a batch is for everybody, for this labeler, or for a group they are in."""
    people, groups, labeler = schema.batch_labeler, schema.batch_cohort, schema.labeler
    me: BindParameter[int] = bindparam("me")
    named = exists().where(people.c.batch_id == batch.c.id)
    grouped = exists().where(groups.c.batch_id == batch.c.id)
    invited = exists().where(people.c.batch_id == batch.c.id, people.c.labeler_id == me)
    member = exists().where(
        groups.c.batch_id == batch.c.id, groups.c.cohort == labeler.c.cohort, labeler.c.id == me
    )
    return or_(and_(~named, ~grouped), invited, member)


@cache
def last_position() -> Select[Any]:
    """Where the labeler was last in the circle of a batch, `here`."""
    return (
        select(task.c.position)
        .join(slot, slot.c.task_id == task.c.id)
        .where(slot.c.labeler_id == bindparam("me"), task.c.batch_id == bindparam("here"))
        .order_by(slot.c.id.desc())
        .limit(1)
    )


@cache
def take_next(ahead: bool) -> Any:
    """Take a place on the next task in the circle, from `start` on or before it."""
    me: BindParameter[int] = bindparam("me")
    start: BindParameter[int] = bindparam("start")
    mine = exists().where(
        slot.c.task_id == task.c.id, slot.c.labeler_id == me, slot.c.state.in_(HELD)
    )
    wrote_some = exists().where(
        schema.task_author.c.task_id == task.c.id, schema.task_author.c.labeler_id == me
    )
    part = task.c.position >= start if ahead else task.c.position < start
    here = task.c.batch_id == bindparam("here")
    candidate = select(task.c.id).where(here, part, schema.OPEN_TASK, ~mine, ~wrote_some)
    return _take(candidate.order_by(task.c.position).limit(1).scalar_subquery())


@cache
def take_this() -> Any:
    """Take a place on a task, if it has room."""
    return _take(bindparam("this"))


def _take(which: Any) -> Any:
    room = update(task).where(task.c.id == which, schema.OPEN_TASK)
    return room.values(leased=task.c.leased + 1).returning(task.c.id)


@cache
def former_slot() -> Select[Any]:
    """The slot that the labeler once had on a task."""
    mine = (slot.c.task_id == bindparam("on"), slot.c.labeler_id == bindparam("me"))
    return select(slot.c.id).where(*mine, slot.c.round == 0)


@cache
def by_token() -> Select[Any]:
    """The slot that a token was given for."""
    return select(slot).where(slot.c.id == bindparam("this"), slot.c.token == bindparam("by"))


@cache
def not_over() -> Select[Any]:
    """The same, unless it was filled or skipped."""
    return by_token().where(slot.c.state.in_(("leased", "expired")))


@cache
def held_now() -> Select[Any]:
    """The same, while its time has not run out."""
    return by_token().where(slot.c.state == "leased", slot.c.expires >= Now())


@cache
def prompt_of() -> Select[Any]:
    """The key of a task's prompt."""
    return select(task.c.prompt_id).where(task.c.id == bindparam("this"))


@cache
def completions_of(*columns: str) -> Select[Any]:
    """These columns of a task's completions, in the order of their uids."""
    member, completion = schema.task_completion, schema.completion
    return (
        select(*[completion.c[name] for name in columns])
        .join(member, member.c.completion_id == completion.c.id)
        .where(member.c.task_id == bindparam("this"))
        .order_by(completion.c.uid)
    )


@cache
def facts() -> Select[Any]:
    """What a task's batch says about repeats, and who the task is."""
    return (
        select(batch.c.settings, task.c.role, batch.c.seed, task.c.uid)
        .join(task, task.c.batch_id == batch.c.id)
        .where(task.c.id == bindparam("this"))
    )
