"""Guidelines, labelers and batches: the few things that have names instead of uids."""

from __future__ import annotations

from typing import Any

from sqlalchemy import insert, select, update

from labelkit.domain.models import LabelerKind
from labelkit.errors import Conflict
from labelkit.store import rules, schema
from labelkit.store.merging.context import Merge

labeler, batch = schema.labeler, schema.batch


def guidelines(merge: Merge) -> None:
    """Add versions, and the texts of versions that were only quoted.

    Raises Conflict when one version says two things.
    """
    before = set(rules.refs(merge.tx).values())
    for guideline in rules.everything(merge.theirs):
        merge.came.count("guidelines", known=guideline.ref in before)
        if guideline.text is None:
            rules.key_or_stub(merge.tx, guideline.ref)
        else:
            rules.add(merge.tx, guideline)
    ours = {ref: key for key, ref in rules.refs(merge.tx).items()}
    merge.guidelines = {key: ours[ref] for key, ref in rules.refs(merge.theirs).items()}


def labelers(merge: Merge) -> None:
    """Add people by name; whoever was once said to be a model is one."""
    ours = {row.name: row for row in merge.tx.execute(select(labeler))}
    for row in merge.theirs.execute(select(labeler).order_by(labeler.c.id)):
        known = ours.get(row.name)
        merge.came.count("labelers", known=known is not None)
        if known is None:
            merge.labelers[row.id] = _added(merge, labeler, row)
            continue
        merge.labelers[row.id] = known.id
        if row.kind != known.kind:
            merge.came.conflict(f"labeler {row.name!r} is a human here and a model there: a model")
            model = {"kind": str(LabelerKind.MODEL)}
            merge.tx.execute(update(labeler).where(labeler.c.id == known.id).values(model))


def batches(merge: Merge) -> None:
    """Add batches by name. Of two settings under one name those that were made first stay.

    Raises Conflict when one name stands for rankings and for demonstrations.
    """
    ours = {row.name: row for row in merge.tx.execute(select(batch))}
    for row in merge.theirs.execute(select(batch).order_by(batch.c.id)):
        known = ours.get(row.name)
        merge.came.count("batches", known=known is not None)
        pinned = {"guideline_id": merge.key(merge.guidelines, row.guideline_id)}
        if known is None:
            merge.batches[row.id] = _added(merge, batch, row, **pinned)
            _limits(merge, row.id)
            continue
        merge.batches[row.id] = known.id
        _joined(merge, row, known, pinned)


def _joined(merge: Merge, row: Any, known: Any, pinned: dict[str, int | None]) -> None:
    if row.kind != known.kind:
        raise Conflict(
            f"batch {row.name!r} is for {known.kind} here and for {row.kind} there",
            hint="one of the two needs another name",
        )
    refs = dict[int | None, str](rules.refs(merge.tx).items())
    refs[None] = ""
    said = ("created_at", "settings", "seed", "priority")
    here = (*(getattr(known, name) for name in said), refs[known.guideline_id])
    there = (*(getattr(row, name) for name in said), refs[pinned["guideline_id"]])
    if here == there:
        return
    merge.came.conflict(f"batch {row.name!r} was made twice: the settings made first stay")
    if there < here:
        values = {name: getattr(row, name) for name in said} | pinned
        merge.tx.execute(update(batch).where(batch.c.id == known.id).values(values))


def _limits(merge: Merge, theirs: int) -> None:
    """Who may work on a batch comes along with a batch that is new here."""
    for table in (schema.batch_labeler, schema.batch_cohort):
        for row in merge.theirs.execute(select(table).where(table.c.batch_id == theirs)):
            values = {**row._mapping, "batch_id": merge.batches[theirs]}
            if "labeler_id" in values:
                values["labeler_id"] = merge.labelers[row.labeler_id]
            merge.tx.execute(insert(table).values(values))


def _added(merge: Merge, table: Any, row: Any, **instead: Any) -> int:
    """Insert a row as it is there, under a key of our own."""
    values = {c.name: getattr(row, c.name) for c in table.c if c.name != "id"} | instead
    key = merge.tx.execute(insert(table).values(values)).inserted_primary_key
    assert key is not None
    return int(key[0])
