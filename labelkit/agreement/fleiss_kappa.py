"""Fleiss' kappa: agreement beyond chance where every unit has the same number of answers.

Fleiss (1971), Measuring nominal scale agreement among many raters.
"""

from __future__ import annotations

import numpy as np

from labelkit.agreement._arrays import Floats, Ints
from labelkit.agreement._bootstrap import Means
from labelkit.agreement._units import PAIR_VALUES, Units
from labelkit.agreement.pairwise import NOTHING_SHARED
from labelkit.plugins import Finding, Measured, Statistic

UNEQUAL = (
    "pairs were judged by {least} to {most} labelers; it needs the same number everywhere: "
    "see Krippendorff's alpha"
)
ONE_ANSWER = "everybody gave the same answer everywhere"


def fleiss_kappa(counts: Ints) -> float | None:
    """Return kappa, or None where it is undefined.

    `counts` has shape (units, values); every row must add up to the same number m > 1 of answers,
    else the result is None.

    >>> fleiss_kappa(np.array([[2, 0], [0, 2], [2, 0]]))
    1.0
    >>> fleiss_kappa(np.array([[2, 0], [1, 2]])) is None
    True
    """
    counts = np.asarray(counts)
    m = np.unique(counts.sum(axis=1))
    if len(m) != 1 or m[0] < 2:
        return None
    found = float(kappa_of(unit_sums(counts).sum(axis=0)))
    return found if np.isfinite(found) else None


def unit_sums(counts: Ints) -> Floats:
    """Return each unit's agreement, and its share of each value: (units, 1 + v)."""
    m = counts.sum(axis=1)
    p = (counts * (counts - 1)).sum(axis=1) / (m * (m - 1))
    return np.column_stack([p, counts / m[:, None]])


def kappa_of(sums: Floats) -> Floats:
    """Return kappa from sums of `unit_sums` (..., 1 + v): shape (...), NaN where undefined."""
    n = sums[..., 1:].sum(axis=-1)
    with np.errstate(divide="ignore", invalid="ignore"):
        p = sums[..., 0] / n
        pe = ((sums[..., 1:] / n[..., None]) ** 2).sum(axis=-1)
        return np.asarray((p - pe) / (1 - pe))


def _compute(units: Units, means: Means) -> Finding:
    tally = units.pairs.tally(PAIR_VALUES)
    shared = tally.patterns.sum(axis=1) > 1
    n = int(tally.times[shared].sum())
    if not n:
        return Measured(value=None, reason=NOTHING_SHARED)
    m = tally.patterns[shared].sum(axis=1)
    if m.min() != m.max():
        return Measured(value=None, n=n, reason=UNEQUAL.format(least=m.min(), most=m.max()))
    per_prompt = tally.per_prompt(shared, unit_sums(tally.patterns[shared]))
    per_prompt[:, 1:] = (per_prompt[:, 1:] + per_prompt[:, :0:-1]) / 2
    value = float(kappa_of(per_prompt.sum(axis=0)))
    if not np.isfinite(value):
        return Measured(value=None, n=n, reason=ONE_ANSWER)
    return means.measured(value, kappa_of(means.sums(per_prompt)), len(per_prompt), n)


PLUGIN = Statistic(
    title="Fleiss' kappa",
    rule="Agreement beyond chance on pairs that two labelers or more judged, where all of them "
    "were judged by the same number of labelers. n counts pairs.",
    units=("pairs",),
    compute=_compute,
)
