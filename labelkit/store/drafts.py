"""Work in progress, saved on every key, beside the store rather than in it.

A key must never wait for another labeler's commit or for a long import, so drafts do not share the
store's write lock: each is one small file, replaced whole by a rename. That survives a kill at any
moment; a power cut may cost the last seconds of a draft, never a label.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from labelkit.errors import StoreError
from labelkit.store.disk import drop

REVISION = "revision-"
"""How the keys of drafts of a revision begin."""


@dataclass(frozen=True, slots=True)
class Drafts:
    """The drafts of one labeler. `key` names a task and its round."""

    folder: Path

    @classmethod
    def of(cls, store: Path, labeler_key: int) -> Drafts:
        return cls(store.with_name(f"{store.name}.drafts") / str(labeler_key))

    def save(self, key: str, body: dict[str, Any]) -> None:
        """Replace a draft. Raises StoreError when it cannot be kept."""
        target = self.folder / f"{key}.json"
        fresh = self.folder / f".{key}.{os.getpid()}"
        try:
            for folder in (self.folder.parent, self.folder):
                folder.mkdir(mode=0o700, exist_ok=True)
            fd = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with open(fd, "wb") as file:  # noqa: PTH123  # a Path cannot open a descriptor
                file.write(orjson.dumps(body))
            fresh.replace(target)
        except OSError as error:
            raise StoreError(
                f"{target}: the draft cannot be saved: {error.strerror}",
                hint="free some space or check the folder's owner; your work is still on screen",
            ) from error

    def load(self, key: str) -> dict[str, Any] | None:
        """Return a draft, or None when there is none or it is unreadable."""
        try:
            body = orjson.loads((self.folder / f"{key}.json").read_bytes())
        except (OSError, orjson.JSONDecodeError):
            return None
        return body if isinstance(body, dict) else None

    def drop(self, key: str) -> None:
        """Let a draft go, and what was left of it by a process that was killed."""
        draft = self.folder / f"{key}.json"
        for path in (*unfinished_of(draft), draft):
            drop(path)

    def keys_with(self, prefix: str) -> list[str]:
        """Return the keys that begin with `prefix`, sorted."""
        return sorted(path.stem for path in self.folder.glob(f"{prefix}*.json"))


def unfinished_of(draft: Path) -> list[Path]:
    """What processes that were killed while they saved a draft left beside it."""
    return list(draft.parent.glob(f".{draft.stem}.*"))


def count(store: Path) -> int:
    """Count the drafts of everybody."""
    return len(list(store.with_name(f"{store.name}.drafts").glob("*/*.json")))
