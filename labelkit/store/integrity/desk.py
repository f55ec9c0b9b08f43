"""Tasks, slots and what was answered: the books agree with the labels."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import orjson
from sqlalchemy import Select, Table, and_, bindparam, case, exists, func, or_, select, update

from labelkit.domain.models import K_LEAST, K_MOST
from labelkit.domain.tasks import EVERYONE, BatchSettings, TaskKind, TaskRole, handle_of
from labelkit.store import schema
from labelkit.store.assigning import position_of, task_uid
from labelkit.store.core import Store
from labelkit.store.decisions import is_excluded
from labelkit.store.drafts import REVISION, Drafts
from labelkit.store.engine import Tx
from labelkit.store.integrity.findings import Finding, blocks, found, name
from labelkit.store.views import is_superseded

task, slot, batch, labeler = schema.task, schema.slot, schema.batch, schema.labeler


def batches(store: Store) -> Iterator[Finding]:
    guideline = schema.guideline
    for rows in blocks(store, batch):
        for row in rows:
            try:
                BatchSettings(**orjson.loads(row.settings))
                known = row.kind in list(TaskKind)
            except (ValueError, TypeError):
                known = False
            if not known:
                yield Finding("tasks", f"batch row {row.id}", "cannot be read")
    pinned = select(batch.c.name, guideline.c.name.label("rule"), guideline.c.version)
    pinned = pinned.join(guideline, guideline.c.id == batch.c.guideline_id)
    for row in found(store, pinned.where(guideline.c.text.is_(None))):
        yield Finding(
            "guidelines",
            f"batch {row.name!r}",
            f"is pinned to {row.rule}@{row.version}, whose text is not here",
            cure="labelkit guidelines add FILE",
        )
    ranking = schema.ranking
    others = (
        select(ranking.c.uid, batch.c.name)
        .join(task, task.c.id == ranking.c.task_id)
        .join(batch, batch.c.id == task.c.batch_id)
        .where(batch.c.guideline_id != ranking.c.guideline_id)
    )
    for row in found(store, others):
        what = f"was judged by another guideline than batch {row.name!r} is pinned to"
        yield Finding("guidelines", name(ranking, row.uid), what, serious=False)


def tasks(store: Store) -> Iterator[Finding]:
    """A task's uid names its batch, its prompt and the completions it holds."""
    with store.read() as tx:
        made = {r.id: r for r in tx.execute(select(batch))}
    names = {key: (r.name, r.kind) for key, r in made.items()}
    for rows in blocks(store, task):
        prompts, members = _prompts(store, rows), _members(store, rows)
        for row in rows:
            where, held = name(task, row.uid), members[row.id]
            batch_name, kind = names.get(row.batch_id, ("", ""))
            uids = [uid for _, uid, prompt in held if prompt == row.prompt_id]
            whole = [place for place, _, _ in held] == list(range(len(held)))
            if task_uid(batch_name, prompts.get(row.prompt_id, ""), uids) != row.uid.hex():
                yield Finding("tasks", where, "holds other completions than it was made with")
            elif not whole or (kind == TaskKind.RANK and not K_LEAST <= len(held) <= K_MOST):
                yield Finding("tasks", where, "does not hold 2 to 9 completions in order")
            if row.role not in list(TaskRole) or row.state not in schema.TASK_STATES:
                yield Finding("tasks", where, "is in no state that labelkit knows")
            yield from _as_made(where, row, made.get(row.batch_id))


def _as_made(where: str, row: Any, of: Any) -> Iterator[Finding]:
    """A task stands where its batch's seed puts it, and goes to as many labelers."""
    try:
        asked = {BatchSettings(**orjson.loads(of.settings)).overlap, EVERYONE}
        place = position_of(of.seed, row.uid.hex())
    except (ValueError, TypeError, AttributeError):
        return  # said already
    if row.overlap not in asked or row.position != place:
        what = "has another place or overlap than its batch gives it"
        yield Finding("tasks", where, what, serious=False)


def excluded(store: Store) -> Iterator[Finding]:
    """No task of an excluded prompt is handed out, and no other is held back for that."""
    out = is_excluded(task)
    query = select(task.c.uid, task.c.state)
    for row in found(store, query.where(task.c.state == "open", out)):
        yield Finding("tasks", name(task, row.uid), "is open, and its prompt is excluded")
    for row in found(store, query.where(task.c.state == "excluded", ~out)):
        yield Finding("tasks", name(task, row.uid), "is held back, and its prompt is not excluded")


