"""Read bundles out, in uid order, with flat memory and short transactions.

In SQLite's DELETE journal mode a reader holds up commits, so an export must not sit on one long
read while people label. Instead each chunk of prompts is its own short read, and a *watermark* of
label keys taken at the start keeps the view consistent: labels are only ever added, with growing
keys, so "no later than the watermark" is a snapshot.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import orjson
from sqlalchemy import Select, Table, func, select

from labelkit.domain.models import (
    Bundle,
    Completion,
    Demonstration,
    Label,
    Message,
    Prompt,
    Ranking,
    Skip,
    Source,
)
from labelkit.store import people, rules, schema
from labelkit.store.codec import OWN, TABLES, Uids, common_from, load, ranking_from, raw, sound_rows
from labelkit.store.engine import Tx

CHUNK = 400
_UID = re.compile(r"[0-9a-f]{32}")

Rows = dict[int, list[Any]]


class Readable(Protocol):
    """Anything that hands out short read transactions."""

    def read(self) -> Any: ...


@dataclass(frozen=True, slots=True)
class Range:
    """A half-open range of prompt uids: a unit of work. Empty ends mean all of them."""

    start: str = ""
    stop: str = ""

    @classmethod
    def of(cls, uid: str) -> Range:
        """The range of one prompt."""
        return cls(uid, f"{int(uid, 16) + 1:032x}")


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What a reader has promised not to look past, and the names it needs all the time."""

    watermark: Mapping[str, int]
    labelers: Mapping[int, tuple[str, str]]
    guidelines: Mapping[int, str]


def snapshot(tx: Tx) -> Snapshot:
    """Take a watermark of everything that a bundle is made of."""
    tables = (schema.prompt, schema.completion, *schema.LABELS)
    marks = {t.name: tx.scalar(select(func.max(t.c.id))) or 0 for t in tables}
    return Snapshot(marks, people.names(tx), rules.refs(tx))


def read_bundles(
    store: Readable, view: Snapshot | None = None, within: Range | None = None
) -> Iterator[Bundle]:
    """Yield the bundle of every prompt within a range of uids, in uid order.

    Superseded labels are in it. Everything labelled after `view` was taken is not.
    """
    if view is None:
        with store.read() as tx:
            view = snapshot(tx)
    within = within or Range()
    last = b""
    while True:
        with store.read() as tx:
            prompts = _prompts(tx, view, within, last)
            if not prompts:
                return
            bundles = _bundles(tx, view, prompts)
        yield from bundles
        last = prompts[-1].uid


def read_prompts(
    store: Readable, view: Snapshot | None = None, within: Range | None = None
) -> Iterator[Prompt]:
    """Yield the prompts alone, in uid order, without aliases."""
    if view is None:
        with store.read() as tx:
            view = snapshot(tx)
    last = b""
    while True:
        with store.read() as tx:
            rows = _prompts(tx, view, within or Range(), last)
        if not rows:
            return
        yield from (_prompt(row, {}) for row in rows)
        last = rows[-1].uid


def prompts_named(tx: Tx, name: str) -> list[str]:
    """Return the uids of the prompts that a file, or labelkit itself, calls by this name."""
    table, alias = schema.prompt, schema.prompt_alias
    named = table.c.external_id == name
    named |= table.c.id.in_(select(alias.c.prompt_id).where(alias.c.name == name))
    if _UID.fullmatch(name):
        named |= table.c.uid == raw(name)
    return [uid.hex() for uid in tx.scalars(select(table.c.uid).where(named).order_by(table.c.uid))]


def any_pinned(tx: Tx) -> bool:
    """Whether any prompt is pinned to a split."""
    table = schema.prompt
    return tx.scalar(select(table.c.id).where(table.c.split.is_not(None)).limit(1)) is not None


def _prompts(tx: Tx, view: Snapshot, within: Range, last: bytes) -> list[Any]:
    table = schema.prompt
    query = select(table).where(table.c.id <= view.watermark["prompt"])
    if last:
        query = query.where(table.c.uid > last)
    elif within.start:
        query = query.where(table.c.uid >= raw(within.start))
    if within.stop:
        query = query.where(table.c.uid < raw(within.stop))
    return list(tx.execute(query.order_by(table.c.uid).limit(CHUNK)))


@sound_rows()
def _bundles(tx: Tx, view: Snapshot, prompts: list[Any]) -> list[Bundle]:
    keys = [row.id for row in prompts]
    completions = _by(tx, _of_prompts(schema.completion, keys, view), "prompt_id")
    sources = _sources(tx, keys)
    labels = {k: _by(tx, _of_prompts(t, keys, view), "prompt_id") for k, t in TABLES.items()}
    aliases = _by(tx, _of_prompts(schema.prompt_alias, keys), "prompt_id")
    return [
        _bundle(
            _prompt(row, aliases),
            sorted(completions.get(row.id, ()), key=lambda c: c.uid),
            sources,
            {kind: rows.get(row.id, []) for kind, rows in labels.items()},
            view,
        )
        for row in prompts
    ]


def _of_prompts(table: Table, keys: list[int], view: Snapshot | None = None) -> Select[Any]:
    query = select(table).where(table.c.prompt_id.in_(keys))
    return query if view is None else query.where(table.c.id <= view.watermark[table.name])


def _by(tx: Tx, query: Select[Any], column: str) -> Rows:
    rows: Rows = defaultdict(list)
    for row in tx.execute(query):
        rows[getattr(row, column)].append(row)
    return rows


def _sources(tx: Tx, keys: list[int]) -> dict[int, list[Source]]:
    source, completion = schema.completion_source, schema.completion
    query = (
        select(source)
        .join(completion, completion.c.id == source.c.completion_id)
        .where(completion.c.prompt_id.in_(keys))
    )
    found: dict[int, list[Source]] = defaultdict(list)
    for row in tx.execute(query):
        params = orjson.loads(row.params)
        item = Source(row.model or None, params, row.external_id or None)
        found[row.completion_id].append(item)
    return found


def _prompt(row: Any, aliases: Rows) -> Prompt:
    return Prompt(
        uid=row.uid.hex(),
        messages=tuple(Message(role, content) for role, content in orjson.loads(row.messages)),
        kind=row.kind,
        use_case=row.use_case,
        source=row.source,
        user=row.user,
        language=row.language,
        split=row.split,
        meta=load(row.meta, {}),
        external_id=row.external_id,
        aliases=tuple(sorted(alias.name for alias in aliases.get(row.id, ()))),
    )


def _bundle(
    prompt: Prompt,
    completions: list[Any],
    sources: Mapping[int, list[Source]],
    labels: Mapping[type[Label], list[Any]],
    view: Snapshot,
) -> Bundle:
    uids = {row.id: row.uid.hex() for row in completions}
    return Bundle(
        prompt=prompt,
        completions=tuple(
            Completion(uids[row.id], row.text, tuple(sources.get(row.id, ())))
            for row in completions
        ),
        demonstrations=tuple(_labels(Demonstration, labels, uids, view)),
        rankings=tuple(_labels(Ranking, labels, uids, view)),
        skips=tuple(_labels(Skip, labels, uids, view)),
    )


def _labels(
    kind: type[Any], labels: Mapping[type[Label], list[Any]], uids: Uids, view: Snapshot
) -> Iterator[Any]:
    for row in labels[kind]:
        common = common_from(row, view.labelers, view.guidelines)
        if kind is Ranking:
            yield ranking_from(row, uids, common)
        else:
            yield kind(**common, **{name: getattr(row, name) for name in OWN[kind]})
