"""Decide about prompts: recorded, never changed, and taken back by one more decision."""

from __future__ import annotations

import getpass
import secrets
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from labelkit.domain.decisions import Aspect, Use, heads, named, origin, undone
from labelkit.domain.models import Decision
from labelkit.domain.times import now_text
from labelkit.errors import NotFound, NothingToDo, UsageError
from labelkit.services.project import opened
from labelkit.store import decisions, prompts
from labelkit.store.decisions import RunRow
from labelkit.store.engine import Tx
from labelkit.store.sql import chunks

SCHEMA = "labelkit.decisions/1"
LOG_SCHEMA = "labelkit.decision-runs/1"
BY_HAND = "by hand"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is to hold for one prompt, by local key."""

    key: int
    aspect: str
    value: str | None
    reason: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Run:
    """Decisions made together. `known` counts those that held already; `id` is empty if all did."""

    id: str
    made: int = 0
    known: int = 0
    newer: int = 0
    dry_run: bool = False

    def as_json(self) -> dict[str, Any]:
        return {
            "schema": SCHEMA,
            "run": self.id or None,
            "decided": self.made,
            "known": self.known,
            "decided_again_since": self.newer,
            "dry_run": self.dry_run,
        }


def decide(tx: Tx, verdicts: Iterable[Verdict], by: str | None = None) -> Run:
    """Record verdicts in one run. One that holds already, whatever for, is not said again."""
    run, at, who = secrets.token_hex(4), now_text(), by or whoami()
    made = known = 0
    for chunk in chunks(verdicts):
        keys = {v.key for v in chunk}
        held = {key: heads(found) for key, found in decisions.of_prompts(tx, keys).items()}
        uids = prompts.uids_of(tx, keys)
        fresh = []
        for verdict in chunk:
            old = held.get(verdict.key, {}).get(verdict.aspect)
            if (old.value if old else None) == verdict.value:
                known += 1
                continue
            said = Decision(
                aspect=verdict.aspect,
                value=verdict.value,
                reason=verdict.reason,
                note=verdict.note,
                by=who,
                made_at=at,
                run=run,
                supersedes=old.uid if old else None,
            )
            said = named(uids[verdict.key], said)
            held.setdefault(verdict.key, {})[verdict.aspect] = said
            fresh.append((verdict.key, said))
        decisions.add(tx, fresh)
        decisions.follow(tx, [key for key, d in fresh if d.aspect == Aspect.USE])
        made += len(fresh)
    return Run(run if made else "", made, known)


def whoami() -> str | None:
    """Return the name that this process runs under."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return None


# -- by hand -------------------------------------------------------------------------------------


def ids_of(names: Sequence[str]) -> list[str]:
    """Return the ids of a command line; `-` stands for one a line on stdin."""
    if list(names) != ["-"]:
        return list(names)
    if sys.stdin is None:
        raise UsageError("stdin is closed")
    return [line.strip() for line in sys.stdin if line.strip()]


def exclude(store: Path, names: Sequence[str], **how: Any) -> Run:
    """Use prompts no more. Raises NotFound, and NothingToDo when that held already."""
    return by_name(store, names, Aspect.USE, Use.EXCLUDE, **how)


def keep(store: Path, names: Sequence[str], **how: Any) -> Run:
    """Let prompts pass every rule. Raises NotFound, and NothingToDo when that held already."""
    return by_name(store, names, Aspect.USE, Use.KEEP, **how)


def by_name(
    store: Path,
    names: Sequence[str],
    aspect: str,
    value: str | None,
    *,
    reason: str = BY_HAND,
    note: str = "",
    by: str | None = None,
    dry_run: bool = False,
) -> Run:
    """Decide the same about prompts that are named. Raises NotFound, UsageError, NothingToDo."""
    if not names:
        raise UsageError("name the prompts, or - for ids on stdin", hint="labelkit prompts list")
    with opened(store) as opened_store, opened_store.write() as tx:
        keys = dict.fromkeys(prompts.find(tx, name)[0] for name in names)
        run = decide(tx, [Verdict(key, aspect, value, reason, note) for key in keys], by)
        return settle(tx, run, dry_run=dry_run)


