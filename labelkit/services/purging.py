"""Delete what came from one person, completely, and remember only that it was done."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from labelkit.errors import NotFound, StoreError, UsageError
from labelkit.services import backup
from labelkit.services.deciding import whoami
from labelkit.services.project import opened
from labelkit.store import journal, prompts, purging
from labelkit.store.core import Store
from labelkit.store.disk import drop
from labelkit.store.engine import Tx

SCHEMA = "labelkit.purge/1"


@dataclass(frozen=True, slots=True)
class Purge:
    """What was deleted, or would be: rows by table, and draft files.

    `backups` are files that still hold it; `compacted` is whether the file was written anew; `kept`
    are drafts that the disk would not let go.
    """

    kind: str
    counts: Mapping[str, int]
    drafts: int
    backups: tuple[Path, ...]
    compacted: bool = False
    dry_run: bool = False
    kept: tuple[Path, ...] = ()

    def as_json(self) -> dict[str, Any]:
        return {
            "schema": SCHEMA,
            "kind": self.kind,
            "deleted": dict(sorted(self.counts.items())),
            "drafts": self.drafts,
            "drafts_that_hold_it": [str(path) for path in self.kept],
            "backups_that_hold_it": [str(path) for path in self.backups],
            "compacted": self.compacted,
            "dry_run": self.dry_run,
        }

    def sentence(self) -> str:
        """`12 prompts, 48 completions, ...`: what a person thinks in, tables of links left out."""
        parts = {**self.counts, "draft": self.drafts}
        named = [name for name in _SPOKEN_OF if parts.get(name)]
        return ", ".join(f"{n:,} {name}{'s' * (n > 1)}" for name in named if (n := parts[name]))

    def remarks(self) -> list[str]:
        """What is left for a person to do."""
        found = [f"this draft could not be deleted; remove it: {path}" for path in self.kept]
        found += [f"this backup still holds it: {path}" for path in self.backups]
        if not self.compacted and not self.dry_run:
            found.append("the file could not be written anew; its free pages are overwritten")
        found.append("exports and bundles that were made before, and copies elsewhere, hold it too")
        return found


_SPOKEN_OF = (
    *("prompt", "completion", "demonstration", "ranking", "skip", "gold"),
    *("task", "slot", "decision", "draft"),
)


def preview(store_path: Path, user: str | None, names: Sequence[str] = ()) -> Purge:
    """Return what `purge` would delete. Raises NotFound, UsageError."""
    with opened(store_path) as store, store.read() as tx:
        kind, _, keys = _wanted(tx, user, names)
        drafts = purging.drafts_of(tx, store.path, keys)
        counts = purging.count(tx, keys)
        return Purge(kind, counts, len(drafts), _backups(store_path), dry_run=True)


def purge(
    store_path: Path, user: str | None, names: Sequence[str] = (), by: str | None = None
) -> Purge:
    """Delete a user's prompts, or some by name, and all that hangs off them. Not to be undone.

    Raises NotFound, UsageError.
    """
    with opened(store_path) as store:
        with store.write() as tx:
            kind, who, keys = _wanted(tx, user, names)
            drafts = purging.drafts_of(tx, store.path, keys)
            counts = purging.purge(tx, kind, who, keys, by or whoami())
            journal.note(tx, "purge", kind=kind, deleted=counts)
        kept = tuple(path for path in drafts if not drop(path))
        compacted = _compact(store)
        drafts_gone = len(drafts) - len(kept)
        return Purge(kind, counts, drafts_gone, _backups(store_path), compacted, kept=kept)


def _wanted(tx: Tx, user: str | None, names: Sequence[str]) -> tuple[str, str, list[int]]:
    """Return (kind, who, local keys of the prompts)."""
    if (user is None) == (not names):
        raise UsageError("say whose data go", hint="labelkit purge --user NAME")
    if user is None:
        found = dict(prompts.find(tx, name) for name in names)
        return purging.PROMPT, ",".join(sorted(found.values())), sorted(found)
    keys = purging.keys_of_user(tx, user)
    if not keys:
        raise NotFound(f"there is no prompt of user {user!r}", hint="labelkit prompts list")
    return purging.USER, user, keys


def _backups(store: Path) -> tuple[Path, ...]:
    return tuple(b.path for b in backup.listed(store))


def _compact(store: Store) -> bool:
    try:
        purging.compact(store)
    except StoreError:
        return False
    return True
