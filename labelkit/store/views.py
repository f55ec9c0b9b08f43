"""What a labeler is shown. Nothing here reads where a completion came from."""

from __future__ import annotations

from functools import cache
from typing import Any

import orjson
from sqlalchemy import Select, Table, and_, bindparam, func, or_, select

from labelkit.domain.models import AnyLabel, Guideline, Message
from labelkit.domain.shuffle import shuffled
from labelkit.domain.tasks import BatchSettings, Candidate, TaskView, handle_of
from labelkit.store import rules, schema
from labelkit.store.codec import TABLES, common_from, label_from, raw
from labelkit.store.core import get_setting
from labelkit.store.desk import Desk, Lease, task_completions
from labelkit.store.desk_statements import HELD, LENT, completions_of, open_batches
from labelkit.store.engine import Tx

_HOW_FAR_BACK = 200

task, slot, batch = schema.task, schema.slot, schema.batch
_IN_USE = task.c.state != "excluded"


def view_of(tx: Tx, desk: Desk, lease: Lease, done: int, total: int) -> TaskView:
    """Return the task behind a lease, its completions in this labeler's own order.

    `done` and `total` are for the labeler's progress bar, and are counted elsewhere.
    """
    row = tx.execute(_task_row(), {"this": lease.task_key}).one()
    uid = row.uid.hex()
    order = (get_setting(tx, "salt"), uid, desk.labeler, lease.round)
    meta = orjson.loads(row.meta) if row.meta else {}
    return TaskView(
        token=lease.token,
        handle=handle_of(uid, desk.labeler, lease.round),
        task=uid,
        kind=desk.kind,
        batch=row.batch,
        prompt_uid=row.prompt_uid.hex(),
        messages=tuple(Message(role, content) for role, content in orjson.loads(row.messages)),
        prompt_kind=row.kind,
        application=str(meta.get("application") or ""),
        candidates=tuple(shuffled(_candidates(tx, lease.task_key), *order)),
        guideline=_guideline(tx, row.guideline_id),
        settings=BatchSettings(**orjson.loads(row.settings)),
        round=lease.round,
        done=done,
        total=total,
    )


@cache
def _task_row() -> Select[Any]:
    prompt = schema.prompt
    return (
        select(
            task.c.uid,
            batch.c.name.label("batch"),
            batch.c.settings,
            batch.c.guideline_id,
            prompt.c.uid.label("prompt_uid"),
            prompt.c.messages,
            prompt.c.kind,
            prompt.c.meta,
        )
        .join(batch, batch.c.id == task.c.batch_id)
        .join(prompt, prompt.c.id == task.c.prompt_id)
        .where(task.c.id == bindparam("this"))
    )


def _candidates(tx: Tx, task_key: int) -> list[Candidate]:
    rows = tx.execute(completions_of("uid", "text"), {"this": task_key})
    return [Candidate(row.uid.hex(), row.text) for row in rows]


def _guideline(tx: Tx, pinned: int | None) -> Guideline | None:
    """The version the batch is pinned to, or the newest."""
    if pinned is None:
        return rules.newest(tx)
    return rules.find(tx, rules.refs(tx)[pinned])


def progress(tx: Tx, desk: Desk) -> tuple[int, int]:
    """Return (tasks this labeler has done, done plus those that could still come).

    Looks at every open task: for the start of a session, not for every task.
    """
    here = [batch.c.kind == desk.kind]
    here += [batch.c.name == desk.batch] if desk.batch is not None else []
    mine = select(func.count()).select_from(slot).join(task, task.c.id == slot.c.task_id)
    mine = mine.join(batch, batch.c.id == task.c.batch_id)
    mine = mine.where(slot.c.labeler_id == desk.labeler_key, *here)
    done = tx.scalar(mine.where(slot.c.state == "filled")) or 0
    coming = or_(slot.c.state == "leased", and_(slot.c.state == "waiting", _IN_USE))
    held = tx.scalar(mine.where(coming, ~slot.c.token.startswith(LENT))) or 0
    roomy = (task.c.state == "open", task.c.filled + task.c.leased < task.c.overlap)
    had = tx.scalar(mine.where(slot.c.state.in_(HELD), slot.c.round == 0, *roomy)) or 0
    # Batch by batch, each a part of the index: a join would look every task's batch up.
    batches = [row.id for row in tx.execute(open_batches(), desk.asked())]
    room = select(func.count()).select_from(task)
    open_to_me = tx.scalar(room.where(task.c.batch_id.in_(batches), schema.OPEN_TASK)) or 0
    return done, done + held + open_to_me - had


def last_label(
    tx: Tx, desk: Desk, kind: type[AnyLabel], before: str | None = None
) -> tuple[Lease, AnyLabel] | None:
    """Return the labeler's newest label on a task, or the newest but older than `before`.

    Superseded ones are passed over. The lease only names the task.
    """
    table = TABLES[kind]
    query = (
        select(table)
        .where(table.c.labeler_id == desk.labeler_key, table.c.task_id.is_not(None))
        .order_by(table.c.id.desc())
        .limit(_HOW_FAR_BACK)
    )
    superseded, waiting = set(), before is not None
    for row in tx.execute(query):
        superseded.add(row.supersedes)
        if not waiting and row.uid not in superseded:
            return _label(tx, desk, row, kind)
        waiting = waiting and row.uid.hex() != before
    return None


def label_by_uid(
    tx: Tx, desk: Desk, kind: type[AnyLabel], uid: str
) -> tuple[Lease, AnyLabel] | None:
    """Return one of the labeler's labels, with a lease that only names its task, or None."""
    table = TABLES[kind]
    mine = (table.c.labeler_id == desk.labeler_key, table.c.task_id.is_not(None))
    row = tx.execute(select(table).where(table.c.uid == raw(uid), *mine)).first()
    return _label(tx, desk, row, kind) if row else None


def is_superseded(tx: Tx, uid: str) -> bool:
    """Whether a label was revised."""
    try:
        old = raw(uid)
    except ValueError:  # the name of a file that is none of ours
        return False
    return any(tx.execute(_revision_of(table), {"old": old}).first() for table in TABLES.values())


def _revision_of(table: Table) -> Select[Any]:
    """A later label on the same prompt: labels have an index by prompt, and none by this."""
    revised = table.alias()
    return (
        select(table.c.id)
        .join(revised, revised.c.prompt_id == table.c.prompt_id)
        .where(revised.c.uid == bindparam("old"), table.c.supersedes == bindparam("old"))
        .limit(1)
    )


def _label(tx: Tx, desk: Desk, row: Any, kind: type[AnyLabel]) -> tuple[Lease, AnyLabel]:
    who = {desk.labeler_key: (desk.labeler, desk.labeler_kind)}
    common = common_from(row, who, rules.refs(tx))
    round_ = int(bool(getattr(row, "repeat", 0)))
    lease = Lease("", 0, row.task_id, desk.labeler_key, round_)
    uids = {key: uid for uid, key in task_completions(tx, row.task_id)[1].items()}
    return lease, label_from(row, kind, uids, common)
