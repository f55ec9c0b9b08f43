"""A bundle: a small store with some tasks, their texts and their guideline, and nothing else.

No model, no source, no user, no gold, no name that a file gave: what a labeler must not know is not
in it. A seal says that this project made it: an HMAC over all that a labeler is shown, under a key
that is made from the project's salt and never leaves the store. What is said in return is proved by
the uids of the labels, which cover what was judged.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import orjson
from sqlalchemy import Select, insert, select

from labelkit.domain.canonical import canonical_json
from labelkit.domain.tasks import BatchSettings, TaskRole
from labelkit.errors import Conflict, ForeignStore
from labelkit.store import core, rules, schema
from labelkit.store.engine import Tx
from labelkit.store.sql import chunks, insert_many

_SEAL = "bundle_seal"
_BLOCK = 100
prompt, completion, task = schema.prompt, schema.completion, schema.task
member, batch, labeler = schema.task_completion, schema.batch, schema.labeler


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a bundle is: for whom, until when, and a digest of everything that was put in.

    `size` is how many bytes it had when nothing had been said yet.
    """

    id: str
    labeler: str
    kind: str
    tasks: int
    made_at: str
    due: str
    project: str
    digest: str = ""
    size: int = 0


# -- making one ----------------------------------------------------------------------------------


def pack(
    source: Tx, target: Tx, task_keys: Sequence[int], labeler_key: int, what: Manifest
) -> Manifest:
    """Fill an empty store with tasks, seal it, and return what it says of itself."""
    copied = _Copy(source, target)
    copied.people(labeler_key)
    copied.rules_and_batches(task_keys)
    for keys in chunks(task_keys, _BLOCK):
        copied.tasks(keys)
    settings = {"project": what.project, "salt": secrets.token_hex(16), "created_at": what.made_at}
    what = replace(what, digest=contents(target), size=_size(target))
    said = canonical_json(asdict(what))
    bundle = {core.BUNDLE: said.decode(), _SEAL: _seal(source, said)}
    core.put_settings(target, settings | bundle)
    return what


class _Copy:
    """Rows on their way; keys are new in the bundle, so not even they tell anything."""

    def __init__(self, source: Tx, target: Tx) -> None:
        self.source, self.target = source, target
        self.batches: dict[int, int] = {}
        self.overlaps: dict[int, int] = {}
        self.prompts: dict[int, int] = {}
        self.completions: dict[int, int] = {}
        self.made = 0

    def people(self, key: int) -> None:
        who = self.source.execute(select(labeler).where(labeler.c.id == key)).one()
        values = {"name": who.name, "kind": who.kind, "created_at": who.created_at}
        self.target.execute(insert(labeler).values(values))

    def rules_and_batches(self, task_keys: Sequence[int]) -> None:
        """The guidelines that the batches are pinned to, and last the one in force."""
        used: set[int] = set()
        for keys in chunks(task_keys):
            query = select(task.c.batch_id).where(task.c.id.in_(keys)).distinct()
            used.update(self.source.scalars(query))
        rows = self.source.execute(select(batch).where(batch.c.id.in_(used)).order_by(batch.c.id))
        found, refs = rows.all(), rules.refs(self.source)
        pinned = {refs[row.guideline_id] for row in found if row.guideline_id is not None}
        for ref in sorted(pinned):
            rules.add(self.target, rules.get(self.source, ref))
        if newest := rules.newest(self.source):
            rules.add(self.target, newest)
        for row in found:
            values = {c.name: getattr(row, c.name) for c in batch.c if c.name != "id"}
            if row.guideline_id is not None:
                values["guideline_id"] = rules.key_or_stub(self.target, refs[row.guideline_id])
            self.overlaps[row.id] = BatchSettings(**orjson.loads(row.settings)).overlap
            self.batches[row.id] = _key(self.target.execute(insert(batch).values(values)))

    def tasks(self, keys: Sequence[int]) -> None:
        columns = (member.c.task_id, member.c.position, member.c.completion_id)
        members = self.source.execute(select(*columns).where(member.c.task_id.in_(keys))).all()
        tasks = self.source.execute(select(task).where(task.c.id.in_(keys)).order_by(task.c.uid))
        rows = tasks.all()
        self._prompts({row.prompt_id for row in rows} - self.prompts.keys())
        self._completions({row.completion_id for row in members} - self.completions.keys())
        places: dict[int, list[Any]] = {}
        for row in members:
            places.setdefault(row.task_id, []).append((row.position, row.completion_id))
        for row in rows:
            key = self._task(row)
            there = [(key, at, self.completions[c]) for at, c in sorted(places.get(row.id, ()))]
            insert_many(self.target, member, ("task_id", "position", "completion_id"), there)

    def _task(self, row: Any) -> int:
        values = {
            "uid": row.uid,
            "batch_id": self.batches[row.batch_id],
            "prompt_id": self.prompts[row.prompt_id],
            "role": str(TaskRole.NORMAL),
            "position": row.position,
            "overlap": self.overlaps[row.batch_id],
        }
        return _key(self.target.execute(insert(task).values(values)))

    def _prompts(self, keys: set[int]) -> None:
        """Only what a labeler is shown of a prompt: its messages, kind and application."""
        columns = ("id", "uid", "kind", "messages", *schema.SEALED["prompt"][1:])
        query = select(prompt).where(prompt.c.id.in_(keys)).order_by(prompt.c.uid)
        rows = []
        for row in self.source.execute(query):
            self.prompts[row.id] = len(self.prompts) + 1
            application = (orjson.loads(row.meta) if row.meta else {}).get("application")
            meta = canonical_json({"application": application}).decode() if application else None
            shown = {"id": self.prompts[row.id], "uid": row.uid, "kind": row.kind}
            shown |= {"messages": row.messages, "meta": meta}
            rows.append(tuple(shown.get(name) for name in columns))
        insert_many(self.target, prompt, columns, rows)

    def _completions(self, keys: set[int]) -> None:
        rows = []
        for some in chunks(sorted(keys)):
            query = select(completion).where(completion.c.id.in_(some)).order_by(completion.c.uid)
            for row in self.source.execute(query):
                self.completions[row.id] = len(self.completions) + 1
                key = self.completions[row.id]
                rows.append((key, row.uid, self.prompts[row.prompt_id], row.text))
        insert_many(self.target, completion, ("id", "uid", "prompt_id", "text"), rows)


