"""Hand tasks out and take answers in: leases, tokens, skips.

A claim is one UPDATE that can only succeed while the task has room, inside a transaction that
holds the store's write lock, so two labelers cannot take the same place. Lease times are read off
the database's clock.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import ColumnElement, Select, and_, exists, func, insert, or_, select, update

from labelkit.domain.models import Label, Skip
from labelkit.domain.shuffle import seed_of
from labelkit.domain.tasks import BatchSettings, TaskRole
from labelkit.errors import LeaseLost
from labelkit.store import rules, schema
from labelkit.store.codec import COMMON, OWN, TABLES, common_values, own_values, raw
from labelkit.store.engine import Tx
from labelkit.store.sql import clock, insert_many

_POSITIONS = 1 << 62
_REPEAT_GAP, _LEAST_GAP = 8, 3
HELD = ("leased", "filled", "skipped")
LENT = "bundle."
"""How the tokens of slots begin whose tasks were taken away in a bundle."""
_LOST = "the time for this task ran out, or it was answered from another window"

task, slot, batch = schema.task, schema.slot, schema.batch
_NOT_OVER = slot.c.state.in_(("leased", "expired"))


@dataclass(frozen=True, slots=True)
class Lease:
    """A slot held for a time. Local keys: this never leaves the store and its services."""

    token: str
    slot_key: int
    task_key: int
    labeler_key: int
    round: int


@dataclass(frozen=True, slots=True)
class Desk:
    """A labeler at work: who, on which kind of task, and for how long a lease lasts."""

    labeler_key: int
    labeler: str
    labeler_kind: str
    kind: str
    lease_seconds: float
    batch: str | None = None


def claim(tx: Tx, desk: Desk) -> Lease | None:
    """Return a lease on the labeler's next task, or None when there is none.

    A task already held comes first (with a new token: the last window wins), then one that was
    begun and expired, then a silent repeat that is due, then new ones by priority of their batch.
    """
    expire(tx)
    return (
        _take_over(tx, desk)
        or _resume(tx, desk)
        or _due_repeat(tx, desk, early=False)
        or fresh(tx, desk)
        or _due_repeat(tx, desk, early=True)
    )


def expire(tx: Tx) -> None:
    """Give the places of overdue leases back."""
    overdue = and_(schema.LEASED_SLOT, slot.c.expires < clock(tx))
    for row in tx.execute(select(slot.c.id, slot.c.task_id, slot.c.round).where(overdue)).all():
        leave(tx, row, "expired")


def leave(tx: Tx, row: Any, state: str) -> None:
    """Set a leased slot to `state`; the first round's place on the task is free again."""
    tx.execute(update(slot).where(slot.c.id == row.id).values(state=state))
    if row.round == 0:
        free = task.c.leased - 1
        tx.execute(update(task).where(task.c.id == row.task_id).values(leased=free))


def _slots(desk: Desk, *columns: Any) -> Select[Any]:
    """The labeler's slots on tasks of the desk's kind."""
    query = (
        select(slot.c.id, slot.c.task_id, slot.c.round, *columns)
        .join(task, task.c.id == slot.c.task_id)
        .join(batch, batch.c.id == task.c.batch_id)
        .where(slot.c.labeler_id == desk.labeler_key, batch.c.kind == desk.kind)
    )
    return query if desk.batch is None else query.where(batch.c.name == desk.batch)


def _take_over(tx: Tx, desk: Desk) -> Lease | None:
    here = and_(slot.c.state == "leased", ~slot.c.token.startswith(LENT))
    row = tx.execute(_slots(desk).where(here).limit(1)).first()
    return _renew_as(tx, desk, row.id, row.task_id, row.round) if row else None


def _resume(tx: Tx, desk: Desk) -> Lease | None:
    """Go back to a task whose lease ran out, if nobody else took the place."""
    query = _slots(desk).where(slot.c.state == "expired").order_by(slot.c.id.desc())
    for row in tx.execute(query.limit(20)).all():
        if row.round or _take_place(tx, task.c.id == row.task_id):
            return _renew_as(tx, desk, row.id, row.task_id, row.round)
    return None


def _due_repeat(tx: Tx, desk: Desk, *, early: bool) -> Lease | None:
    """A task this labeler did before, shown again.

    `early` when there is nothing else to do: then after a few other tasks already.
    """
    query = _slots(desk, slot.c.due).where(slot.c.state == "waiting", task.c.state != "excluded")
    query = query.order_by(slot.c.due)
    row = tx.execute(query.limit(1)).first()
    ahead = _REPEAT_GAP - _LEAST_GAP if early else 0
    if row is None or row.due - ahead > _filled_by(tx, desk.labeler_key):
        return None
    return _renew_as(tx, desk, row.id, row.task_id, row.round)


def _filled_by(tx: Tx, labeler_key: int) -> int:
    mine = and_(slot.c.labeler_id == labeler_key, slot.c.state == "filled")
    return tx.scalar(select(func.count()).select_from(slot).where(mine)) or 0


