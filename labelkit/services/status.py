"""What a lead asks for first."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from labelkit.services.project import opened
from labelkit.store import drafts, people, schema, tallies

SCHEMA = "labelkit.status/1"


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
    """Count prompts, labels, tasks and people."""
    with opened(store) as opened_store, opened_store.read() as tx:
        counts = {
            "prompts": tallies.rows_in(tx, schema.prompt),
            "completions": tallies.rows_in(tx, schema.completion),
            "demonstrations": tallies.current_labels(tx, schema.demonstration),
            "rankings": tallies.current_labels(tx, schema.ranking),
            "guidelines": tallies.rows_in(tx, schema.guideline),
            "tasks": tallies.rows_in(tx, schema.task),
            "drafts": drafts.count(store),
        }
        return Status(
            store=str(store),
            counts=counts,
            kinds=tallies.by_column(tx, schema.prompt.c.kind),
            use_cases=tallies.by_column(tx, schema.prompt.c.use_case),
            completions_per_prompt=tallies.prompts_with_completions(tx),
            labelers=_labelers(tx),
            batches=tallies.batches(tx),
            skips=tallies.skips_by_reason(tx),
        )


def _labelers(tx: Any) -> list[dict[str, Any]]:
    slots = tallies.slots_by_labeler(tx)
    rankings = tallies.labels_by_labeler(tx, schema.ranking)
    demonstrations = tallies.labels_by_labeler(tx, schema.demonstration)
    skips = tallies.skips_by_labeler(tx)
    return [
        {
            "name": labeler.name,
            "kind": str(labeler.kind),
            "cohort": labeler.cohort,
            "rankings": rankings.get(labeler.name, (0, None))[0],
            "demonstrations": demonstrations.get(labeler.name, (0, None))[0],
            "mean_seconds": rankings.get(labeler.name, (0, None))[1],
            "leased": slots.get(labeler.name, {}).get("leased", 0),
            "skips": skips.get(labeler.name, {}),
        }
        for labeler in people.everyone(tx)
    ]