def _size(tx: Tx) -> int:
    pragmas = ("page_count", "page_size")
    count, size = (int(tx.exec_driver_sql(f"PRAGMA {p}").scalar_one()) for p in pragmas)
    return count * size


def _key(result: Any) -> int:
    return int(result.inserted_primary_key[0])


# -- proving one ---------------------------------------------------------------------------------


def manifest(tx: Tx) -> Manifest | None:
    """Return what a bundle says it is; None for a store. Raises ForeignStore."""
    said = core.get_setting(tx, core.BUNDLE)
    if not said:
        return None
    try:
        return Manifest(**orjson.loads(said))
    except (ValueError, TypeError):
        raise ForeignStore("the bundle does not say what it is") from None


def prove(ours: Tx, theirs: Tx) -> None:
    """Raise Conflict unless the seal is ours and all that was sealed is as it was."""
    said = core.get_setting(theirs, core.BUNDLE).encode()
    if not hmac.compare_digest(core.get_setting(theirs, _SEAL), _seal(ours, said)):
        raise Conflict("the bundle was tampered with: its seal is not this project's")
    found = manifest(theirs)
    if found is None or found.digest != contents(theirs):
        raise Conflict("the bundle was tampered with: it does not hold what was put in")


def _seal(tx: Tx, said: bytes) -> str:
    key = hmac.digest(core.get_setting(tx, "salt").encode(), b"labelkit bundle", "sha256")
    return hmac.digest(key, said, "sha256").hex()


def contents(tx: Tx) -> str:
    """Return SHA-256 over everything that a bundle was given, in an order of its own.

    Texts are in it by their uids, which the checks of `doctor` work out again.
    """
    total = hashlib.sha256()
    for line in _lines(tx):
        total.update(canonical_json(line) + b"\n")
    return total.hexdigest()


_UNWANTED = (
    schema.completion_source,
    schema.prompt_alias,
    schema.gold,
    schema.batch_labeler,
    schema.batch_cohort,
    schema.task_author,
    schema.decision,
    schema.purge,
    schema.purged,
)


def _lines(tx: Tx) -> Iterator[list[Any]]:
    attributes = [prompt.c[name] for name in schema.SEALED["prompt"]]
    guideline = schema.guideline
    yield from _told(tx, select(prompt.c.uid, *attributes).order_by(prompt.c.uid))
    texts = select(completion.c.uid, prompt.c.uid).join(prompt)
    yield from _told(tx, texts.order_by(completion.c.uid, prompt.c.uid))
    rule = (guideline.c.uid, guideline.c.name, guideline.c.version)
    yield from _told(tx, select(*rule).order_by(guideline.c.id))
    yield from _told(tx, select(labeler.c.name, labeler.c.kind).order_by(labeler.c.name))
    settings = (batch.c.name, batch.c.kind, batch.c.priority, batch.c.seed, batch.c.settings)
    made = (batch.c.created_at, guideline.c.uid)
    batches = select(*settings, *made).join(guideline, isouter=True)
    yield from _told(tx, batches.order_by(batch.c.name))
    facts = (task.c.uid, batch.c.name, prompt.c.uid, task.c.role, task.c.position, task.c.overlap)
    yield from _told(tx, select(*facts).join(batch).join(prompt).order_by(task.c.uid))
    places = select(task.c.uid, member.c.position, completion.c.uid).select_from(member)
    places = places.join(task).join(completion).order_by(task.c.uid, member.c.position)
    yield from _told(tx, places)
    for table in _UNWANTED:
        yield from _told(tx, select(*table.c).limit(1))


def _told(tx: Tx, query: Select[Any]) -> Iterator[list[Any]]:
    for row in tx.execute(query).yield_per(1000):
        yield [value.hex() if isinstance(value, bytes) else value for value in row]
    yield ["-"]
