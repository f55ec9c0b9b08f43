"""Hand work out: cut prompts into tasks and put them in a batch."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from labelkit.domain.models import K_LEAST, K_MOST
from labelkit.domain.tasks import BatchSettings, Choice, TaskKind, cut_into_tasks
from labelkit.errors import NothingToDo, UsageError
from labelkit.services.choices import one_of
from labelkit.services.project import opened
from labelkit.store import assigning, people, rules
from labelkit.store.assigning import Batch, Material, NewTask
from labelkit.store.engine import Tx

SCHEMA = "labelkit.assign/1"


@dataclass(frozen=True, slots=True)
class AssignOptions:
    """What to hand out, to whom, and how often."""

    kind: str = TaskKind.RANK
    batch: str | None = None
    settings: BatchSettings = field(default_factory=BatchSettings)
    seed: str = "0"
    priority: int = 0
    labelers: tuple[str, ...] = ()
    guideline: str | None = None
    limit: int | None = None
    choice: Choice = field(default_factory=Choice)
    dry_run: bool = False


@dataclass(slots=True)
class AssignReport:
    """What was handed out, and what could not be."""

    batch: str
    kind: str
    tasks: int = 0
    places: int = 0
    prompts: int = 0
    too_few: int = 0
    sizes: Counter[int] = field(default_factory=Counter)
    dry_run: bool = False

    def as_json(self) -> dict[str, Any]:
        return {
            "schema": SCHEMA,
            "batch": self.batch,
            "kind": self.kind,
            "prompts": self.prompts,
            "tasks": self.tasks,
            "slots": self.places,
            "too_few_completions": self.too_few,
            "k": {str(k): n for k, n in sorted(self.sizes.items())},
            "dry_run": self.dry_run,
        }


def kind_of(word: str) -> str:
    """Read --kind. Raises UsageError."""
    return str(one_of(word, [k.value for k in TaskKind], "--kind"))


def assign(store: Path, options: AssignOptions) -> AssignReport:
    """Make a batch of tasks. Raises NothingToDo when no prompt is left for one."""
    check_settings(options.settings)
    with opened(store) as opened_store, opened_store.write() as tx:
        report = assign_in(tx, options)
        if not report.tasks:
            raise NothingToDo(_why_nothing(tx, report, options), hint=_way_on(tx, report))
        if options.dry_run:
            tx.rollback()
    return report


def check_settings(settings: BatchSettings) -> None:
    """Raise UsageError when a batch could not be worked on like that."""
    if not K_LEAST <= settings.k_min <= settings.k_max <= K_MOST:
        raise UsageError(
            f"a task holds {K_LEAST} to {K_MOST} completions, and --k-min is at most --k-max",
            hint="--k-min 4 --k-max 9",
        )
    if settings.overlap < 1:
        raise UsageError("--overlap must be at least 1")


def assign_by_default(tx: Tx, kind: str) -> None:
    """Hand out everything there is, once: for the first labeler of a fresh store."""
    assign_in(tx, AssignOptions(kind=kind, settings=BatchSettings(k_min=K_LEAST)))


def assign_in(tx: Tx, options: AssignOptions) -> AssignReport:
    """Make a batch inside a transaction."""
    name = options.batch or _free_name(tx, options.kind)
    report = AssignReport(name, options.kind, dry_run=options.dry_run)
    tasks = list(_planned(tx, options, report))
    if not tasks:
        return report
    pinned = rules.get(tx, options.guideline).ref if options.guideline else None
    guideline = rules.key_or_stub(tx, pinned) if pinned else None
    batch = Batch(name, options.kind, options.priority, options.seed, options.settings)
    key = assigning.open_batch(tx, batch, guideline)
    assigning.limit_to(tx, key, [people.key(tx, labeler) for labeler in options.labelers])
    report.tasks = assigning.add_tasks(tx, key, batch, tasks)
    report.places = report.tasks * options.settings.overlap
    return report


def _planned(tx: Tx, options: AssignOptions, report: AssignReport) -> Iterator[NewTask]:
    for material in assigning.materials(tx, options.kind, options.choice):
        if options.limit is not None and report.prompts >= options.limit:
            return
        groups = _groups(material, options)
        if not groups:
            report.too_few += 1
            continue
        report.prompts += 1
        for group in groups:
            report.sizes[len(group)] += 1
            yield NewTask(material, group, overlap=options.settings.overlap)


def _groups(material: Material, options: AssignOptions) -> list[list[str]]:
    if options.kind == TaskKind.WRITE:
        return [[]]
    settings = options.settings
    seed = f"{options.seed}:{material.prompt}"
    return cut_into_tasks(list(material.completions), settings.k_min, settings.k_max, seed)


def _free_name(tx: Tx, kind: str) -> str:
    taken = set(assigning.batch_names(tx))
    return next(name for n in range(1, len(taken) + 2) if (name := f"{kind}-{n}") not in taken)


def _why_nothing(tx: Tx, report: AssignReport, options: AssignOptions) -> str:
    if report.too_few:
        least = options.settings.k_min
        return f"no task was made: {report.too_few} prompts have fewer than {least} completions"
    if assigning.count_prompts(tx):
        return "no task was made: every prompt that fits is in a batch already"
    return "no task was made: the store has no prompts"


def _way_on(tx: Tx, report: AssignReport) -> str:
    if report.too_few:
        return "--k-min 2 takes prompts with fewer completions"
    return (
        "--again hands them out once more"
        if assigning.count_prompts(tx)
        else "labelkit import FILE"
    )
