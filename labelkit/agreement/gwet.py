"""Gwet's AC1 and AC2: agreement beyond chance that stays put when one answer is rare.

Gwet (2014), Handbook of Inter-Rater Reliability, 4th ed., chapters 4 to 6. Where nearly all
answers are the same, kappa and alpha fall towards 0 though labelers agree (Feinstein and
Cicchetti, 1990); AC1 does not. That is the usual case for flags.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np

from labelkit.agreement._arrays import Floats, Ints
from labelkit.agreement._bootstrap import Means
from labelkit.agreement._units import PAIR_VALUES, Answers, Units
from labelkit.agreement.krippendorff_alpha import UNPAIRED, scale_of
from labelkit.plugins import Finding, Measured, Statistic

Weights = Literal["identity", "linear", "quadratic"]

ONE_VALUE = "there is only one answer to give"


def gwet_ac(
    counts: Ints, weights: Weights = "identity", values: Sequence[float] | None = None
) -> float | None:
    """Return AC1 (identity weights) or AC2 (linear, quadratic), or None where it is undefined.

    `counts` has shape (units, values): how many labelers gave each value to each unit. Observed
    agreement is over units with two answers or more; chance agreement over all that have one.

    >>> table = np.repeat([[2, 0], [1, 1], [0, 2]], [40, 15, 45], axis=0)
    >>> round(gwet_ac(table), 4)  # Feinstein and Cicchetti (1990): 85 % agree
    0.7007
    """
    counts = np.asarray(counts)
    matrix = _weights(weights, counts.shape[1], values)
    found = float(ac_of(unit_sums(counts, matrix).sum(axis=0), matrix))
    return found if np.isfinite(found) else None


def _weights(weights: Weights, v: int, values: Sequence[float] | None) -> Floats:
    """Return how far two values agree, 0 to 1: (v, v)."""
    if weights == "identity" or v == 1:
        return np.eye(v)
    number = np.arange(v) if values is None else np.asarray(values, dtype=float)
    distance = np.abs(np.subtract.outer(number, number)) / (number.max() - number.min())
    return np.asarray(1 - distance ** (1 if weights == "linear" else 2))


def unit_sums(counts: Ints, weights: Floats) -> Floats:
    """Return what AC is made of, for each unit: (units, 3 + v - 1).

    Columns: observed agreement, whether there is one (two answers), whether it is rated at all,
    then the shares of the values.
    """
    r = counts.sum(axis=1).astype(float)
    weighted = counts @ weights
    top = (counts * (weighted - 1)).sum(axis=1)
    pa = np.divide(top, r * (r - 1), out=np.zeros(len(r)), where=r > 1)
    shares = np.divide(counts, r[:, None], out=np.zeros(counts.shape), where=r[:, None] > 0)
    return np.column_stack([pa, r > 1, r > 0, shares])


def ac_of(sums: Floats, weights: Floats) -> Floats:
    """Return AC from sums of `unit_sums` (..., 3 + v): shape (...), NaN where undefined."""
    v = len(weights)
    if v < 2:
        return np.full(sums.shape[:-1], np.nan)
    with np.errstate(divide="ignore", invalid="ignore"):
        pa = sums[..., 0] / sums[..., 1]
        pi = sums[..., 3:] / sums[..., 2:3]
    pe = weights.sum() / (v * (v - 1)) * (pi * (1 - pi)).sum(axis=-1)
    return np.asarray((pa - pe) / (1 - pe))


def measure(
    answers: Answers,
    values: Sequence[int],
    weights: Weights,
    means: Means,
    *,
    turn: bool = False,
) -> Measured:
    """Measure AC; `n` counts the units with two answers or more. `turn` as for alpha."""
    tally = answers.tally(values)
    labelers = tally.patterns.sum(axis=1)
    n = int(tally.times[labelers > 1].sum())
    if not n:
        return Measured(value=None, reason=UNPAIRED)
    matrix = _weights(weights, len(values), values)
    rated = labelers > 0
    per_prompt = tally.per_prompt(rated, unit_sums(tally.patterns[rated], matrix))
    if turn:
        per_prompt[:, 3:] = (per_prompt[:, 3:] + per_prompt[:, :2:-1]) / 2
    value = float(ac_of(per_prompt.sum(axis=0), matrix))
    if not np.isfinite(value):
        return Measured(value=None, n=n, reason=ONE_VALUE)
    prompts = int((per_prompt[:, 1] > 0).sum())
    return means.measured(value, ac_of(means.sums(per_prompt), matrix), prompts, n)


def _compute(units: Units, means: Means) -> Finding:
    pairs, scale = units.pairs, scale_of(units.ratings)
    return {
        "pairs": {
            "ac1": measure(pairs, PAIR_VALUES, "identity", means, turn=True),
            "ac2": measure(pairs, PAIR_VALUES, "linear", means, turn=True),
        },
        "ratings": {"ac2": measure(units.ratings, scale, "quadratic", means)},
        "flags": {
            name: measure(units.flags.answers(i), (0, 1), "identity", means)
            for i, name in enumerate(units.flags.names)
        },
    }


PLUGIN = Statistic(
    title="Gwet's AC1 and AC2",
    rule="Agreement beyond chance that does not collapse when one answer is rare. AC1 on pairs and "
    "flags; AC2 on pairs (linear: a tie against a preference agrees by half) and on ratings "
    "(quadratic). n counts units with two answers or more.",
    units=("pairs", "ratings", "flags"),
    compute=_compute,
)
