"""Take another store of the same project in: a union, so that any order and any number of times
gives the same.

Prompts, completions, tasks and labels have uids made from what they say, so the union is by uid and
nothing has to be decided. What no uid covers is joined by rules that do not care who comes first:
what is known beats what is not, and of two different values the one that sorts first stays (and the
difference is reported). A label never gives way: one that comes too late, or says otherwise than
another, is kept beside it.

Who may work on what is each store's own affair: leases, waiting repeats, tasks set aside and who is
active stay as they are here. Slots and counters follow from the labels.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy import select

from labelkit.store import schema
from labelkit.store.core import Store
from labelkit.store.engine import Tx
from labelkit.store.integrity.findings import blocks
from labelkit.store.merging.content import golds, prompts, texts
from labelkit.store.merging.context import Came, Merge
from labelkit.store.merging.decisions import decisions
from labelkit.store.merging.labels import labels
from labelkit.store.merging.rules import batches, guidelines, labelers
from labelkit.store.merging.work import settle, tasks
from labelkit.store.purging import Gone

__all__ = ["Came", "unite"]

Progress = Callable[[int, int | None], None]


def unite(tx: Tx, other: Store, came: Came, progress: Progress | None = None) -> None:
    """Add what `other` has and this store has not. Call inside `Store.write()`.

    `other` must have been proved sound. Raises Conflict when two stores contradict each other in
    what cannot be joined.
    """
    with other.read() as theirs:
        merge, gone = Merge(tx, theirs, came), Gone(tx)
        guidelines(merge)
        labelers(merge)
        batches(merge)
        _still_here(tx, Gone(theirs), came)
    done = 0
    for rows in blocks(other, schema.prompt):
        with other.read() as theirs:
            merge.theirs = theirs
            block = prompts(merge, [row for row in rows if _stays(row, gone, came)])
            texts(merge, block)
            golds(merge, block)
            tasks(merge, block)
            decisions(merge, block)
            settle(merge, labels(merge, block))
        done += len(rows)
        if progress:
            progress(done, None)


def _still_here(tx: Tx, gone: Gone, came: Came) -> None:
    """Say what they deleted for good: to delete it here too is somebody's decision."""
    if gone:
        for row in tx.execute(select(schema.prompt.c.uid, schema.prompt.c.user)):
            if gone.knows(row.uid.hex(), row.user):
                said = f"prompt {row.uid.hex()} was deleted there for good, and is still here"
                came.conflict(f"{said}: labelkit purge")


def _stays(row: Any, gone: Gone, came: Came) -> bool:
    """What was deleted here for good does not come back from a copy."""
    back = gone.knows(row.uid.hex(), row.user)
    if back:
        came.conflict(f"prompt {row.uid.hex()} was deleted here for good: left out")
    return not back
