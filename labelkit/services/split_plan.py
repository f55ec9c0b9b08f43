"""The plan behind the splits that were decided: prompts that come in later follow it."""

from __future__ import annotations

import orjson

from labelkit.domain.decisions import Aspect
from labelkit.domain.splits import SplitPlan, parse_plan
from labelkit.store import decisions
from labelkit.store.engine import Tx

REASON = "split"


def remembered(plan: SplitPlan) -> str:
    """Return a plan as the note of the decisions it made."""
    return orjson.dumps([plan.text, plan.seed]).decode()


def plan_in_force(tx: Tx) -> SplitPlan | None:
    """Return the plan of the newest `labelkit prompts split` that holds, or None."""
    note = decisions.newest_note(tx, Aspect.SPLIT, REASON)
    return parse_plan(*orjson.loads(note)) if note else None
