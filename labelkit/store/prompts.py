"""Prompts for the lead: chosen, with what was decided about them, and looked up by name."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, exists, func, or_, select

from labelkit.domain.models import Prompt
from labelkit.errors import NotFound, UsageError
from labelkit.store import decisions, schema
from labelkit.store.bundles import CHUNK, Snapshot, decided_about, prompt_from, snapshot
from labelkit.store.codec import raw
from labelkit.store.core import Store
from labelkit.store.engine import Tx
from labelkit.store.sql import chunks

table = schema.prompt


@dataclass(frozen=True, slots=True)
class Choice:
    """Which prompts: those that agree with everything that is not None."""

    source: str | None = None
    user: str | None = None
    use_case: str | None = None
    language: str | None = None
    split: str | None = None
    excluded: bool | None = None

    def conditions(self) -> list[ColumnElement[bool]]:
        columns: dict[str, ColumnElement[Any]] = {
            "source": table.c.source,
            "user": table.c.user,
            "use_case": decisions.use_case(),
            "language": table.c.language,
            "split": decisions.split(),
        }
        asked = [(column, getattr(self, name)) for name, column in columns.items()]
        found = [column == value for column, value in asked if value is not None]
        if self.excluded is not None:
            out = decisions.is_excluded()
            found.append(out if self.excluded else ~out)
        return found


@dataclass(frozen=True, slots=True)
class Listed:
    """A prompt with its local key, and how much was said to it."""

    key: int
    prompt: Prompt
    completions: int = 0
    demonstrations: int = 0
    rankings: int = 0


def stream(
    store: Store, choice: Choice | None = None, *, counted: bool = False
) -> Iterator[Listed]:
    """Yield the prompts that are asked for, in uid order, in short reads and with flat memory.

    With `counted` each comes with the numbers of what was said to it; otherwise these are 0.
    """
    conditions = (choice or Choice()).conditions()
    with store.read() as tx:
        view = snapshot(tx)
    last = b""
    while True:
        with store.read() as tx:
            page = _page(tx, view, conditions, last, counted=counted)
        if not page:
            return
        yield from page
        last = raw(page[-1].prompt.uid)


def _page(
    tx: Tx, view: Snapshot, conditions: list[ColumnElement[bool]], last: bytes, *, counted: bool
) -> list[Listed]:
    query = select(table).where(table.c.id <= view.watermark["prompt"], table.c.uid > last)
    rows = list(tx.execute(query.where(*conditions).order_by(table.c.uid).limit(CHUNK)))
    decided = decided_about(tx, view, rows)
    said = [_counts(tx, kind, rows) if counted else {} for kind in _SAID]
    return [
        Listed(row.id, prompt_from(row, {}, decided), *(n.get(row.id, 0) for n in said))
        for row in rows
    ]


_SAID = (schema.completion, schema.demonstration, schema.ranking)


def _counts(tx: Tx, kind: Any, rows: list[Any]) -> dict[int, int]:
    """Count the rows of a table by prompt; labels that were superseded do not count."""
    query = select(kind.c.prompt_id, func.count()).group_by(kind.c.prompt_id)
    query = query.where(kind.c.prompt_id.in_([row.id for row in rows]))
    if "supersedes" in kind.c:
        newer = kind.alias()
        same = newer.c.prompt_id == kind.c.prompt_id
        query = query.where(~exists().where(same, newer.c.supersedes == kind.c.uid))
    return {row[0]: row[1] for row in tx.execute(query)}


# -- by name -------------------------------------------------------------------------------------


def find(tx: Tx, name: str) -> tuple[int, str]:
    """Return (local key, uid) of the one prompt of that name. Raises NotFound, UsageError.

    A name is an id out of a file, a uid, or the first six letters of one or more.
    """
    rows = tx.execute(select(table.c.id, table.c.uid).where(_named(name)).limit(3)).all()
    if not rows and (span := _span(name)):
        query = select(table.c.id, table.c.uid).where(table.c.uid.between(*span)).limit(3)
        rows = tx.execute(query).all()
    if not rows:
        raise NotFound(f"there is no prompt {name!r}", hint="labelkit prompts list")
    if len(rows) > 1:
        uids = ", ".join(row.uid.hex()[:12] for row in rows)
        raise UsageError(f"more than one prompt is called {name!r}", hint=f"name it by uid: {uids}")
    return rows[0].id, rows[0].uid.hex()


def _named(name: str) -> ColumnElement[bool]:
    alias = schema.prompt_alias
    by_alias = select(alias.c.prompt_id).where(alias.c.name == name)
    return or_(table.c.external_id == name, table.c.id.in_(by_alias))


def _span(name: str) -> tuple[bytes, bytes] | None:
    """The uids that begin with `name`, if that is what it is."""
    if not 6 <= len(name) <= 32:
        return None
    try:
        return bytes.fromhex(name.ljust(32, "0")), bytes.fromhex(name.ljust(32, "f"))
    except ValueError:
        return None


def uids_of(tx: Tx, keys: Iterable[int]) -> dict[int, str]:
    """Map local keys to uids."""
    found: dict[int, str] = {}
    for chunk in chunks(keys):
        query = select(table.c.id, table.c.uid).where(table.c.id.in_(chunk))
        found |= {row.id: row.uid.hex() for row in tx.execute(query)}
    return found
