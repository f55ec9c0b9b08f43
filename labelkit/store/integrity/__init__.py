"""Is a store what it should be? Every check looks, none changes anything, none stops the others."""

from __future__ import annotations

import sqlite3
from collections.abc import Container, Iterator
from pathlib import Path

from labelkit.errors import LabelkitError, StoreBusy
from labelkit.store.core import Store
from labelkit.store.engine import make_engine
from labelkit.store.integrity import content, desk, pages
from labelkit.store.integrity.findings import Check, Finding

__all__ = ["CHECKS", "Finding", "examine", "lenient"]

CHECKS: dict[str, Check] = {
    "schema": pages.structure,
    "pages": pages.pages,
    "keys": pages.keys,
    "settings": content.settings,
    "labelers": content.labelers,
    "guidelines": content.guidelines,
    "prompts": content.prompts,
    "completions": content.completions,
    "gold": content.golds,
    "labels": content.labels,
    "decisions": content.decisions,
    "purges": content.purges,
    "revisions": desk.revisions,
    "batches": desk.batches,
    "tasks": desk.tasks,
    "excluded": desk.excluded,
    "counters": desk.counters,
    "slots": desk.slots,
    "drafts": desk.drafts,
}


def lenient(path: Path) -> Store:
    """Open a file so that damaged text can be looked at."""

    def configure(connection: sqlite3.Connection) -> None:
        connection.text_factory = lambda raw: raw.decode("utf-8", "surrogateescape")

    return Store(path, make_engine(path, configure=configure))


def examine(store: Store, skip: Container[str] = ()) -> Iterator[Finding]:
    """Run every check but those to skip; one that cannot be finished is itself a finding.

    Raises StoreBusy.
    """
    for title, check in CHECKS.items():
        if title in skip:
            continue
        try:
            yield from check(store)
        except StoreBusy:
            raise
        except (LabelkitError, AttributeError, TypeError, ValueError) as error:
            reason = str(error) if isinstance(error, LabelkitError) else "the rows make no sense"
            yield Finding(title, "the store", f"could not be checked to the end: {reason}")