def _renew_as(tx: Tx, desk: Desk, slot_key: int, task_key: int, round_: int) -> Lease:
    token = f"{slot_key}.{secrets.token_hex(16)}"
    values = {"state": "leased", "token": token, "expires": clock(tx) + desk.lease_seconds}
    tx.execute(update(slot).where(slot.c.id == slot_key).values(values))
    return Lease(token, slot_key, task_key, desk.labeler_key, round_)


def fresh(tx: Tx, desk: Desk) -> Lease | None:
    """Return a lease on a task that the labeler does not hold yet, or None."""
    for row in tx.execute(_open_batches(desk)).all():
        start = _start(tx, desk, row)
        for part in (task.c.position >= start, task.c.position < start):
            claimed = _claim_in(tx, desk, row.id, part)
            if claimed is not None:
                return _new_slot(tx, desk, claimed)
    return None


def _open_batches(desk: Desk) -> Select[Any]:
    """Batches this labeler may work on that have room somewhere, the most urgent first."""
    room = exists().where(task.c.batch_id == batch.c.id, schema.OPEN_TASK)
    query = select(batch.c.id, batch.c.seed).where(batch.c.kind == desk.kind, may_work(desk), room)
    if desk.batch is not None:
        query = query.where(batch.c.name == desk.batch)
    return query.order_by(batch.c.priority.desc(), batch.c.id)


def may_work(desk: Desk) -> ColumnElement[bool]:
    """Whether a batch is for everybody, for this labeler, or for a group they are in."""
    people, groups, me = schema.batch_labeler, schema.batch_cohort, schema.labeler
    named = exists().where(people.c.batch_id == batch.c.id)
    grouped = exists().where(groups.c.batch_id == batch.c.id)
    invited = exists().where(
        people.c.batch_id == batch.c.id, people.c.labeler_id == desk.labeler_key
    )
    member = exists().where(
        groups.c.batch_id == batch.c.id,
        groups.c.cohort == me.c.cohort,
        me.c.id == desk.labeler_key,
    )
    return or_(and_(~named, ~grouped), invited, member)


def _start(tx: Tx, desk: Desk, row: Any) -> int:
    """Where this labeler goes on: after the last task taken, or at a start of their own.

    The walk is a circle over shuffled positions, so everybody has an order that stays, and no
    two have the same.
    """
    last = tx.scalar(
        select(task.c.position)
        .join(slot, slot.c.task_id == task.c.id)
        .where(slot.c.labeler_id == desk.labeler_key, task.c.batch_id == row.id)
        .order_by(slot.c.id.desc())
        .limit(1)
    )
    return seed_of(row.seed, desk.labeler) % _POSITIONS if last is None else last


def _claim_in(tx: Tx, desk: Desk, batch_key: int, part: ColumnElement[bool]) -> int | None:
    mine = exists().where(
        slot.c.task_id == task.c.id,
        slot.c.labeler_id == desk.labeler_key,
        slot.c.state.in_(HELD),
    )
    wrote_some = exists().where(
        schema.task_author.c.task_id == task.c.id,
        schema.task_author.c.labeler_id == desk.labeler_key,
    )
    candidate = (
        select(task.c.id)
        .where(task.c.batch_id == batch_key, part, schema.OPEN_TASK, ~mine, ~wrote_some)
        .order_by(task.c.position)
        .limit(1)
    )
    return _take_place(tx, task.c.id == candidate.scalar_subquery())


def _take_place(tx: Tx, which: ColumnElement[bool]) -> int | None:
    """Take one place on a task in one statement; None when it has no room."""
    statement = update(task).where(which, schema.OPEN_TASK).values(leased=task.c.leased + 1)
    taken: int | None = tx.scalar(statement.returning(task.c.id))
    return taken


def _new_slot(tx: Tx, desk: Desk, task_key: int) -> Lease:
    again = select(slot.c.id).where(
        slot.c.task_id == task_key, slot.c.labeler_id == desk.labeler_key, slot.c.round == 0
    )
    slot_key = tx.scalar(again)
    if slot_key is None:
        values = {
            "task_id": task_key,
            "labeler_id": desk.labeler_key,
            "round": 0,
            "state": "leased",
            "token": "",
            "expires": 0.0,
        }
        inserted = tx.execute(insert(slot).values(values)).inserted_primary_key
        assert inserted is not None
        slot_key = int(inserted[0])
    return _renew_as(tx, desk, slot_key, task_key, 0)


# -- while it is held ----------------------------------------------------------------------------


def _live(tx: Tx, token: str) -> Any:
    """Return the slot behind a token. Raises LeaseLost when it is not held any more."""
    query = _by_token(token).where(slot.c.state == "leased", slot.c.expires >= clock(tx))
    row = tx.execute(query).first()
    if row is None:
        raise LeaseLost(_LOST)
    return row


