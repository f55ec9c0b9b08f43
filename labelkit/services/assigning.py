"""Hand work out: cut prompts into tasks and put them in a batch."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from labelkit.domain.models import K_LEAST, K_MOST
from labelkit.domain.tasks import (
    EVERYONE,
    BatchSettings,
    Choice,
    TaskKind,
    TaskRole,
    cut_into_tasks,
    is_calibration,
)
from labelkit.errors import NothingToDo, UsageError
from labelkit.services.choices import one_of
from labelkit.services.gold import gold_tasks
from labelkit.services.project import opened
from labelkit.services.settings import lookup, truth
from labelkit.store import assigning, batches, decisions, people, rules
from labelkit.store.assigning import Material, NewTask
from labelkit.store.batches import Batch
from labelkit.store.engine import Tx
from labelkit.store.sql import chunks

SCHEMA = "labelkit.assign/1"
_AT_ONCE = 2000


@dataclass(frozen=True, slots=True)
class AssignOptions:
    """What to hand out, to whom, and how often."""

    kind: str = TaskKind.RANK
    batch: str | None = None
    settings: BatchSettings = field(default_factory=BatchSettings)
    seed: str = "0"
    priority: int = 0
    labelers: tuple[str, ...] = ()
    cohorts: tuple[str, ...] = ()
    gold: Path | None = None
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
    calibration: int = 0
    gold: int = 0
    excluded: int = 0
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
            "calibration": self.calibration,
            "gold": self.gold,
            "excluded_prompts": self.excluded,
            "k": {str(k): n for k, n in sorted(self.sizes.items())},
            "dry_run": self.dry_run,
        }


def kind_of(word: str) -> str:
    """Read --kind. Raises UsageError."""
    return str(one_of(word, [k.value for k in TaskKind], "--kind"))


def assign(store: Path, options: AssignOptions) -> AssignReport:
    """Make a batch of tasks. Raises NothingToDo when no prompt is left for one."""
    check_settings(options.settings)
    check_kind(options)
    with opened(store) as opened_store, opened_store.write() as tx:
        report = assign_in(tx, options)
        if not report.tasks:
            raise NothingToDo(_why_nothing(tx, report, options), hint=_way_on(tx, report))
        if options.dry_run:
            tx.rollback()
    return report


def seeds_ratings(no_seed: bool) -> bool:
    """Whether ratings give the first order: --no-seed, else the project's settings."""
    return not no_seed and truth(lookup("seed_ratings", True))


def check_settings(settings: BatchSettings) -> None:
    """Raise UsageError when a batch could not be worked on like that."""
    if not K_LEAST <= settings.k_min <= settings.k_max <= K_MOST:
        raise UsageError(
            f"a task holds {K_LEAST} to {K_MOST} completions, and --k-min is at most --k-max",
            hint="--k-min 4 --k-max 9",
        )
    if settings.overlap < 1:
        raise UsageError("--overlap must be at least 1")
    for name in ("calibration", "repeat"):
        if not 0 <= getattr(settings, name) <= 1:
            raise UsageError(f"--{name} is a share, from 0 to 1", hint=f"--{name} 0.1")


def check_kind(options: AssignOptions) -> None:
    """Raise UsageError for what makes no sense for demonstrations."""
    settings = options.settings
    ranked = {
        "--with-demonstrations": settings.with_demonstrations,
        "--gold": options.gold,
        "--repeat": settings.repeat,
        "--partial": settings.partial,
    }
    used = [name for name, value in ranked.items() if value]
    if options.kind == TaskKind.WRITE and used:
        raise UsageError(f"{used[0]} is for ranking tasks, not for --kind write")


def assign_by_default(tx: Tx, kind: str) -> None:
    """Hand out everything there is, once: for the first labeler of a fresh store."""
    assign_in(tx, AssignOptions(kind=kind, settings=BatchSettings(k_min=K_LEAST)))


def assign_in(tx: Tx, options: AssignOptions) -> AssignReport:
    """Make a batch inside a transaction."""
    name = options.batch or _free_name(tx, options.kind)
    report = AssignReport(name, options.kind, dry_run=options.dry_run)
    report.excluded = decisions.count_excluded(tx)
    batch = Batch(name, options.kind, options.priority, options.seed, options.settings)
    key = None
    for tasks in chunks(_planned(tx, options, report), _AT_ONCE):
        key = key or _opened_batch(tx, batch, options)
        report.tasks += assigning.add_tasks(tx, key, batch, tasks)
    return report


def _opened_batch(tx: Tx, batch: Batch, options: AssignOptions) -> int:
    pinned = rules.get(tx, options.guideline).ref if options.guideline else None
    guideline = rules.key_or_stub(tx, pinned) if pinned else None
    key = batches.open_batch(tx, batch, guideline)
    named = [people.key(tx, labeler) for labeler in options.labelers]
    assigning.limit_to(tx, key, named, options.cohorts)
    return key


def _planned(tx: Tx, options: AssignOptions, report: AssignReport) -> Iterator[NewTask]:
    known: set[int] = set()
    for task in gold_tasks(tx, options.gold) if options.gold else ():
        known.add(task.material.prompt_key)
        report.gold += 1
        report.sizes[len(task.completions)] += 1
        yield task
    index = 0
    for material in _materials(tx, options):
        if options.limit is not None and report.prompts >= options.limit:
            return
        if material.prompt_key in known:
            continue
        groups = _groups(material, options)
        report.prompts += bool(groups)
        report.too_few += not groups
        for group in groups:
            yield _task(material, group, index, options, report)
            index += 1


def _materials(tx: Tx, options: AssignOptions) -> Iterator[Material]:
    demonstrations = options.settings.with_demonstrations
    return assigning.materials(tx, options.kind, options.choice, with_demonstrations=demonstrations)


def _task(
    material: Material, group: list[str], index: int, options: AssignOptions, report: AssignReport
) -> NewTask:
    """One ordinary task, or one for everybody."""
    report.sizes[len(group)] += 1
    if is_calibration(index, options.settings.calibration):
        report.calibration += 1
        return NewTask(material, group, TaskRole.CALIBRATION, EVERYONE)
    report.places += options.settings.overlap
    return NewTask(material, group, overlap=options.settings.overlap)


def _groups(material: Material, options: AssignOptions) -> list[list[str]]:
    if options.kind == TaskKind.WRITE:
        return [[]]
    settings = options.settings
    seed = f"{options.seed}:{material.prompt}"
    return cut_into_tasks(list(material.completions), settings.k_min, settings.k_max, seed)


def _free_name(tx: Tx, kind: str) -> str:
    taken = set(batches.batch_names(tx))
    return next(name for n in range(1, len(taken) + 2) if (name := f"{kind}-{n}") not in taken)


def _why_nothing(tx: Tx, report: AssignReport, options: AssignOptions) -> str:
    if report.too_few:
        least = options.settings.k_min
        return f"no task was made: {report.too_few} prompts have fewer than {least} completions"
    if report.excluded:
        left = f"in a batch already, or one of {report.excluded} that are excluded"
        return f"no task was made: every prompt that fits is {left}"
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