def settle(tx: Tx, run: Run, *, dry_run: bool) -> Run:
    """Keep a run, or throw it away. Raises NothingToDo for an empty one."""
    if not run.made:
        raise NothingToDo("nothing was decided: that held already")
    if dry_run:
        tx.rollback()
        return Run("", run.made, run.known, run.newer, dry_run=True)
    return run


# -- undo ----------------------------------------------------------------------------------------


def undo(
    store: Path,
    runs: Sequence[str] = (),
    names: Sequence[str] = (),
    *,
    by: str | None = None,
    dry_run: bool = False,
) -> Run:
    """Take back whole runs, and the last decision about each prompt that is named.

    What was decided about again since stays as it is. Raises NotFound, NothingToDo.
    """
    if not runs and not names:
        raise UsageError("say which run to take back", hint="labelkit prompts log")
    with opened(store) as opened_store, opened_store.write() as tx:
        wanted = [pair for run in runs for pair in _of_run(tx, run)]
        wanted += [_last_of(tx, name) for name in names]
        made = _take_back(tx, wanted, by)
        if not made.made:
            raise NothingToDo("nothing was taken back: it was decided about again since")
        return settle(tx, made, dry_run=dry_run)


def _of_run(tx: Tx, run: str) -> list[tuple[int, Decision]]:
    found = decisions.of_run(tx, run)
    if not found:
        raise NotFound(f"there is no run {run!r}", hint="labelkit prompts log")
    return found


def _last_of(tx: Tx, name: str) -> tuple[int, Decision]:
    """The newest decision about a prompt that still holds."""
    key, _ = prompts.find(tx, name)
    chain = {d.uid: d for d in decisions.of_prompts(tx, [key]).get(key, ())}
    held = [origin(d, chain) for d in heads(chain.values()).values() if d.value is not None]
    if not held:
        raise NothingToDo(f"nothing that was decided about {name!r} still holds")
    return key, max(held, key=lambda d: (d.made_at, d.uid))


def _take_back(tx: Tx, wanted: Iterable[tuple[int, Decision]], by: str | None) -> Run:
    who, at, run = by or whoami(), now_text(), secrets.token_hex(4)
    made = newer = 0
    for chunk in chunks(dict.fromkeys(wanted)):
        keys = {key for key, _ in chunk}
        chains = decisions.of_prompts(tx, keys)
        uids = prompts.uids_of(tx, keys)
        fresh = []
        for key, decision in chunk:
            chain = {d.uid: d for d in chains[key]}
            back = undone(decision, chain, by=who, made_at=at, run=run)
            if back is None:
                newer += 1
                continue
            fresh.append((key, named(uids[key], back)))
        decisions.add(tx, fresh)
        decisions.follow(tx, [key for key, d in fresh if d.aspect == Aspect.USE])
        made += len(fresh)
    return Run(run if made else "", made, 0, newer)


# -- what was decided ----------------------------------------------------------------------------


def log(store: Path, limit: int | None = None) -> list[RunRow]:
    """Return what was decided, run by run, the newest first."""
    with opened(store) as opened_store, opened_store.read() as tx:
        return decisions.runs(tx, limit)


def log_as_json(rows: Sequence[RunRow]) -> dict[str, Any]:
    return {
        "schema": LOG_SCHEMA,
        "runs": [
            {
                "run": row.run,
                "made_at": row.made_at,
                "by": row.by,
                "aspect": row.aspect,
                "value": row.value,
                "reason": row.reason,
                "prompts": row.prompts,
                "in_force": row.in_force,
            }
            for row in rows
        ],
    }


LOG_COLUMNS = ("run", "made_at", "by", "aspect", "value", "reason", "prompts", "in force")


def log_row(row: RunRow) -> tuple[object, ...]:
    """A run as a line of a table."""
    said = (row.run, row.made_at, row.by, row.aspect, row.value or "undecided", row.reason)
    return (*said, row.prompts, row.in_force)