def _by_token(token: str) -> Select[Any]:
    """The slot that a token was given for; the token begins with the slot's key."""
    key = token.partition(".")[0]
    return select(slot).where(slot.c.id == (int(key) if key else 0), slot.c.token == token)


def renew(tx: Tx, token: str, seconds: float) -> None:
    """Hold a slot for longer; one that ran out is taken back if nobody else has the place.

    Raises LeaseLost.
    """
    row = tx.execute(_by_token(token).where(_NOT_OVER)).first()
    held = row is not None and row.state == "leased"
    if row is None or not (held or row.round or _take_place(tx, task.c.id == row.task_id)):
        raise LeaseLost(_LOST)
    values = {"state": "leased", "expires": clock(tx) + seconds}
    tx.execute(update(slot).where(slot.c.id == row.id).values(values))


def release(tx: Tx, token: str) -> None:
    """Give an untouched task back, as if it had never been taken."""
    row = _live(tx, token)
    leave(tx, row, "expired")


def submit(tx: Tx, token: str, label: Label) -> None:
    """Store a label and fill its slot: both, or neither. Raises LeaseLost for a stale token."""
    row = _live(tx, token)
    store_label(tx, label, row.task_id, row.labeler_id)
    if isinstance(label, Skip):
        leave(tx, row, "skipped")
        _count_unclear(tx, row.task_id, label.reason)
        return
    tx.execute(update(slot).where(slot.c.id == row.id).values(state="filled"))
    if row.round == 0:
        counts = {"leased": task.c.leased - 1, "filled": task.c.filled + 1}
        tx.execute(update(task).where(task.c.id == row.task_id).values(counts))
        _plan_repeat(tx, row, label)


def _count_unclear(tx: Tx, task_key: int, reason: str) -> None:
    """Set a task aside for the lead when enough labelers could not tell what it asks."""
    if reason != "unclear":
        return
    settings, *_ = _task_facts(tx, task_key)
    more = update(task).where(task.c.id == task_key).values(unclear=task.c.unclear + 1)
    if (tx.scalar(more.returning(task.c.unclear)) or 0) >= settings.set_aside_after:
        tx.execute(update(task).where(task.c.id == task_key).values(state="set_aside"))


def _plan_repeat(tx: Tx, row: Any, label: Label) -> None:
    """Put a share of the tasks a labeler has done before them once more, some tasks later."""
    settings, role, seed, uid = _task_facts(tx, row.task_id)
    chosen = seed_of(seed, "repeat", uid.hex(), label.labeler) / (1 << 64) < settings.repeat
    if role != TaskRole.NORMAL or not chosen:
        return
    values = {
        "task_id": row.task_id,
        "labeler_id": row.labeler_id,
        "round": 1,
        "state": "waiting",
        "token": "",
        "expires": 0.0,
        "due": _filled_by(tx, row.labeler_id) + _REPEAT_GAP,
    }
    tx.execute(insert(slot).values(values))


def store_label(tx: Tx, label: Label, task_key: int | None, labeler_key: int | None) -> None:
    """Append one label. Storing the same label twice stores it once."""
    prompt_key, ids = task_completions(tx, task_key)
    kind = type(label)
    guideline = rules.key_or_stub(tx, label.guideline) if label.guideline else None
    row = common_values(label, prompt_key, labeler_key, guideline, task_key)
    row += own_values(label, ids)
    insert_many(tx, TABLES[kind], (*COMMON, *OWN[kind]), [row], known_ok=True)


def store_revision(tx: Tx, label: Label, old_uid: str) -> None:
    """Append a label that supersedes another, on the same task and by the same labeler."""
    table = TABLES[type(label)]
    query = select(table.c.task_id, table.c.labeler_id).where(table.c.uid == raw(old_uid))
    row = tx.execute(query).one()
    store_label(tx, label, row.task_id, row.labeler_id)


def task_completions(tx: Tx, task_key: int | None) -> tuple[int, dict[str, int]]:
    member, completion = schema.task_completion, schema.completion
    prompt_key = tx.scalar(select(task.c.prompt_id).where(task.c.id == task_key))
    assert prompt_key is not None
    query = (
        select(completion.c.uid, completion.c.id)
        .join(member, member.c.completion_id == completion.c.id)
        .where(member.c.task_id == task_key)
    )
    return prompt_key, {row.uid.hex(): row.id for row in tx.execute(query)}


def _task_facts(tx: Tx, task_key: int) -> tuple[BatchSettings, str, str, bytes]:
    """Return the settings of a task's batch, its role, its batch's seed, and its uid."""
    query = (
        select(batch.c.settings, task.c.role, batch.c.seed, task.c.uid)
        .join(task, task.c.batch_id == batch.c.id)
        .where(task.c.id == task_key)
    )
    row = tx.execute(query).one()
    return BatchSettings(**orjson.loads(row.settings)), row.role, row.seed, row.uid
