"""Guidelines: versions are added, never changed."""

from __future__ import annotations

from functools import cache, lru_cache
from typing import Any

from sqlalchemy import ColumnElement, Select, bindparam, insert, select, update

from labelkit.domain.guidelines import parse_guideline, parse_ref, stub
from labelkit.domain.models import Guideline
from labelkit.domain.times import now_text
from labelkit.errors import Conflict, NotFound
from labelkit.store.codec import raw
from labelkit.store.engine import Tx
from labelkit.store.schema import guideline as table


def add(tx: Tx, guideline: Guideline) -> bool:
    """Store a version and return whether it is new.

    Fills in the text of a version that so far was only quoted by labels. Raises Conflict when the
    same version says something else.
    """
    known = tx.execute(
        select(table.c.id, table.c.uid, table.c.text).where(_is(guideline.ref))
    ).first()
    if known is None:
        _insert(tx, guideline)
        return True
    if known.uid == raw(guideline.uid):
        return False
    if known.text is None:
        values = {"uid": raw(guideline.uid), "text": guideline.text}
        tx.execute(update(table).where(table.c.id == known.id).values(values))
        return True
    raise Conflict(
        f"guideline {guideline.ref} is already there with another text",
        hint="a change of meaning needs a new version number",
    )


def _insert(tx: Tx, guideline: Guideline) -> int:
    values = {
        "uid": raw(guideline.uid),
        "name": guideline.name,
        "version": guideline.version,
        "text": guideline.text,
        "created_at": now_text(),
    }
    key = tx.execute(insert(table).values(values)).inserted_primary_key
    assert key is not None
    return int(key[0])


def _is(ref: str) -> ColumnElement[bool]:
    name, version = parse_ref(ref)
    return (table.c.name == name) & (table.c.version == version)


def key_or_stub(tx: Tx, ref: str) -> int:
    """Return the local key of `name@version`, remembering the name when the text is unknown."""
    name, version = parse_ref(ref)
    found: int | None = tx.scalar(_key(), {"called": name, "at": version})
    return _insert(tx, stub(ref)) if found is None else found


@cache
def _key() -> Select[Any]:
    named = (table.c.name == bindparam("called"), table.c.version == bindparam("at"))
    return select(table.c.id).where(*named)


def find(tx: Tx, ref: str) -> Guideline | None:
    """Return a guideline by `name@version`, or the newest version of `name`, or None."""
    condition = _is(ref) if "@" in ref else table.c.name == ref
    query = select(table).where(condition).order_by(table.c.version.desc()).limit(1)
    row = tx.execute(query).first()
    return _from(row) if row else None


def get(tx: Tx, ref: str) -> Guideline:
    found = find(tx, ref)
    if found is None:
        raise NotFound(f"there is no guideline {ref!r}", hint="labelkit guidelines list")
    return found


def everything(tx: Tx) -> list[Guideline]:
    """Return all versions, by name and version."""
    rows = tx.execute(select(table).order_by(table.c.name, table.c.version))
    return [_from(row) for row in rows]


def uids(tx: Tx) -> list[tuple[str, str]]:
    """Return `name@version` and uid of all versions, by name and version. No text is read."""
    query = select(table.c.name, table.c.version, table.c.uid)
    rows = tx.execute(query.order_by(table.c.name, table.c.version))
    return [(f"{row.name}@{row.version}", row.uid.hex()) for row in rows]


def newest(tx: Tx) -> Guideline | None:
    """Return the guideline in force: the version with a text that was added last."""
    row = tx.execute(_newest()).first()
    return _from(row) if row else None


@cache
def _newest() -> Select[Any]:
    return select(table).where(table.c.text.is_not(None)).order_by(table.c.id.desc()).limit(1)


def refs(tx: Tx) -> dict[int, str]:
    """Map local keys to `name@version`."""
    rows = tx.execute(select(table.c.id, table.c.name, table.c.version))
    return {row.id: f"{row.name}@{row.version}" for row in rows}


def _from(row: Any) -> Guideline:
    return _parsed(f"{row.name}@{row.version}", row.text)


# Every task that is handed out comes with its guideline, and versions never change.
@lru_cache(maxsize=16)
def _parsed(ref: str, text: str | None) -> Guideline:
    return stub(ref) if text is None else parse_guideline(text, ref)
