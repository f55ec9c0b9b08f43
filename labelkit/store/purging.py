"""Delete a person's data for good: the one exception to "labels are never deleted".

Everything that hangs off a prompt goes with it. What stays is a log without names and texts, and
salted hashes by which data that come back are noticed.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Select, Table, delete, func, insert, select
from sqlalchemy.sql import ColumnElement

from labelkit.domain.canonical import canonical_json
from labelkit.domain.tasks import handle_of
from labelkit.domain.times import now_text
from labelkit.store import schema
from labelkit.store.core import Store, get_setting
from labelkit.store.drafts import REVISION, Drafts, unfinished_of
from labelkit.store.engine import Tx, queue, translated
from labelkit.store.prompts import uids_of
from labelkit.store.sql import chunks, insert_many, row_crc

prompt, completion, task, labeler = schema.prompt, schema.completion, schema.task, schema.labeler

USER, PROMPT = "user", "prompt"
_NEVER = ("ranking", "demonstration", "skip", "decision")


def keys_of_user(tx: Tx, user: str) -> list[int]:
    """Return the local keys of a user's prompts."""
    query = select(prompt.c.id).where(prompt.c.user == user).order_by(prompt.c.id)
    return list(tx.scalars(query))


def count(tx: Tx, keys: Sequence[int]) -> dict[str, int]:
    """Count what would go with these prompts, by table."""
    counts: Counter[str] = Counter()
    for chunk in chunks(keys):
        for table, where in _hanging_off(chunk):
            counts[str(table.name)] += (
                tx.scalar(select(func.count()).select_from(table).where(where)) or 0
            )
    return {name: n for name, n in counts.items() if n}


def _hanging_off(keys: list[int]) -> Iterator[tuple[Table, ColumnElement[bool]]]:
    """Every table with what belongs to these prompts, in an order that keys allow."""
    theirs = select(completion.c.id).where(completion.c.prompt_id.in_(keys))
    tasks = select(task.c.id).where(task.c.prompt_id.in_(keys))

    def of(
        table: Table, column: str, among: Select[tuple[int]]
    ) -> tuple[Table, ColumnElement[bool]]:
        return table, table.c[column].in_(among)

    for table in (schema.decision, *schema.LABELS, schema.gold):
        yield table, table.c.prompt_id.in_(keys)
    yield of(schema.slot, "task_id", tasks)
    yield of(schema.task_author, "task_id", tasks)
    yield of(schema.task_completion, "task_id", tasks)
    yield task, task.c.prompt_id.in_(keys)
    yield of(schema.completion_source, "completion_id", theirs)
    yield completion, completion.c.prompt_id.in_(keys)
    yield schema.prompt_alias, schema.prompt_alias.c.prompt_id.in_(keys)
    yield prompt, prompt.c.id.in_(keys)


def drafts_of(tx: Tx, store: Path, keys: Sequence[int]) -> list[Path]:
    """Return the draft files of tasks of these prompts, also what a kill left half-saved."""
    found: list[Path] = []
    slot = schema.slot
    query = select(task.c.uid, slot.c.round, slot.c.labeler_id, labeler.c.name)
    query = query.join(slot, slot.c.task_id == task.c.id)
    query = query.join(labeler, labeler.c.id == slot.c.labeler_id)
    for chunk in chunks(keys):
        for row in tx.execute(query.where(task.c.prompt_id.in_(chunk))):
            kept = Drafts.of(store, row.labeler_id)
            found.append(kept.folder / f"{handle_of(row.uid.hex(), row.name, row.round)}.json")
        for table in schema.LABELS:
            uids = select(table.c.uid, table.c.labeler_id).where(table.c.prompt_id.in_(chunk))
            for uid, who in tx.execute(uids.where(table.c.labeler_id.is_not(None))):
                found.append(Drafts.of(store, who).folder / f"{REVISION}{uid.hex()}.json")
    return sorted({p for path in found for p in (path, *unfinished_of(path)) if p.exists()})


def purge(tx: Tx, kind: str, who: str, keys: Sequence[int], by: str | None) -> dict[str, int]:
    """Delete prompts and all that hangs off them, log it, and return the counts by table."""
    # Deleted content is overwritten at once, should VACUUM never come to it.
    tx.exec_driver_sql("PRAGMA secure_delete=ON")
    uids = list(uids_of(tx, keys).values())
    counts: Counter[str] = Counter()
    with _labels_may_go(tx):
        for chunk in chunks(keys):
            for table, where in _hanging_off(chunk):
                counts[str(table.name)] += tx.execute(delete(table).where(where)).rowcount
    said = {name: n for name, n in sorted(counts.items()) if n}
    _log(tx, kind, who, uids, said, by)
    return said


@contextmanager
def _labels_may_go(tx: Tx) -> Iterator[None]:
    """Lift the promise that labels are never deleted, until the same transaction ends."""
    names = [f"{table}_no_delete" for table in _NEVER]
    marks = ", ".join("?" for _ in names)
    query = f"SELECT name, sql FROM sqlite_schema WHERE name IN ({marks})"  # noqa: S608  # marks
    triggers = tx.exec_driver_sql(query, tuple(names)).all()
    for name, _ in triggers:
        tx.exec_driver_sql(f"DROP TRIGGER {name}")
    yield
    for _, sql in triggers:
        tx.exec_driver_sql(sql)


# -- the log -------------------------------------------------------------------------------------


def _digest(tx: Tx, kind: str, name: str) -> bytes:
    """A hash that says nothing to anybody who does not have the store."""
    salt = get_setting(tx, "salt").encode()
    return hashlib.blake2b(f"{kind}\0{name}".encode(), digest_size=16, key=salt).digest()


def _log(
    tx: Tx, kind: str, who: str, uids: Sequence[str], counts: dict[str, int], by: str | None
) -> None:
    whose = _digest(tx, kind, who)
    values = {
        "at": now_text(),
        "by": by,
        "kind": kind,
        "who": whose,
        "counts": canonical_json(counts).decode(),
    }
    crc = row_crc(values[name] for name in schema.SEALED["purge"])
    inserted = tx.execute(insert(schema.purge).values(values | {"crc": crc})).inserted_primary_key
    assert inserted is not None
    digests = {_digest(tx, PROMPT, uid) for uid in uids} | {whose}
    rows = [(digest, int(inserted[0])) for digest in sorted(digests)]
    insert_many(tx, schema.purged, ("digest", "purge_id"), rows, known_ok=True)


class Gone:
    """What was deleted from this store: to notice when it comes back."""

    def __init__(self, tx: Tx) -> None:
        self._tx = tx
        self._digests = set(tx.scalars(select(schema.purged.c.digest)))

    def __bool__(self) -> bool:
        """Whether anything ever was."""
        return bool(self._digests)

    def knows(self, prompt: str, user: str | None) -> bool:
        """Whether a prompt, by uid, or everything of its user was deleted before."""
        if not self._digests:
            return False
        names = [(PROMPT, prompt), (USER, user or "")]
        return any(_digest(self._tx, *name) in self._digests for name in names)


def compact(store: Store) -> None:
    """Write the file anew without its free pages, in which deleted texts could be left."""
    with queue(store.path), translated(store.path):
        connection = store.engine.raw_connection()
        try:
            connection.execute("VACUUM")
        finally:
            connection.close()
