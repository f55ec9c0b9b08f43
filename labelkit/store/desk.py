"""Hand tasks out and take answers in: leases, tokens, skips.

A claim is one UPDATE that can only succeed while the task has room, inside a transaction that
holds the store's write lock, so two labelers cannot take the same place. Lease times are read off
the database's clock.

Everybody else waits while a place is taken, so the statements are built once and not every time.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import (
    and_,
    func,
    insert,
    select,
    update,
)

from labelkit.domain.models import Label, Skip
from labelkit.domain.shuffle import seed_of
from labelkit.domain.tasks import BatchSettings, TaskRole
from labelkit.errors import LeaseLost
from labelkit.store import desk_statements as ask
from labelkit.store import rules, schema
from labelkit.store.codec import COMMON, OWN, TABLES, common_values, own_values, raw
from labelkit.store.engine import Tx
from labelkit.store.sql import insert_many

_POSITIONS = 1 << 62
_REPEAT_GAP, _LEAST_GAP = 8, 3
_LOST = "the time for this task ran out, or it was answered from another window"

task, slot = schema.task, schema.slot


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

    def asked(self) -> dict[str, Any]:
        """What statements about the labeler's own slots and batches are asked for."""
        return {"me": self.labeler_key, "kind": self.kind, "named": self.batch}


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
    for row in tx.execute(ask.overdue()).all():
        leave(tx, row, "expired")


def leave(tx: Tx, row: Any, state: str) -> None:
    """Set a leased slot to `state`; the first round's place on the task is free again."""
    _become(tx, row.id, state)
    if row.round == 0:
        tx.execute(ask.count(leased=-1), {"this": row.task_id})


def _become(tx: Tx, slot_key: int, state: str) -> None:
    tx.execute(ask.set_state(), {"this": slot_key, "new": state})


def _take_over(tx: Tx, desk: Desk) -> Lease | None:
    row = tx.execute(ask.held_here(), desk.asked()).first()
    return _renew_as(tx, desk, row.id, row.task_id, row.round) if row else None


def _resume(tx: Tx, desk: Desk) -> Lease | None:
    """Go back to a task whose lease ran out, if nobody else took the place."""
    for row in tx.execute(ask.ran_out(), desk.asked()).all():
        if row.round or _take_place(tx, row.task_id):
            return _renew_as(tx, desk, row.id, row.task_id, row.round)
    return None


def _due_repeat(tx: Tx, desk: Desk, *, early: bool) -> Lease | None:
    """A task this labeler did before, shown again.

    `early` when there is nothing else to do: then after a few other tasks already.
    """
    row = tx.execute(ask.next_repeat(), desk.asked()).first()
    ahead = _REPEAT_GAP - _LEAST_GAP if early else 0
    if row is None or row.due - ahead > _filled_by(tx, desk.labeler_key):
        return None
    return _renew_as(tx, desk, row.id, row.task_id, row.round)


def _filled_by(tx: Tx, labeler_key: int) -> int:
    mine = and_(slot.c.labeler_id == labeler_key, slot.c.state == "filled")
    return tx.scalar(select(func.count()).select_from(slot).where(mine)) or 0


def _renew_as(tx: Tx, desk: Desk, slot_key: int, task_key: int, round_: int) -> Lease:
    token = f"{slot_key}.{secrets.token_hex(16)}"
    values = {"this": slot_key, "new_token": token, "seconds": desk.lease_seconds}
    tx.execute(ask.lease(), values)
    return Lease(token, slot_key, task_key, desk.labeler_key, round_)


def fresh(tx: Tx, desk: Desk) -> Lease | None:
    """Return a lease on a task that the labeler does not hold yet, or None."""
    for row in tx.execute(ask.open_batches(), desk.asked()).all():
        values = {"me": desk.labeler_key, "here": row.id, "start": _start(tx, desk, row)}
        for ahead in (True, False):
            claimed = tx.scalar(ask.take_next(ahead), values)
            if claimed is not None:
                return _new_slot(tx, desk, claimed)
    return None


def _start(tx: Tx, desk: Desk, row: Any) -> int:
    """Where this labeler goes on: after the last task taken, or at a start of their own.

    The walk is a circle over shuffled positions, so everybody has an order that stays, and no
    two have the same.
    """
    last = tx.scalar(ask.last_position(), {"me": desk.labeler_key, "here": row.id})
    return seed_of(row.seed, desk.labeler) % _POSITIONS if last is None else last


def _take_place(tx: Tx, task_key: int) -> int | None:
    """Take one place on a task in one statement; None when it has no room."""
    taken: int | None = tx.scalar(ask.take_this(), {"this": task_key})
    return taken


def _new_slot(tx: Tx, desk: Desk, task_key: int) -> Lease:
    slot_key = tx.scalar(ask.former_slot(), {"on": task_key, "me": desk.labeler_key})
    if slot_key is None:
        slot_key = _insert_slot(tx, task_key, desk.labeler_key, 0, "leased", None)
    return _renew_as(tx, desk, slot_key, task_key, 0)


def _insert_slot(
    tx: Tx, task_key: int, labeler_key: int, round_: int, state: str, due: int | None
) -> int:
    values = {
        "task_id": task_key,
        "labeler_id": labeler_key,
        "round": round_,
        "state": state,
        "token": "",
        "expires": 0.0,
        "due": due,
    }
    inserted = tx.execute(insert(slot), values).inserted_primary_key
    assert inserted is not None
    return int(inserted[0])


# -- while it is held ----------------------------------------------------------------------------


def _live(tx: Tx, token: str) -> Any:
    """Return the slot behind a token. Raises LeaseLost when it is not held any more."""
    row = tx.execute(ask.held_now(), _named(token)).first()
    if row is None:
        raise LeaseLost(_LOST)
    return row


def _named(token: str) -> dict[str, Any]:
    """The slot that a token was given for; the token begins with the slot's key."""
    key = token.partition(".")[0]
    return {"this": int(key) if key else 0, "by": token}


def renew(tx: Tx, token: str, seconds: float) -> None:
    """Hold a slot for longer; one that ran out is taken back if nobody else has the place.

    Raises LeaseLost.
    """
    row = tx.execute(ask.not_over(), _named(token)).first()
    held = row is not None and row.state == "leased"
    if row is None or not (held or row.round or _take_place(tx, row.task_id)):
        raise LeaseLost(_LOST)
    tx.execute(ask.lease(), {"this": row.id, "new_token": token, "seconds": seconds})


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
    _become(tx, row.id, "filled")
    if row.round == 0:
        tx.execute(ask.count(leased=-1, filled=1), {"this": row.task_id})
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
    due = _filled_by(tx, row.labeler_id) + _REPEAT_GAP
    _insert_slot(tx, row.task_id, row.labeler_id, 1, "waiting", due)


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
    """Return the key of a task's prompt, and the keys of its completions by uid."""
    prompt_key = tx.scalar(ask.prompt_of(), {"this": task_key})
    assert prompt_key is not None
    rows = tx.execute(ask.completions_of("uid", "id"), {"this": task_key})
    return prompt_key, {row.uid.hex(): row.id for row in rows}


def _task_facts(tx: Tx, task_key: int) -> tuple[BatchSettings, str, str, bytes]:
    """Return the settings of a task's batch, its role, its batch's seed, and its uid."""
    row = tx.execute(ask.facts(), {"this": task_key}).one()
    return BatchSettings(**orjson.loads(row.settings)), row.role, row.seed, row.uid
