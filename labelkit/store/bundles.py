"""Read bundles out, in uid order, with flat memory and short transactions.

In SQLite's DELETE journal mode a reader holds up commits, so an export must not sit on one long
read while people label. Instead each chunk of prompts is its own short read, and a *watermark* of
label keys taken at the start keeps the view consistent: labels are only ever added, with growing
keys, so "no later than the watermark" is a snapshot.
"""

from __future__ import annotations

import re
from collections import defaultdict, namedtuple
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import groupby, starmap
from operator import itemgetter
from typing import Any, Protocol

import orjson
from sqlalchemy import Select, Table, func, literal, select

from labelkit.domain.decisions import Aspect
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
from labelkit.store import decisions, people, rules, schema
from labelkit.store.codec import (
    BRIEF,
    OWN,
    TABLES,
    Uids,
    common_from,
    load,
    ranking_from,
    raw,
    sound_rows,
)
from labelkit.store.engine import Tx
from labelkit.store.sql import chunks, plain_rows

CHUNK = 400
_AT_ONCE = 16
"""Bundles that are made at once: objects that die young take the place of one another."""
_UID = re.compile(r"[0-9a-f]{32}")
_SPACE = 1 << 128
_SMALL_CACHE_KIB = 8 << 10

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

    def cut(self, n: int) -> list[Range]:
        """Cut into n ranges of equally many uids, in order; together they are this one."""
        first, last = int(self.start or "0", 16), int(self.stop, 16) if self.stop else _SPACE
        edges = [f"{first + (last - first) * i // n:032x}" for i in range(1, n)]
        starts, stops = [self.start, *edges], [*edges, self.stop]
        return [Range(*edge) for edge in zip(starts, stops, strict=True)]


@dataclass(frozen=True, slots=True)
class Parts:
    """What of a bundle is read; the rest is left empty and costs nothing.

    `texts` and `sources` are those of completions; `details` what a ranking says beyond its tiers:
    ratings, flags, notes, marks, shown, read. With `shared`, prompts with fewer than two rankings
    are passed over.
    """

    aliases: bool = True
    texts: bool = True
    sources: bool = True
    details: bool = True
    skips: bool = True
    shared: bool = False


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What a reader has promised not to look past, and the names it needs all the time."""

    watermark: Mapping[str, int]
    labelers: Mapping[int, tuple[str, str]]
    guidelines: Mapping[int, str]


def snapshot(tx: Tx) -> Snapshot:
    """Take a watermark of everything that a bundle is made of."""
    tables = (schema.prompt, schema.completion, schema.decision, *schema.LABELS)
    marks = {t.name: tx.scalar(select(func.max(t.c.id))) or 0 for t in tables}
    return Snapshot(marks, people.names(tx), rules.refs(tx))


def read_bundles(
    store: Readable,
    view: Snapshot | None = None,
    within: Range | None = None,
    parts: Parts | None = None,
) -> Iterator[Bundle]:
    """Yield the bundle of every prompt within a range of uids, in uid order.

    Superseded labels are in it. Everything labelled after `view` was taken is not.
    """
    if view is None:
        with store.read() as tx:
            view = snapshot(tx)
    within, parts = within or Range(), parts or Parts()
    last = b""
    while True:
        with store.read() as tx:
            prompts = _prompts(tx, view, within, last, shared=parts.shared)
            if not prompts:
                return
            rows = _around(tx, view, prompts, parts)
        for some in chunks(prompts, _AT_ONCE):
            yield from _bundles(some, rows, view, parts)
        if len(prompts) < CHUNK:
            return
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
            decided = decided_about(tx, view, rows)
        if not rows:
            return
        yield from (prompt_from(row, {}, decided) for row in rows)
        last = rows[-1].uid


def small_cache(store: Readable) -> None:
    """Go through a store with little memory: a reader that comes by once needs no page twice."""
    with store.read() as tx:
        if tx.dialect.name == "sqlite":
            tx.exec_driver_sql(f"PRAGMA cache_size=-{_SMALL_CACHE_KIB}")


def prompts_named(tx: Tx, name: str) -> list[str]:
    """Return the uids of the prompts that a file, or labelkit itself, calls by this name."""
    table, alias = schema.prompt, schema.prompt_alias
    named = table.c.external_id == name
    named |= table.c.id.in_(select(alias.c.prompt_id).where(alias.c.name == name))
    if _UID.fullmatch(name):
        named |= table.c.uid == raw(name)
    return [uid.hex() for uid in tx.scalars(select(table.c.uid).where(named).order_by(table.c.uid))]


def any_pinned(tx: Tx) -> bool:
    """Whether any prompt is pinned to a split, by its file or by a decision."""
    table = schema.prompt
    said = select(table.c.id).where(table.c.split.is_not(None)).limit(1)
    return tx.scalar(said) is not None or decisions.any_about(tx, Aspect.SPLIT)


def _prompts(
    tx: Tx, view: Snapshot, within: Range, last: bytes, *, shared: bool = False
) -> list[Any]:
    table = schema.prompt
    query = select(table).where(table.c.id <= view.watermark["prompt"])
    if shared:
        ranking = schema.ranking
        rankings = select(func.count()).where(ranking.c.prompt_id == table.c.id)
        query = query.where(rankings.scalar_subquery() > 1)
    if last:
        query = query.where(table.c.uid > last)
    elif within.start:
        query = query.where(table.c.uid >= raw(within.start))
    if within.stop:
        query = query.where(table.c.uid < raw(within.stop))
    return _rows(tx, query.order_by(table.c.uid).limit(CHUNK))


def _rows(tx: Tx, query: Select[Any]) -> list[Any]:
    """Read rows as named tuples: a column costs a tenth of what it costs in SQLAlchemy's."""
    make = _named_tuple(tuple(query.selected_columns.keys()))
    return list(starmap(make, plain_rows(tx, query)))


