"""Bundles: tasks to take away, and what the store remembers of them."""

from __future__ import annotations

import secrets
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from labelkit.domain.tasks import TaskKind
from labelkit.domain.times import now_text, utc_text
from labelkit.errors import Conflict, NothingToDo, StoreError, UsageError
from labelkit.services.assigning import assign_by_default, kind_of
from labelkit.services.project import opened
from labelkit.store import batches, core, journal, loans, packing, people
from labelkit.store.core import Store
from labelkit.store.desk import Desk
from labelkit.store.disk import fresh_name, publish, sweep_strays
from labelkit.store.engine import Tx, writing
from labelkit.store.loans import Loan
from labelkit.store.packing import Manifest

DAY = 86400.0


@dataclass(frozen=True, slots=True)
class BundleOptions:
    """What to take away: up to `tasks` of one kind, kept for one labeler for `days`."""

    labeler: str
    tasks: int = 100
    days: int = 14
    kind: str = TaskKind.RANK
    batch: str | None = None


@dataclass(frozen=True, slots=True)
class MadeBundle:
    """A bundle that was made."""

    path: Path
    manifest: Manifest

    def as_json(self) -> dict[str, Any]:
        return {"schema": "labelkit.bundle/1", "file": str(self.path), **asdict(self.manifest)}


def make(store: Path, out: Path, options: BundleOptions) -> MadeBundle:
    """Lease tasks to a labeler and write them to a file that the labeler can work on elsewhere.

    The leases are kept first and the file gets its name last: a crash in between costs places that
    come back with time, never two people at one place. Raises NothingToDo, Conflict, NotFound.
    """
    kind = kind_of(options.kind)
    taken = Conflict(f"{out} is already there", hint="choose another name with --out")
    if out.exists():
        raise taken
    draft = fresh_name(out)
    try:
        sweep_strays(out.parent)
        engine = core.build(draft)
    except OSError as error:
        raise StoreError(f"{out}: cannot be made: {error.strerror}") from error
    try:
        with opened(store) as from_:
            with from_.write() as tx, writing(engine, draft) as target:
                made = _fill(tx, target, replace(options, kind=kind))
            engine.dispose()
            try:
                publish(draft, out)
            except OSError as error:
                _give_back(from_, made.id)
                if isinstance(error, FileExistsError):
                    raise taken from None
                raise StoreError(f"{out}: cannot be made: {error.strerror}") from error
    finally:
        engine.dispose()
        core.sweep(draft)
    return MadeBundle(out, made)


def _give_back(store: Store, bundle: str) -> None:
    with store.write() as tx:
        loans.release(tx, bundle)


def _fill(tx: Tx, target: Tx, options: BundleOptions) -> Manifest:
    who, key = people.get(tx, options.labeler), people.key(tx, options.labeler)
    if not who.active:
        raise UsageError(f"labeler {options.labeler!r} is not active any more")
    if options.batch is not None:
        batches.get_batch(tx, options.batch)
    elif not batches.any_batch(tx, options.kind):
        assign_by_default(tx, options.kind)
    seconds = options.days * DAY
    seat = Desk(key, who.name, str(who.kind), options.kind, seconds, options.batch)
    id_ = secrets.token_hex(4)
    leases = loans.lend(tx, seat, id_, options.tasks)
    if not leases:
        raise NothingToDo(f"no task is left for {options.labeler!r}", hint="labelkit status")
    due = datetime.fromtimestamp(int(time.time() + seconds), UTC)
    project = core.get_setting(tx, "project")
    what = Manifest(
        id_, who.name, options.kind, len(leases), now_text(), utc_text(due), project=project
    )
    made = packing.pack(tx, target, [lease.task_key for lease in leases], key, what)
    journal.note(tx, "bundle make", bundle=id_, labeler=who.name, tasks=len(leases))
    return made


def listed(store: Path) -> list[Loan]:
    """Return the bundles that were made from a store, the oldest first."""
    with opened(store) as here, here.read() as tx:
        return loans.loans(tx)


def as_json(found: Sequence[Loan]) -> dict[str, Any]:
    return {"schema": "labelkit.bundles/1", "bundles": [asdict(loan) for loan in found]}


def release(store: Path, names: Sequence[str]) -> int:
    """Give back the places of bundles that will not return; return how many. Raises NotFound."""
    with opened(store) as here, here.write() as tx:
        n = sum(loans.release(tx, name) for name in names)
        journal.note(tx, "bundle release", bundles=list(names), places=n)
    if not n:
        raise NothingToDo("no place was given back: none is held", hint="labelkit bundle list")
    return n
