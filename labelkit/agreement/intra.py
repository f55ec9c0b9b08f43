"""Intra-labeler agreement: the same labeler, the same pair, another time."""

from __future__ import annotations

from labelkit.agreement._bootstrap import Means
from labelkit.agreement._consensus_of_others import HALF_RULE, half_agreement
from labelkit.agreement._per_labeler import per_labeler
from labelkit.agreement._units import Units
from labelkit.plugins import Finding, Statistic

NO_REPEATS = "nobody judged the same pair twice"


def _compute(units: Units, means: Means) -> Finding:
    again = units.repeats
    agree = half_agreement(again.first, again.later)
    return per_labeler(means, units.labelers, again.prompt, again.labeler, agree, NO_REPEATS)


PLUGIN = Statistic(
    title="Intra-labeler agreement",
    rule="Each labeler's first answer on a pair against the later ones on the same pair "
    f"(silent repeats, overlapping tasks); {HALF_RULE}. n counts later answers.",
    units=("repeats",),
    compute=_compute,
    percent=True,
)
