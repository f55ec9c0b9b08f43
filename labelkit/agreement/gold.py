"""Each labeler against gold: tasks whose right ranking is known."""

from __future__ import annotations

import numpy as np

from labelkit.agreement._arrays import Ints
from labelkit.agreement._bootstrap import Means
from labelkit.agreement._consensus_of_others import HALF_RULE, half_agreement
from labelkit.agreement._per_labeler import per_labeler
from labelkit.agreement._units import Judgements, Units
from labelkit.plugins import Finding, Statistic

NO_GOLD = "no gold ranking covers what was judged"


def against_gold(judgements: Judgements, gold: Judgements) -> tuple[Ints, Ints]:
    """Return (rows, gold value) of the judgements whose pair has a gold answer."""
    if not len(gold.unit):
        return judgements.unit[:0], judgements.unit[:0]
    width = max(judgements.pair.max(initial=0), gold.pair.max()) + 1
    keys = gold.pair[gold.unit] @ np.array([width, 1])
    wanted = judgements.pair[judgements.unit] @ np.array([width, 1])
    order = np.argsort(keys)
    at = np.minimum(np.searchsorted(keys, wanted, sorter=order), len(keys) - 1)
    rows = np.flatnonzero(keys[order][at] == wanted)
    return rows, gold.value[order][at][rows]


def _compute(units: Units, means: Means) -> Finding:
    pairs = units.pairs
    rows, right = against_gold(pairs, units.gold)
    agree = half_agreement(pairs.value[rows], right)
    prompt = pairs.unit_prompt[pairs.unit[rows]]
    return per_labeler(means, units.labelers, prompt, pairs.labeler[rows], agree, NO_GOLD)


PLUGIN = Statistic(
    title="Agreement with gold",
    rule=f"Each labeler against the gold ranking, pair by pair; {HALF_RULE}. n counts pairs.",
    units=("pairs", "gold"),
    compute=_compute,
    percent=True,
)
