"""Prompts, completions, guidelines and labels: each uid is worked out again from what it names."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import orjson
from sqlalchemy import Table, select

from labelkit.domain.canonical import uid_of
from labelkit.domain.decisions import Aspect, named
from labelkit.domain.identity import completion_uid, label_uid, prompt_uid
from labelkit.domain.models import K_LEAST, K_MOST, Label, LabelerKind, Message, PromptKind, Ranking
from labelkit.domain.times import normalise
from labelkit.store import core, people, rules, schema
from labelkit.store.codec import OWN, TABLES, common_from, load, ranking_from
from labelkit.store.core import Store
from labelkit.store.decisions import decision_from
from labelkit.store.engine import Tx
from labelkit.store.integrity.findings import Finding, blocks, name
from labelkit.store.sql import chunks, row_crc

_UNREADABLE = (ValueError, TypeError, KeyError, AttributeError, IndexError)
_CHANGED = "was changed: what it says does not give its uid"
_DAMAGED = "was changed: its checksum does not hold"
_GARBLED = "cannot be read"


def prompts(store: Store) -> Iterator[Finding]:
    table = schema.prompt
    for rows in blocks(store, table):
        for row in rows:
            where = name(table, row.uid)
            yield from _checked(where, row.uid, _prompt_uid, row)
            yield from _sealed(table, row, where)
            if row.kind not in list(PromptKind):
                yield Finding("content", where, "is of no kind that labelkit knows")
        yield from _satellites(store, schema.prompt_alias, "prompt_id", rows)


def _prompt_uid(row: Any) -> str:
    messages = [Message(role, content) for role, content in orjson.loads(row.messages)]
    load(row.meta, {})
    return prompt_uid(messages)


def completions(store: Store) -> Iterator[Finding]:
    table = schema.completion
    for rows in blocks(store, table):
        uids = _uids(store, schema.prompt, {row.prompt_id for row in rows})
        for row in rows:
            where = name(table, row.uid)
            prompt = uids.get(row.prompt_id, "")
            yield from _checked(where, row.uid, completion_uid, prompt, row.text)
        yield from _satellites(store, schema.completion_source, "completion_id", rows)


def _satellites(store: Store, table: Table, key: str, rows: list[Any]) -> Iterator[Finding]:
    """The rows of a table without uids of its own that belong to these rows."""
    uids = {row.id: row.uid for row in rows}
    with store.read() as tx:
        found = list(tx.execute(select(table).where(table.c[key].in_(list(uids)))))
    for row in found:
        yield from _sealed(table, row, name(table, uids.get(getattr(row, key))))


def _sealed(table: Table, row: Any, where: str) -> Iterator[Finding]:
    sealed = [getattr(row, column) for column in schema.SEALED[table.name]]
    if row.crc is not None and row.crc != row_crc(sealed):
        yield Finding("content", where, _DAMAGED)


def _checked(
    where: str, uid: object, work_out: Callable[..., str], *parts: Any
) -> Iterator[Finding]:
    try:
        right = isinstance(uid, bytes) and work_out(*parts) == uid.hex()
    except _UNREADABLE:
        yield Finding("content", where, _GARBLED)
        return
    if not right:
        yield Finding("content", where, _CHANGED)


def guidelines(store: Store) -> Iterator[Finding]:
    table = schema.guideline
    for rows in blocks(store, table):
        for row in rows:
            ref = f"{row.name}@{row.version}"
            where = f"guideline {ref}"
            yield from _checked(where, row.uid, uid_of, "guideline", [ref, row.text])
            if row.text is None:
                yield Finding(
                    "guidelines",
                    where,
                    "is quoted, and its text is not here",
                    serious=False,
                    cure="labelkit guidelines add FILE",
                )


def settings(store: Store) -> Iterator[Finding]:
    """Stores that were made before there was a checksum have none."""
    with store.read() as tx:
        said, right = core.get_setting(tx, core.CHECKSUM), core.settings_checksum(tx)
        known = set(tx.scalars(select(schema.setting.c.key)))
    if said and said != right:
        yield Finding("content", "the settings", "were changed: their checksum does not hold")
    elif not said and not known >= {"project", "salt", "created_at"}:
        yield Finding("content", "the settings", "are not all there")


def golds(store: Store) -> Iterator[Finding]:
    table = schema.gold
    for rows in blocks(store, table):
        with store.read() as tx:
            block = _Block(tx, rows)
        for row in rows:
            yield from _checked(name(table, row.uid), row.uid, block.gold_uid, row)


def labelers(store: Store) -> Iterator[Finding]:
    for rows in blocks(store, schema.labeler):
        for row in rows:
            known = row.kind in list(LabelerKind) and row.active in (0, 1)
            if not known or not _is_moment(row.created_at):
                yield Finding("content", f"labeler row {row.id}", _GARBLED)


def _is_moment(text: str) -> bool:
    try:
        return normalise(text) == text
    except ValueError:
        return False


def decisions(store: Store) -> Iterator[Finding]:
    table = schema.decision
    for rows in blocks(store, table):
        uids = _uids(store, schema.prompt, {row.prompt_id for row in rows})
        for row in rows:
            where = name(table, row.uid)
            yield from _checked(where, row.uid, _decision_uid, uids.get(row.prompt_id, ""), row)
            yield from _sealed(table, row, where)
            if row.aspect not in list(Aspect):
                yield Finding("content", where, "is about nothing that labelkit knows")


def _decision_uid(prompt: str, row: Any) -> str:
    return named(prompt, decision_from(row)).uid


def purges(store: Store) -> Iterator[Finding]:
    for rows in blocks(store, schema.purge):
        for row in rows:
            yield from _sealed(schema.purge, row, f"purge row {row.id}")
        keys = [row.id for row in rows]
        table = schema.purged
        with store.read() as tx:
            gone = list(tx.execute(select(table).where(table.c.purge_id.in_(keys))))
        for row in gone:
            yield from _sealed(table, row, f"purged row of purge row {row.purge_id}")


# -- labels --------------------------------------------------------------------------------------


def labels(store: Store) -> Iterator[Finding]:
    for kind, table in TABLES.items():
        for rows in blocks(store, table):
            with store.read() as tx:
                block = _Block(tx, rows)
            for row in rows:
                where = name(table, row.uid)
                yield from _checked(where, row.uid, block.uid_of, row, kind)
                yield from _sealed(table, row, where)
                if kind is Ranking:
                    yield from _places(where, row)


class _Block:
    """The names that the rows of one block need."""

    def __init__(self, tx: Tx, rows: list[Any]) -> None:
        prompt_keys = {row.prompt_id for row in rows}
        self.prompts = _uids_in(tx, schema.prompt, prompt_keys)
        self.completions: dict[int, dict[int, str]] = defaultdict(dict)
        table = schema.completion
        query = select(table.c.id, table.c.uid, table.c.prompt_id)
        for chunk in chunks(sorted(prompt_keys)):
            for row in tx.execute(query.where(table.c.prompt_id.in_(chunk))):
                self.completions[row.prompt_id][row.id] = row.uid.hex()
        self.labelers = people.names(tx)
        self.guidelines = rules.refs(tx)

    def uid_of(self, row: Any, kind: type[Label]) -> str:
        common = common_from(row, self.labelers, self.guidelines)
        return label_uid(self.prompts[row.prompt_id], self._label(row, kind, common))

    def gold_uid(self, row: Any) -> str:
        uids = self.completions[row.prompt_id]
        tiers = [sorted(uids[key] for key in tier) for tier in orjson.loads(row.tiers)]
        return uid_of("gold", [self.prompts[row.prompt_id], tiers])

    def _label(self, row: Any, kind: type[Label], common: Mapping[str, Any]) -> Label:
        if kind is Ranking:
            return ranking_from(row, self.completions[row.prompt_id], common)
        return kind(**common, **{column: getattr(row, column) for column in OWN[kind]})


def _places(where: str, row: Any) -> Iterator[Finding]:
    """A ranking places 2 to 9 completions, each once."""
    try:
        tiers, rest = orjson.loads(row.tiers), load(row.unranked, [])
        judged = [key for tier in [*tiers, rest] for key in tier]
        whole = all(tiers) and len(judged) == len(set(judged)) and K_LEAST <= len(judged) <= K_MOST
    except _UNREADABLE:
        return  # said already
    if not whole:
        yield Finding("content", where, "is not a ranking of 2 to 9 completions")


def _uids(store: Store, table: Table, keys: set[int]) -> dict[int, str]:
    with store.read() as tx:
        return _uids_in(tx, table, keys)


def _uids_in(tx: Tx, table: Table, keys: set[int]) -> dict[int, str]:
    result: dict[int, str] = {}
    for chunk in chunks(sorted(keys)):
        query = select(table.c.id, table.c.uid).where(table.c.id.in_(chunk))
        result |= {row.id: row.uid.hex() for row in tx.execute(query)}
    return result
