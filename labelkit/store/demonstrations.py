"""Demonstrations as candidates: a labeler's text among the models' completions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from labelkit.domain.identity import completion_uid
from labelkit.domain.models import Source
from labelkit.domain.records import source_key
from labelkit.store import schema
from labelkit.store.codec import raw
from labelkit.store.engine import Tx
from labelkit.store.sql import insert_many

MODEL = "demonstration"
"""What stands where other completions have the name of their model."""


@dataclass(frozen=True, slots=True)
class Written:
    """A demonstration; `current` unless another one took its place."""

    uid: str
    text: str
    labeler_key: int | None
    current: bool


def demonstrations_of(tx: Tx, prompts: Mapping[int, str]) -> dict[int, list[Written]]:
    """Map prompts, named by local key, to everything that was written for them."""
    table = schema.demonstration
    columns = (table.c.prompt_id, table.c.uid, table.c.text, table.c.labeler_id, table.c.supersedes)
    query = select(*columns).where(table.c.prompt_id.in_(list(prompts))).order_by(table.c.id)
    rows = tx.execute(query).all()
    old = {row.supersedes for row in rows}
    found: dict[int, list[Written]] = {}
    for row in rows:
        one = Written(row.uid.hex(), row.text, row.labeler_id, row.uid not in old)
        found.setdefault(row.prompt_id, []).append(one)
    return found


def adopt(tx: Tx, prompts: Mapping[int, str], written: Mapping[int, Sequence[Written]]) -> None:
    """Make the current demonstrations completions of their prompts; known ones stay as they are."""
    rows: dict[bytes, tuple[Any, ...]] = {}
    origin: dict[bytes, list[str]] = {}
    for key, prompt in prompts.items():
        for one in written.get(key, ()):
            if one.current:
                uid = raw(completion_uid(prompt, one.text))
                rows[uid] = (uid, key, one.text)
                origin.setdefault(uid, []).append(one.uid)
    table = schema.completion
    insert_many(tx, table, ("uid", "prompt_id", "text"), list(rows.values()), known_ok=True)
    query = select(table.c.id, table.c.uid).where(table.c.prompt_id.in_(list(prompts)))
    sources = [
        (row.id, *source_key(Source(MODEL, {"demonstration": name})))
        for row in tx.execute(query)
        for name in origin.get(row.uid, ())
    ]
    columns = ("completion_id", "external_id", "model", "params")
    insert_many(tx, schema.completion_source, columns, sources, known_ok=True)
