"""What every part of a merge knows: both sides, which key is which, and what came of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Column, Select, Table, select

from labelkit.store.engine import Tx
from labelkit.store.sql import chunks

SHOWN_CONFLICTS = 50

KINDS = (
    "guidelines",
    "labelers",
    "batches",
    "prompts",
    "completions",
    "gold",
    "tasks",
    "decisions",
    "rankings",
    "demonstrations",
    "skips",
)


def _no_counts() -> dict[str, Counter[str]]:
    return {kind: Counter(added=0, known=0) for kind in KINDS}


@dataclass(slots=True)
class Came:
    """What a merge brought. `conflicts` are told, never decided by who comes first."""

    counts: dict[str, Counter[str]] = field(default_factory=_no_counts)
    conflicts: list[str] = field(default_factory=list)
    hidden: int = 0

    def count(self, kind: str, *, known: bool) -> None:
        self.counts[kind]["known" if known else "added"] += 1

    def conflict(self, what: str) -> None:
        if len(self.conflicts) < SHOWN_CONFLICTS:
            self.conflicts.append(what)
        else:
            self.hidden += 1


@dataclass(slots=True)
class Block:
    """Some prompts of theirs and what hangs off them: maps from their local keys to ours.

    `uids` and `uids_of` name their prompts and completions by their local keys.
    """

    prompts: dict[int, int]
    uids: dict[int, str]
    completions: dict[int, int] = field(default_factory=dict)
    uids_of: dict[int, str] = field(default_factory=dict)
    tasks: dict[int, int] = field(default_factory=dict)


@dataclass(slots=True)
class Merge:
    """A merge in progress: our transaction, their reading, and maps from their keys to ours."""

    tx: Tx
    theirs: Tx
    came: Came
    labelers: dict[int, int] = field(default_factory=dict)
    guidelines: dict[int, int] = field(default_factory=dict)
    batches: dict[int, int] = field(default_factory=dict)

    def key(self, keys: Mapping[int, int], theirs: int | None) -> int | None:
        return None if theirs is None else keys[theirs]


def where(tx: Tx, table: Table, column: Column[Any], values: Iterable[Any]) -> list[Any]:
    """Return the rows of a table whose column is one of some values, by the table's key."""
    query: Select[Any] = select(table).order_by(*table.primary_key)
    return [
        row
        for chunk in chunks(sorted(values))
        for row in tx.execute(query.where(column.in_(chunk)))
    ]