def _prompts(store: Store, rows: list[Any]) -> dict[int, str]:
    prompt = schema.prompt
    query = select(prompt.c.id, prompt.c.uid)
    query = query.where(prompt.c.id.in_({row.prompt_id for row in rows}))
    return {row.id: row.uid.hex() for row in found(store, query)}


def _members(store: Store, rows: list[Any]) -> dict[int, list[tuple[int, str, int]]]:
    member, completion = schema.task_completion, schema.completion
    query = (
        select(member.c.task_id, member.c.position, completion.c.uid, completion.c.prompt_id)
        .join(completion, completion.c.id == member.c.completion_id)
        .where(member.c.task_id.in_([row.id for row in rows]))
        .order_by(member.c.task_id, member.c.position)
    )
    members: dict[int, list[tuple[int, str, int]]] = defaultdict(list)
    for row in found(store, query):
        members[row.task_id].append((row.position, row.uid.hex(), row.prompt_id))
    return members


# -- counters ------------------------------------------------------------------------------------


def _recounted() -> Any:
    """Each task's filled and leased places, counted from its slots."""

    def count(state: str) -> Any:
        places = case((and_(slot.c.state == state, slot.c.round == 0), 1), else_=0)
        return func.coalesce(func.sum(places), 0).label(state)

    return (
        select(task.c.id, count("filled"), count("leased"))
        .join(slot, slot.c.task_id == task.c.id, isouter=True)
        .group_by(task.c.id)
        .subquery()
    )


def _miscounted() -> Select[Any]:
    """Tasks whose counters are not what their slots say."""
    right = _recounted()
    columns = (task.c.id, task.c.uid, right.c.filled, right.c.leased)
    wrong = or_(task.c.filled != right.c.filled, task.c.leased != right.c.leased)
    return select(*columns).join(right, right.c.id == task.c.id).where(wrong)


def counters(store: Store) -> Iterator[Finding]:
    for row in found(store, _miscounted()):
        what = f"has {row.filled} filled and {row.leased} leased slots, and counts others"
        yield Finding("counters", name(task, row.uid), what, cure="labelkit doctor --fix")
    over = select(task.c.uid, task.c.filled, task.c.overlap).where(task.c.filled > task.c.overlap)
    for row in found(store, over):
        what = f"was answered {row.filled} times where {row.overlap} were asked for"
        yield Finding("slots", name(task, row.uid), what, serious=False)


def recount(tx: Tx) -> int:
    """Set the counters that are wrong by their slots, and return how many tasks that were."""
    rows = tx.execute(_miscounted()).all()
    if rows:
        change = update(task).where(task.c.id == bindparam("key"))
        change = change.values({"filled": bindparam("is_filled"), "leased": bindparam("is_leased")})
        said = [{"key": r.id, "is_filled": r.filled, "is_leased": r.leased} for r in rows]
        tx.execute(change, said)
    return len(rows)


# -- slots and labels ----------------------------------------------------------------------------


def slots(store: Store) -> Iterator[Finding]:
    """A filled slot has a label, a skipped one a skip, and a label of a task has a slot."""
    strange = select(slot.c.id).where(slot.c.state.not_in(schema.SLOT_STATES))
    for row in found(store, strange):
        yield Finding("slots", f"slot row {row.id}", "is in no state that labelkit knows")
    for state, kind, table in _ANSWERS:
        for row in found(store, _without_label(state, kind, table)):
            yield _slot(row, f"is {state}, and there is no {table.name}")
    for state, kind, table in _ANSWERS:
        if state == "filled":
            for row in found(store, _without_slot(kind, table)):
                yield Finding("slots", name(table, row.uid), "answers a task, and has no slot")


_ANSWERS = (
    ("filled", TaskKind.RANK, schema.ranking),
    ("filled", TaskKind.WRITE, schema.demonstration),
    ("skipped", None, schema.skip),
)


def _slot(row: Any, what: str) -> Finding:
    return Finding("slots", f"{name(task, row.uid)}, labeler {row.name!r}", what)


