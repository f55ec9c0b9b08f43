"""Put users into splits, whole, and say how large the splits are."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from labelkit.domain.decisions import Aspect, settled
from labelkit.domain.models import Prompt
from labelkit.domain.splits import SplitPlan, parse_plan, split_key, split_of
from labelkit.errors import Conflict
from labelkit.services.deciding import Run, Verdict
from labelkit.services.hygiene import USED, Deciding, record
from labelkit.services.project import opened
from labelkit.services.split_plan import REASON, plan_in_force, remembered
from labelkit.store import prompts
from labelkit.store.core import Store

SCHEMA = "labelkit.split/1"
COLUMNS = ("split", "source", "users", "sft", "rm", "ppo")
UNDECIDED = ""
_NAMED = 5


@dataclass(slots=True)
class Size:
    """One cell of the paper's table 6: prompts with a demonstration, with a ranking, and all."""

    users: set[str] = field(default_factory=set)
    sft: int = 0
    rm: int = 0
    ppo: int = 0


@dataclass(frozen=True, slots=True)
class Splits:
    """How large each split is, by source, and the run that made them, if any was asked for."""

    sizes: Mapping[tuple[str, str], Size]
    plan: SplitPlan | None = None
    run: Run | None = None

    def rows(self) -> Iterator[tuple[object, ...]]:
        order = {name: i for i, name in enumerate(self.plan.names)} if self.plan else {}
        for split, source in sorted(self.sizes, key=lambda k: (order.get(k[0], len(order)), k)):
            size = self.sizes[split, source]
            said = (split or "(none yet)", source or "(not said)")
            yield (*said, len(size.users), size.sft, size.rm, size.ppo)

    def as_json(self) -> dict[str, Any]:
        return {
            "schema": SCHEMA,
            "plan": dict(self.plan.shares) if self.plan else None,
            "sizes": [dict(zip(COLUMNS, row, strict=True)) for row in self.rows()],
            "decision": self.run.as_json() if self.run else None,
        }


def sizes(store_path: Path) -> Splits:
    """Return how large the splits are that were decided or that files pinned prompts to."""
    with opened(store_path) as store:
        with store.read() as tx:
            plan = plan_in_force(tx)
        return Splits(_sizes(store, lambda prompt: prompt.split or UNDECIDED), plan)


def split(
    store_path: Path,
    shares: str,
    seed: str = "",
    by: str | None = None,
    dry_run: bool = False,
    *,
    move: bool = False,
) -> Splits:
    """Put every prompt in use into a split, with all others of its user.

    A prompt that has a split takes its user along; `move` puts everybody where the plan says.
    `shares` is like `train=0.9,valid=0.1`. Raises UsageError, and Conflict when somebody is in two
    splits already.
    """
    plan, how = parse_plan(shares, seed), Deciding(by, dry_run)
    with opened(store_path) as store:
        pinned = {} if move else _pinned(store)
        verdicts = []

        def place(prompt: Prompt) -> str:
            fallback = split_of(_unpinned(prompt), plan)
            return pinned.get(split_key(prompt), fallback)

        note = remembered(plan)
        for item in prompts.stream(store, USED):
            wanted = place(settled(item.prompt))
            if settled(item.prompt).split != wanted:
                verdicts.append(Verdict(item.key, Aspect.SPLIT, wanted, REASON, note))
        found = _sizes(store, place)
        return Splits(found, plan, record(store, verdicts, how))


def _unpinned(prompt: Prompt) -> Prompt:
    return replace(prompt, split=None)


def _pinned(store: Store) -> dict[str, str]:
    """Map what must stay together to the split it is in already."""
    found: dict[str, set[str]] = defaultdict(set)
    for item in prompts.stream(store, USED):
        prompt = settled(item.prompt)
        if prompt.split:
            found[split_key(prompt)].add(prompt.split)
    torn = sorted(key.partition(":")[2] for key, splits in found.items() if len(splits) > 1)
    if torn:
        more = f" and {len(torn) - _NAMED} more" if len(torn) > _NAMED else ""
        raise Conflict(
            f"in two splits already: {', '.join(torn[:_NAMED])}{more}",
            hint="--move puts everybody where the plan says",
        )
    return {key: next(iter(splits)) for key, splits in found.items()}


def _sizes(store: Store, place: Callable[[Prompt], str]) -> dict[tuple[str, str], Size]:
    found: dict[tuple[str, str], Size] = defaultdict(Size)
    for item in prompts.stream(store, USED, counted=True):
        prompt = settled(item.prompt)
        size = found[place(prompt), prompt.source or ""]
        if prompt.user:
            size.users.add(prompt.user)
        size.sft += bool(item.demonstrations)
        size.rm += bool(item.rankings)
        size.ppo += 1
    return dict(found)
