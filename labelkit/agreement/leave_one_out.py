"""Leave-one-out agreement: each labeler against the consensus of the others."""

from __future__ import annotations

from labelkit.agreement._bootstrap import Means
from labelkit.agreement._consensus_of_others import HALF_RULE, half_agreement, others
from labelkit.agreement._per_labeler import per_labeler
from labelkit.agreement._units import Units
from labelkit.plugins import Finding, Statistic

NOBODY_ELSE = "nobody else judged the same pairs"


def _compute(units: Units, means: Means) -> Finding:
    pairs = units.pairs
    rows, consensus = others(pairs)
    agree = half_agreement(pairs.value[rows], consensus)
    prompt = pairs.unit_prompt[pairs.unit[rows]]
    return per_labeler(means, units.labelers, prompt, pairs.labeler[rows], agree, NOBODY_ELSE)


PLUGIN = Statistic(
    title="Leave-one-out agreement",
    rule="Each labeler against the others' mean margin on the same pair, pairs that split the "
    f"others evenly left out; {HALF_RULE}. n counts pairs.",
    units=("pairs",),
    compute=_compute,
    percent=True,
)
