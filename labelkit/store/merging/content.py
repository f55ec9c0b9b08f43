"""Prompts, completions and gold: by uid; what no uid covers is joined by rules without an order."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import orjson
from sqlalchemy import delete, tuple_, update

from labelkit.domain.canonical import canonical_json
from labelkit.domain.models import PromptKind
from labelkit.errors import Conflict
from labelkit.store import schema
from labelkit.store.codec import load
from labelkit.store.merging.context import Block, Merge, where
from labelkit.store.sql import insert_many, next_id, row_crc

prompt, alias, completion = schema.prompt, schema.prompt_alias, schema.completion
source, gold = schema.completion_source, schema.gold

_SEALED = schema.SEALED["prompt"]
_COLUMNS = ("id", "uid", "kind", "messages", *_SEALED[1:])
_KINDS = (PromptKind.PLAIN, PromptKind.FEW_SHOT, PromptKind.USER_BASED)


def prompts(merge: Merge, rows: Sequence[Any]) -> Block:
    """Add or join some prompts of theirs, with their names."""
    ours = {r.uid: r for r in where(merge.tx, prompt, prompt.c.uid, [r.uid for r in rows])}
    names = _aliases(merge, rows)
    first, keys = next_id(merge.tx, prompt), {}
    fresh = list[tuple[Any, ...]]()
    for row in rows:
        known = ours.get(row.uid)
        merge.came.count("prompts", known=known is not None)
        if known is None:
            keys[row.id] = first + len(fresh)
            fresh.append((keys[row.id], *(getattr(row, name) for name in _COLUMNS[1:])))
        else:
            keys[row.id] = known.id
            _join(merge, row, known)
            names[row.id] |= {known.external_id, row.external_id} - {None}
    insert_many(merge.tx, prompt, _COLUMNS, fresh)
    block = Block(keys, {row.id: row.uid.hex() for row in rows})
    _name(merge, block, rows, ours, names)
    return block


def _join(merge: Merge, row: Any, known: Any) -> None:
    if row.messages != known.messages:
        raise Conflict(
            f"prompt {row.uid.hex()} says one thing here and another there", hint="labelkit doctor"
        )
    joined = {name: _joined(name, getattr(row, name), getattr(known, name)) for name in _SEALED}
    for name in _contradictions(row, known):
        merge.came.conflict(f"prompt {row.uid.hex()} has two values for {name}")
    if joined != {name: getattr(known, name) for name in _SEALED}:
        values = joined | {"crc": row_crc(joined.values())}
        merge.tx.execute(update(prompt).where(prompt.c.id == known.id).values(values))


def _contradictions(row: Any, known: Any) -> list[str]:
    """Name what is said in two ways, where one of the two has to give way."""
    plain = [name for name in _SEALED if name not in ("kind", "meta", "external_id")]
    found = [name for name in plain if len({getattr(row, name), getattr(known, name)} - {None}) > 1]
    one, other = load(row.meta, {}), load(known.meta, {})
    return found + [
        f"meta.{key}" for key in sorted(one.keys() & other.keys()) if one[key] != other[key]
    ]


def _joined(name: str, one: Any, other: Any) -> Any:
    """The same for both orders, and when it is done again."""
    if one is None or other is None:
        return one if other is None else other
    if name == "kind":
        return max(one, other, key=lambda kind: _KINDS.index(PromptKind(kind)))
    if name == "meta":
        return _joined_meta(orjson.loads(one), orjson.loads(other))
    return min(one, other)


def _joined_meta(one: dict[str, Any], other: dict[str, Any]) -> str:
    both = {**one, **other}
    for key in one.keys() & other.keys():
        both[key] = min(one[key], other[key], key=canonical_json)
    return canonical_json(both).decode()


def _aliases(merge: Merge, rows: Sequence[Any]) -> dict[int, set[str]]:
    names: dict[int, set[str]] = {row.id: set() for row in rows}
    for row in where(merge.theirs, alias, alias.c.prompt_id, names):
        names[row.prompt_id].add(row.name)
    return names


def _name(
    merge: Merge, block: Block, rows: Sequence[Any], ours: Any, names: dict[int, set[str]]
) -> None:
    """Every name leads to the prompt; of the main names the one that sorts first stays."""
    mains = {}
    for row in rows:
        there = ours[row.uid].external_id if row.uid in ours else None
        mains[row.id] = _joined("external_id", row.external_id, there)
    added = [(block.prompts[k], n) for k, found in names.items() for n in found - {mains[k]}]
    insert_many(merge.tx, alias, ("prompt_id", "name"), sorted(added), known_ok=True)
    main = [(block.prompts[k], n) for k, n in mains.items() if n is not None]
    if main:
        merge.tx.execute(delete(alias).where(tuple_(alias.c.prompt_id, alias.c.name).in_(main)))


def texts(merge: Merge, block: Block) -> None:
    """Add completions and where they came from."""
    ours = {
        (row.prompt_id, row.uid): row
        for row in where(merge.tx, completion, completion.c.prompt_id, block.prompts.values())
    }
    first, fresh = next_id(merge.tx, completion), list[tuple[Any, ...]]()
    for row in where(merge.theirs, completion, completion.c.prompt_id, block.prompts):
        prompt_key = block.prompts[row.prompt_id]
        known = ours.get((prompt_key, row.uid))
        merge.came.count("completions", known=known is not None)
        block.uids_of[row.id] = row.uid.hex()
        if known is None:
            block.completions[row.id] = first + len(fresh)
            fresh.append((block.completions[row.id], row.uid, prompt_key, row.text))
        elif known.text != row.text:
            said = f"completion {row.uid.hex()} says one thing here and another there"
            raise Conflict(said, hint="labelkit doctor")
        else:
            block.completions[row.id] = known.id
    insert_many(merge.tx, completion, ("id", "uid", "prompt_id", "text"), fresh)
    sources = [
        (block.completions[row.completion_id], row.external_id, row.model, row.params)
        for row in where(merge.theirs, source, source.c.completion_id, block.completions)
    ]
    columns = ("completion_id", "external_id", "model", "params")
    insert_many(merge.tx, source, columns, sources, known_ok=True)


def golds(merge: Merge, block: Block) -> None:
    """Add known rankings."""
    rows = where(merge.theirs, gold, gold.c.prompt_id, block.prompts)
    known = {row.uid for row in where(merge.tx, gold, gold.c.uid, [row.uid for row in rows])}
    fresh = []
    for row in rows:
        merge.came.count("gold", known=row.uid in known)
        if row.uid not in known:
            tiers = [sorted(block.completions[c] for c in tier) for tier in load(row.tiers, [])]
            said = canonical_json(tiers).decode()
            fresh.append((row.uid, block.prompts[row.prompt_id], said, row.note, row.created_at))
    insert_many(merge.tx, gold, ("uid", "prompt_id", "tiers", "note", "created_at"), fresh)
