"""Decisions about prompts: by uid, added and never changed. Of two the later one holds."""

from __future__ import annotations

from labelkit.domain.decisions import Aspect
from labelkit.store import decisions as store
from labelkit.store import schema
from labelkit.store.merging.context import Block, Merge, where

table = schema.decision


def decisions(merge: Merge, block: Block) -> None:
    """Add the decisions about some prompts, after their tasks, and make tasks follow them."""
    rows = where(merge.theirs, table, table.c.prompt_id, block.prompts)
    known = {row.uid for row in where(merge.tx, table, table.c.uid, [row.uid for row in rows])}
    for row in rows:
        merge.came.count("decisions", known=row.uid in known)
    fresh = [
        (block.prompts[row.prompt_id], store.decision_from(row))
        for row in rows
        if row.uid not in known
    ]
    store.add(merge.tx, fresh)
    if store.any_about(merge.tx, Aspect.USE):
        store.follow(merge.tx, block.prompts.values())