@cache
def _named_tuple(columns: tuple[str, ...]) -> Any:
    return namedtuple("Row", columns)


@dataclass(frozen=True, slots=True)
class _Around:
    """The rows that belong to some prompts, by the local keys of these; sources by completion."""

    completions: Rows
    labels: Mapping[type[Label], Rows]
    decided: Rows
    aliases: Rows
    sources: Rows


def _around(tx: Tx, view: Snapshot, prompts: list[Any], parts: Parts) -> _Around:
    keys = [row.id for row in prompts]
    if 2 * len(keys) > CHUNK:
        # The driver keeps what it made of each text of a statement: let most have the same.
        keys += keys[-1:] * (CHUNK - len(keys))
    brief = {} if parts.details else BRIEF
    return _Around(
        completions=_completions(tx, keys, view, texts=parts.texts),
        labels={
            kind: _by_prompt(tx, table, keys, view, brief.get(kind, ()))
            for kind, table in TABLES.items()
            if view.watermark[table.name] and (parts.skips or kind is not Skip)
        },
        decided=decided_about(tx, view, prompts),
        aliases=_by_prompt(tx, schema.prompt_alias, keys) if parts.aliases else {},
        sources=_sources(tx, keys) if parts.sources else {},
    )


@sound_rows()
def _bundles(prompts: Sequence[Any], around: _Around, view: Snapshot, parts: Parts) -> list[Bundle]:
    bundles = []
    for row in prompts:
        own = around.completions.get(row.id, ())
        completions = _completions_from(own, around.sources)
        uids = {key: made[0] for (_, key, _, _), made in zip(own, completions, strict=True)}
        said = {
            kind: _labels(kind, rows[row.id], uids, view, parts)
            for kind, rows in around.labels.items()
            if row.id in rows
        }
        bundles.append(
            Bundle(
                prompt=prompt_from(row, around.aliases, around.decided),
                completions=completions,
                demonstrations=said.get(Demonstration, ()),
                rankings=said.get(Ranking, ()),
                skips=said.get(Skip, ()),
            )
        )
    return bundles


def _completions_from(rows: Sequence[Any], sources: Rows) -> tuple[Completion, ...]:
    if not sources:
        return tuple([Completion(uid.hex(), text) for _, _, uid, text in rows])
    return tuple(
        [Completion(uid.hex(), text, tuple(sources.get(key, ()))) for _, key, uid, text in rows]
    )


def decided_about(tx: Tx, view: Snapshot, prompts: list[Any]) -> Rows:
    """Most stores, and most exports, have no decisions: then nothing is asked for."""
    if not view.watermark["decision"]:
        return {}
    found = _by_prompt(tx, schema.decision, [row.id for row in prompts], view)
    return {key: sorted(rows, key=lambda row: row.id) for key, rows in found.items()}


def _completions(tx: Tx, keys: list[int], view: Snapshot, *, texts: bool) -> Rows:
    """Map each prompt to its completions as (prompt, key, uid, text), in the order of the uids."""
    table = schema.completion
    text = table.c.text if texts else literal("")  # without it the index alone is read
    query = (
        select(table.c.prompt_id, table.c.id, table.c.uid, text)
        .where(table.c.prompt_id.in_(keys), table.c.id <= view.watermark[table.name])
        .order_by(table.c.prompt_id, table.c.uid)
    )
    rows = plain_rows(tx, query)
    return {key: list(own) for key, own in groupby(rows, key=itemgetter(0))}


def _by_prompt(
    tx: Tx,
    table: Table,
    keys: list[int],
    view: Snapshot | None = None,
    columns: Sequence[str] = (),
) -> Rows:
    wanted = [table.c[name] for name in columns] if columns else [table]
    query = select(*wanted).where(table.c.prompt_id.in_(keys))
    if view is not None:
        query = query.where(table.c.id <= view.watermark[table.name])
    rows: Rows = defaultdict(list)
    for row in _rows(tx, query):
        rows[row.prompt_id].append(row)
    return rows


def _sources(tx: Tx, keys: list[int]) -> Rows:
    source, completion = schema.completion_source, schema.completion
    query = (
        select(source.c.completion_id, source.c.model, source.c.params, source.c.external_id)
        .join(completion, completion.c.id == source.c.completion_id)
        .where(completion.c.prompt_id.in_(keys))
    )
    found: dict[int, list[Source]] = defaultdict(list)
    for key, model, params, external_id in tx.execute(query).all():
        found[key].append(Source(model or None, orjson.loads(params), external_id or None))
    return found


def prompt_from(row: Any, aliases: Rows, decided: Rows) -> Prompt:
    return Prompt(
        uid=row.uid.hex(),
        messages=tuple([Message(role, content) for role, content in orjson.loads(row.messages)]),
        kind=row.kind,
        use_case=row.use_case,
        source=row.source,
        user=row.user,
        language=row.language,
        split=row.split,
        meta=load(row.meta, {}),
        external_id=row.external_id,
        aliases=tuple(sorted([alias.name for alias in aliases.get(row.id, ())])),
        decisions=tuple([decisions.decision_from(each) for each in decided.get(row.id, ())]),
    )


def _labels(
    kind: type[Any], rows: Sequence[Any], uids: Uids, view: Snapshot, parts: Parts
) -> tuple[Any, ...]:
    found = []
    for row in rows:
        common = common_from(row, view.labelers, view.guidelines)
        if kind is Ranking:
            found.append(ranking_from(row, uids, common, details=parts.details))
        else:
            found.append(kind(**common, **{name: getattr(row, name) for name in OWN[kind]}))
    return tuple(found)
