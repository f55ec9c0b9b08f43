"""What a lead asks for first."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from labelkit.services.project import opened
from labelkit.store import decisions, drafts, people, schema, tallies, workload
from labelkit.store.engine import Tx

SCHEMA = "labelkit.status/1"
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Status:
    """Counts of a store; `labelers` and `batches` are rows ready to print."""

    store: str
    counts: dict[str, int]
    kinds: dict[str, int]
    use_cases: dict[str, int]
    completions_per_prompt: dict[int, int]
    labelers: list[dict[str, Any]]
    batches: list[dict[str, Any]]
    skips: dict[str, int]

    def as_json(self) -> dict[str, Any]:
        return {
            "schema": SCHEMA,
            "store": self.store,
            **self.counts,
            "kinds": self.kinds,
            "use_cases": self.use_cases,
            "completions_per_prompt": {str(k): n for k, n in self.completions_per_prompt.items()},
            "labelers": self.labelers,
            "batches": self.batches,
            "skips": self.skips,
        }


def status(store: Path) -> Status:
    """Count prompts, labels, tasks and people.

    Each part is read for itself: labelers cannot submit while one is being read.
    """
    with opened(store) as opened_store:

        def read(part: Callable[[Tx], T]) -> T:
            with opened_store.read() as tx:
                return part(tx)

        return Status(
            store=str(store),
            counts={**read(_counts), "drafts": drafts.count(store)},
            kinds=read(lambda tx: tallies.by_column(tx, schema.prompt.c.kind)),
            use_cases=read(lambda tx: tallies.by_column(tx, decisions.use_case())),
            completions_per_prompt=read(tallies.prompts_with_completions),
            labelers=read(_labelers),
            batches=read(_batches),
            skips=read(tallies.skips_by_reason),
        )


def _counts(tx: Tx) -> dict[str, int]:
    return {
        "prompts": tallies.rows_in(tx, schema.prompt),
        "completions": tallies.rows_in(tx, schema.completion),
        "demonstrations": tallies.current_labels(tx, schema.demonstration),
        "rankings": tallies.current_labels(tx, schema.ranking),
        "guidelines": tallies.rows_in(tx, schema.guideline),
        "tasks": tallies.rows_in(tx, schema.task),
    }


def _batches(tx: Tx) -> list[dict[str, Any]]:
    may, seconds = workload.allowed(tx), workload.seconds_by_batch(tx)
    skips = workload.skips_by_batch(tx)
    rows = []
    for load in workload.batches(tx):
        places = load.everyone * len(may[load.key]) - load.everyone_taken
        left = load.open + max(0, places)
        rows.append(
            {
                "name": load.name,
                "kind": load.kind,
                "priority": load.priority,
                "tasks": load.tasks,
                "filled": load.filled,
                "leased": load.leased,
                "open": left,
                "set_aside": load.set_aside,
                "for_everyone": load.everyone,
                "skips": skips.get(load.key, {}),
                **_pace(seconds.get(load.key), left + load.leased),
            }
        )
    return rows


def _pace(seconds: float | None, left: int) -> dict[str, float | None]:
    """Answers in an active hour, and active hours until `left` of them are done.

    Undefined as long as nobody has answered.

    >>> _pace(90.0, 20)
    {'mean_seconds': 90.0, 'per_hour': 40.0, 'hours_left': 0.5}
    """
    if not seconds:
        return {"mean_seconds": None, "per_hour": None, "hours_left": None}
    return {
        "mean_seconds": round(seconds, 1),
        "per_hour": round(3600 / seconds, 1),
        "hours_left": round(left * seconds / 3600, 2),
    }


def _labelers(tx: Tx) -> list[dict[str, Any]]:
    slots = tallies.slots_by_labeler(tx)
    rankings = tallies.labels_by_labeler(tx, schema.ranking)
    demonstrations = tallies.labels_by_labeler(tx, schema.demonstration)
    skips = tallies.skips_by_labeler(tx)
    keys, may = workload.labeler_keys(tx), workload.allowed(tx)
    room, had = workload.open_tasks(tx), workload.had(tx)
    rows = []
    for who in people.everyone(tx):
        mine = slots.get(who.name, {})
        left = workload.open_for(keys[who.name], may, room, had) if who.active else 0
        rows.append(
            {
                "name": who.name,
                "kind": str(who.kind),
                "cohort": who.cohort,
                "rankings": rankings.get(who.name, (0, None))[0],
                "demonstrations": demonstrations.get(who.name, (0, None))[0],
                "done": mine.get("filled", 0),
                "leased": mine.get("leased", 0),
                "open": left,
                "skips": skips.get(who.name, {}),
                **_pace(rankings.get(who.name, (0, None))[1], left + mine.get("leased", 0)),
            }
        )
    return rows
