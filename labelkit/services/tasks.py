"""Tasks for the lead: look at those set aside, and decide."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from labelkit.domain.safe_text import one_line
from labelkit.errors import NothingToDo
from labelkit.services.project import opened
from labelkit.store import batches
from labelkit.store import tasks as store_tasks
from labelkit.store.engine import Tx
from labelkit.store.tasks import TaskRow

SCHEMA = "labelkit.tasks/1"


def listed(
    store: Path, *, batch: str | None = None, set_aside: bool = False, limit: int | None = None
) -> list[TaskRow]:
    """Return tasks, oldest first. Raises NotFound for an unknown batch."""
    state = store_tasks.SET_ASIDE if set_aside else None
    with opened(store) as opened_store, opened_store.read() as tx:
        if batch is not None:
            batches.get_batch(tx, batch)
        return store_tasks.tasks(tx, batch, state, limit)


def as_json(rows: Sequence[TaskRow]) -> dict[str, Any]:
    return {
        "schema": SCHEMA,
        "tasks": [
            {
                "task": row.uid,
                "batch": row.batch,
                "kind": row.kind,
                "role": row.role,
                "state": row.state,
                "filled": row.filled,
                "leased": row.leased,
                "overlap": row.overlap,
                "prompt_id": row.prompt_name,
                "prompt": row.prompt,
                "skips": dict(sorted(row.skips.items())),
                "notes": list(row.notes),
            }
            for row in rows
        ],
    }


def as_row(row: TaskRow) -> tuple[str, ...]:
    """A task as a line of a table."""
    done = f"{row.filled}" if row.overlap is None else f"{row.filled} of {row.overlap}"
    skips = ", ".join(f"{reason} {n}" for reason, n in sorted(row.skips.items()))
    notes = "; ".join(row.notes)
    prompt = str(one_line(row.prompt, 60))
    return (row.uid[:12], row.batch, row.state.replace("_", " "), done, skips, notes, prompt)


def release(store: Path, names: Sequence[str], *, everything: bool = False) -> int:
    """Hand tasks out again; return how many. Raises NotFound, or NothingToDo."""
    if everything:
        names = [row.uid for row in listed(store, set_aside=True)]
    return _change(store, names, store_tasks.release, "none of them was set aside")


def set_aside(store: Path, names: Sequence[str]) -> int:
    """Hand tasks out no more; return how many. Raises NotFound, or NothingToDo."""
    return _change(store, names, store_tasks.set_aside, "they were set aside already")


def _change(
    store: Path, names: Sequence[str], change: Callable[[Tx, int], bool], nothing: str
) -> int:
    with opened(store) as opened_store, opened_store.write() as tx:
        changed = sum(change(tx, store_tasks.find(tx, name)) for name in names)
    if not changed:
        raise NothingToDo(f"no task was changed: {nothing}", hint="labelkit tasks list")
    return changed
