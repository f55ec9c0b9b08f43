"""What a bundle brings back: answers by its labeler to its tasks, as the desk would have let pass.

A seal proves what was given out; what came in return was written by a program on somebody else's
machine. So every answer is held against its task once more.
"""

from __future__ import annotations

import math
from collections import defaultdict
from typing import Any

import orjson
from sqlalchemy import select

from labelkit.domain.models import Demonstration, Guideline, Label, Ranking, Skip
from labelkit.domain.tasks import BatchSettings, TaskKind, check_ranking, check_text
from labelkit.domain.times import normalise
from labelkit.errors import Conflict, InputError
from labelkit.store import people, rules, schema
from labelkit.store.codec import TABLES, common_from, label_from
from labelkit.store.core import Store
from labelkit.store.engine import Tx
from labelkit.store.integrity.findings import blocks

task, batch = schema.task, schema.batch


def check_answers(store: Store) -> None:
    """Raise Conflict for the first label of a bundle that its labeler could not have made."""
    with store.read() as tx:
        asked = _Asked(tx)
    for kind, table in TABLES.items():
        for rows in blocks(store, table):
            with store.read() as tx:
                tasks = asked.of(tx, {row.task_id for row in rows} - {None})
            for row in rows:
                try:
                    asked.check(row, kind, tasks)
                except (InputError, ValueError, KeyError, TypeError) as error:
                    why = str(error) if isinstance(error, InputError) else "it makes no sense"
                    raise Conflict(f"{table.name} {row.uid.hex()} is refused: {why}") from None


class _Asked:
    """What a bundle asks for."""

    def __init__(self, tx: Tx) -> None:
        self.labelers = people.names(tx)
        self.refs = rules.refs(tx)
        self.guidelines: dict[str, Guideline] = {g.ref: g for g in rules.everything(tx)}

    def of(self, tx: Tx, keys: set[int]) -> dict[int, Any]:
        """Map tasks to (batch name, kind, settings, {completion key: uid})."""
        member, completion = schema.task_completion, schema.completion
        shown: dict[int, dict[int, str]] = defaultdict(dict)
        texts = select(member.c.task_id, completion.c.id, completion.c.uid)
        texts = texts.join(completion, completion.c.id == member.c.completion_id)
        for row in tx.execute(texts.where(member.c.task_id.in_(keys))):
            shown[row.task_id][row.id] = row.uid.hex()
        facts = select(task.c.id, batch.c.name, batch.c.kind, batch.c.settings)
        facts = facts.join(batch, batch.c.id == task.c.batch_id).where(task.c.id.in_(keys))
        return {
            row.id: (row.name, row.kind, BatchSettings(**orjson.loads(row.settings)), shown[row.id])
            for row in tx.execute(facts)
        }

    def check(self, row: Any, kind: type[Label], tasks: dict[int, Any]) -> None:
        if row.task_id is None or row.labeler_id is None:
            raise InputError("it answers no task of the bundle")
        name, asked, settings, shown = tasks[row.task_id]
        label = label_from(row, kind, shown, common_from(row, self.labelers, self.refs))
        _check_common(label, name)
        guideline = self.guidelines[label.guideline] if label.guideline else None
        if isinstance(label, Skip):
            known = [s.key for s in guideline.skips] if guideline else [label.reason]
            right = label.reason in known and label.task == asked
        elif isinstance(label, Ranking):
            check_ranking(list(shown.values()), settings, guideline, label)
            right = asked == TaskKind.RANK and sorted(label.shown) == sorted(shown.values())
        else:
            assert isinstance(label, Demonstration)
            check_text(label.text, "the demonstration")
            right = asked == TaskKind.WRITE and bool(label.text.strip())
        if not right:
            raise InputError("it is no answer to its task")


def _check_common(label: Label, batch_name: str) -> None:
    check_text(label.note, "the note")
    moment, seconds = label.submitted_at or "", label.seconds
    if label.batch != batch_name or normalise(moment) != moment:
        raise InputError("it was not made at a desk")
    if seconds is None or not (math.isfinite(seconds) and seconds >= 0):
        raise InputError("it took no time that a clock could show")
