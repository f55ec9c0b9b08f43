"""Counts for `labelkit status`."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from sqlalchemy import Table, func, select

from labelkit.store import schema
from labelkit.store.engine import Tx

slot, labeler = schema.slot, schema.labeler


def rows_in(tx: Tx, table: Table) -> int:
    return tx.scalar(select(func.count()).select_from(table)) or 0


def current_labels(tx: Tx, table: Table) -> int:
    """Count labels that nobody superseded."""
    newer = table.alias()
    old = select(newer.c.id).where(newer.c.supersedes == table.c.uid).exists()
    if not tx.scalar(select(table.c.id).where(table.c.supersedes.is_not(None)).limit(1)):
        return rows_in(tx, table)
    return tx.scalar(select(func.count()).select_from(table).where(~old)) or 0


def by_column(tx: Tx, column: Any) -> dict[str, int]:
    """Count rows by the value of a column, largest first; no value counts as ''."""
    query = select(column, func.count().label("n")).group_by(column)
    rows = tx.execute(query.order_by(func.count().desc(), column))
    return {value or "": n for value, n in rows}


def prompts_with_completions(tx: Tx) -> dict[int, int]:
    """Map a number of completions to how many prompts have that many."""
    completion = schema.completion
    key = completion.c.prompt_id
    per_prompt = select(key, func.count().label("k")).group_by(key).subquery()
    query = select(per_prompt.c.k, func.count()).group_by(per_prompt.c.k).order_by(per_prompt.c.k)
    return dict(tx.execute(query).all())


def slots_by_labeler(tx: Tx) -> dict[str, dict[str, int]]:
    """Map each labeler's name to how many of their slots are in each state."""
    query = (
        select(labeler.c.name, slot.c.state, func.count())
        .join(slot, slot.c.labeler_id == labeler.c.id)
        .group_by(labeler.c.name, slot.c.state)
    )
    found: dict[str, dict[str, int]] = defaultdict(dict)
    for name, state, n in tx.execute(query):
        found[name][state] = n
    return dict(found)


def labels_by_labeler(tx: Tx, table: Table) -> dict[str, tuple[int, float | None]]:
    """Map each labeler's name to (labels, mean active seconds)."""
    query = (
        select(labeler.c.name, func.count(), func.avg(table.c.seconds))
        .join(table, table.c.labeler_id == labeler.c.id)
        .group_by(labeler.c.name)
    )
    return {name: (n, seconds) for name, n, seconds in tx.execute(query)}


def skips_by_reason(tx: Tx) -> dict[str, int]:
    return by_column(tx, schema.skip.c.reason)


def skips_by_labeler(tx: Tx) -> dict[str, dict[str, int]]:
    """Map each labeler's name to {reason: skips}."""
    query = (
        select(labeler.c.name, schema.skip.c.reason, func.count())
        .join(schema.skip, schema.skip.c.labeler_id == labeler.c.id)
        .group_by(labeler.c.name, schema.skip.c.reason)
    )
    found: dict[str, dict[str, int]] = defaultdict(dict)
    for name, reason, n in tx.execute(query):
        found[name][reason] = n
    return dict(found)
