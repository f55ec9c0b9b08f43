"""Labels: by uid, added and never changed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from sqlalchemy import func, select

from labelkit.domain.models import Label, Ranking, Skip
from labelkit.errors import Conflict
from labelkit.store import people, rules
from labelkit.store.codec import (
    COMMON,
    OWN,
    TABLES,
    common_from,
    common_values,
    label_from,
    own_values,
)
from labelkit.store.merging.context import Block, Merge, where
from labelkit.store.merging.work import Arrival
from labelkit.store.sql import chunks, insert_many

_COUNTED = {"ranking": "rankings", "demonstration": "demonstrations", "skip": "skips"}


def labels(merge: Merge, block: Block) -> list[Arrival]:
    """Add the labels of some prompts and return those that answer a task."""
    sides = _Side(merge.theirs), _Side(merge.tx)
    return [a for kind in TABLES for a in _of_kind(merge, block, kind, *sides)]


class _Side:
    """The names that one side's labels need."""

    def __init__(self, tx: Any) -> None:
        self.tx = tx
        self.labelers = people.names(tx)
        self.guidelines = rules.refs(tx)

    def label(self, row: Any, kind: type[Label], uids: Mapping[int, str]) -> Label:
        common = common_from(row, self.labelers, self.guidelines)
        found: Label = label_from(row, kind, uids, common)
        return found


def _of_kind(
    merge: Merge, block: Block, kind: type[Label], theirs: _Side, ours: _Side
) -> Iterable[Arrival]:
    table = TABLES[kind]
    rows = where(merge.theirs, table, table.c.prompt_id, block.prompts)
    known = {r.uid: r for r in where(merge.tx, table, table.c.uid, [r.uid for r in rows])}
    our_uids = {ours: block.uids_of[key] for key, ours in block.completions.items()}
    ids = {uid: ours for ours, uid in our_uids.items()}
    fresh, arrivals = [], []
    for row in rows:
        label = theirs.label(row, kind, block.uids_of)
        merge.came.count(_COUNTED[table.name], known=row.uid in known)
        if row.uid in known:
            _same(label, ours.label(known[row.uid], kind, our_uids))
            continue
        fresh.append(_values(merge, block, row, label) + own_values(label, ids))
        if row.task_id is not None and row.labeler_id is not None:
            arrivals.append(_arrival(merge, block, row, label))
    insert_many(merge.tx, table, (*COMMON, *OWN[kind]), fresh)
    _rivals(merge, table, fresh)
    return arrivals


def _same(theirs: Label, ours: Label) -> None:
    """One uid, one label: whatever differs was changed behind labelkit's back."""
    if theirs != replace(ours, seq=theirs.seq, labeler_kind=theirs.labeler_kind):
        raise Conflict(f"label {ours.uid} was changed here", hint="labelkit doctor")


def _values(merge: Merge, block: Block, row: Any, label: Label) -> tuple[Any, ...]:
    """The columns of `COMMON` with our keys."""
    return common_values(
        label,
        block.prompts[row.prompt_id],
        merge.key(merge.labelers, row.labeler_id),
        merge.key(merge.guidelines, row.guideline_id),
        merge.key(block.tasks, row.task_id),
    )


def _arrival(merge: Merge, block: Block, row: Any, label: Label) -> Arrival:
    skip = isinstance(label, Skip)
    return Arrival(
        task=block.tasks[row.task_id],
        labeler=merge.labelers[row.labeler_id],
        round=int(isinstance(label, Ranking) and label.repeat),
        skipped=skip,
        later=label.supersedes is not None,
        unclear=skip and getattr(label, "reason", "") == "unclear",
    )


def _rivals(merge: Merge, table: Any, fresh: list[tuple[Any, ...]]) -> None:
    """Say which labels were revised in two places."""
    revised = {row[COMMON.index("supersedes")] for row in fresh} - {None}
    for chunk in chunks(sorted(revised)):
        query = select(table.c.supersedes, func.count().label("n"))
        query = query.where(table.c.supersedes.in_(chunk)).group_by(table.c.supersedes)
        for row in merge.tx.execute(query.having(func.count() > 1)):
            what = f"{table.name} {row.supersedes.hex()} was revised {row.n} times"
            merge.came.conflict(f"{what}, not knowing of each other: all are kept")