def _without_label(state: str, kind: str | None, table: Table) -> Any:
    """Labels that came in without their task count for a slot on the same prompt."""
    same = or_(
        table.c.task_id == slot.c.task_id,
        and_(table.c.task_id.is_(None), table.c.prompt_id == task.c.prompt_id),
    )
    label = exists().where(table.c.labeler_id == slot.c.labeler_id, same)
    query = (
        select(task.c.uid, labeler.c.name)
        .select_from(slot)
        .join(task, task.c.id == slot.c.task_id)
        .join(batch, batch.c.id == task.c.batch_id)
        .join(labeler, labeler.c.id == slot.c.labeler_id)
        .where(slot.c.state == state, ~label)
    )
    return query if kind is None else query.where(batch.c.kind == kind)


def _without_slot(kind: str | None, table: Table) -> Any:
    held = exists().where(
        slot.c.task_id == table.c.task_id,
        slot.c.labeler_id == table.c.labeler_id,
        slot.c.state == "filled",
    )
    return select(table.c.uid).where(table.c.task_id.is_not(None), ~held)


def revisions(store: Store) -> Iterator[Finding]:
    """A label takes the place of one by the same labeler on the same prompt, and only one does."""
    for table in schema.LABELS:
        old, new = table.alias("old"), table.alias("new")
        pairs = select(new.c.uid, old.c.uid.label("old_uid"))
        pairs = pairs.join(old, old.c.uid == new.c.supersedes)
        foreign = or_(
            new.c.prompt_id != old.c.prompt_id,
            new.c.labeler_id.is_distinct_from(old.c.labeler_id),
        )
        for row in found(store, pairs.where(foreign)):
            yield Finding("labels", name(table, row.uid), "supersedes somebody else's label")
        gone = select(new.c.uid).where(
            new.c.supersedes.is_not(None), ~exists().where(old.c.uid == new.c.supersedes)
        )
        for row in found(store, gone):
            yield Finding("labels", name(table, row.uid), _GONE, serious=False)
        rivals = select(table.c.supersedes, func.count().label("n")).group_by(table.c.supersedes)
        rivals = rivals.where(table.c.supersedes.is_not(None)).having(func.count() > 1)
        for row in found(store, rivals):
            what = f"was revised {row.n} times independently; the earliest counts first"
            yield Finding("labels", name(table, row.supersedes), what, serious=False)


_GONE = "supersedes a label that is not here"


def drafts(store: Store) -> Iterator[Finding]:
    """Work in progress can be read, and its labeler is still at it."""
    for kept, who, draft, finished in _left_over(store):
        where = f"draft {draft}, labeler {who!r}"
        if finished:
            what, cure = "is left of an answer that was stored", "labelkit doctor --fix"
            yield Finding("drafts", where, what, serious=False, cure=cure)
        elif kept.load(draft) is None:
            what = "cannot be read; the labeler begins that task afresh"
            yield Finding("drafts", where, what, serious=False)
        elif not draft.startswith(REVISION):
            what = "belongs to a task that was given to somebody else"
            yield Finding("drafts", where, what, serious=False)


def sweep_drafts(store: Store) -> int:
    """Remove the drafts of answers that were stored: a kill came before they were dropped."""
    finished = [(kept, draft) for kept, _, draft, done in _left_over(store) if done]
    for kept, draft in finished:
        kept.drop(draft)
    return len(finished)


def _left_over(store: Store) -> Iterator[tuple[Drafts, str, str, bool]]:
    """Each draft that is odd or of no task at hand, with its labeler and whether it is stored."""
    for key, who in found(store, select(labeler.c.id, labeler.c.name)):
        kept = Drafts.of(store.path, key)
        there = kept.keys_with("")
        going_on = _handles(store, key, who, ("leased", "expired")) if there else set()
        odd = [draft for draft in there if draft not in going_on or kept.load(draft) is None]
        stored = _handles(store, key, who, ("filled", "skipped")) if odd else set()
        for draft in odd:
            yield kept, who, draft, draft in stored or _is_revised(store, draft)


def _is_revised(store: Store, draft: str) -> bool:
    """Whether a draft is of a revision of a label that has been revised already."""
    if not draft.startswith(REVISION):
        return False
    with store.read() as tx:
        return is_superseded(tx, draft.removeprefix(REVISION))


def _handles(store: Store, labeler_key: int, who: str, states: tuple[str, ...]) -> set[str]:
    """What drafts of one labeler's tasks are called."""
    query = select(task.c.uid, slot.c.round).join(slot, slot.c.task_id == task.c.id)
    mine = slot.c.labeler_id == labeler_key
    rows = found(store, query.where(mine, slot.c.state.in_(states)))
    return {handle_of(row.uid.hex(), who, row.round) for row in rows}
