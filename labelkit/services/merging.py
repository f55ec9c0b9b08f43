"""Merge: bring back what was said elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from labelkit.errors import UsageError
from labelkit.services import backup
from labelkit.services.project import opened
from labelkit.store import core, journal, merging, packing
from labelkit.store.core import Store
from labelkit.store.merging import Came, Progress
from labelkit.store.outside import inspected


@dataclass(frozen=True, slots=True)
class Source:
    """A file that was merged; `bundle` and `labeler` only when it is a bundle."""

    path: Path
    bundle: str | None = None
    labeler: str | None = None


@dataclass(slots=True)
class MergeReport:
    """What came in, and what contradicts itself."""

    sources: list[Source] = field(default_factory=list)
    came: Came = field(default_factory=Came)
    backup: Path | None = None
    dry_run: bool = False

    def as_json(self) -> dict[str, Any]:
        return {
            "schema": "labelkit.merge/1",
            "files": [
                {"file": str(s.path), "bundle": s.bundle, "labeler": s.labeler}
                for s in self.sources
            ],
            **{kind: dict(counts) for kind, counts in self.came.counts.items()},
            "conflicts": self.came.conflicts,
            "conflicts_not_shown": self.came.hidden,
            "backup": str(self.backup) if self.backup else None,
            "dry_run": self.dry_run,
        }


class _Undo(Exception):
    """Leaves the transaction without keeping it; the report is still good."""


def merge(
    store: Path, files: Sequence[Path], *, dry_run: bool = False, progress: Progress | None = None
) -> MergeReport:
    """Take bundles and whole stores of the same project in: all of them, or nothing.

    Every file is proved sound before anything is changed, and the store is backed up. Raises
    ForeignStore for a damaged file, Conflict for one of another project or one tampered with.
    """
    report = MergeReport(dry_run=dry_run)
    with opened(store) as here, ExitStack() as stack:
        with here.read() as tx:
            core.refuse_bundle(store, tx)
        others = []
        for file in files:
            _refuse_itself(store, file)
            other = stack.enter_context(inspected(file, here))
            report.sources.append(_source(file, other))
            others.append(other)
        if not dry_run:
            report.backup = backup.automatic(store, "merge").path
        try:
            with here.write() as tx:
                for other in others:
                    merging.unite(tx, other, report.came, progress)
                if dry_run:
                    raise _Undo
                journal.note(tx, "merge", **_noted(report))
        except _Undo:
            pass
    return report


def _refuse_itself(store: Path, file: Path) -> None:
    if file.exists() and file.samefile(store):
        raise UsageError(f"{file} is the store itself", hint="labelkit --db STORE merge FILE")


def _source(file: Path, other: Store) -> Source:
    with other.read() as tx:
        found = packing.manifest(tx)
    return Source(file, found.id, found.labeler) if found else Source(file)


def _noted(report: MergeReport) -> dict[str, Any]:
    added = {kind: n["added"] for kind, n in report.came.counts.items() if n["added"]}
    names = [s.bundle or s.path.name for s in report.sources]
    return {"from": names, "added": added, "conflicts": len(report.came.conflicts)}
